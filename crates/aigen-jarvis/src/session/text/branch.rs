//! One branch of such a session: what it has, and how it stands.

use aigen_engine::TokenId;
use aigen_engine::sampler::{Draw, Sampling};
use aigen_engine::text::TextFinish;

use super::{TextSaid, TextSegment, unsupported};
use crate::limits::{DECISIONS_PER_PASS_MAX, EDIT_TOKENS_MAX};
use crate::session::branch::{FORK, names_at_most};
use crate::session::record::{Origin, Record};
use crate::session::segment;
use crate::{
    Allow, BranchId, Context, Controller, Decision, Edit, Fault, Generate, Matcher, Observe,
    Reason, Stop, Waiting, Wake,
};

pub(super) struct TextBranch {
    pub id: BranchId,
    pub controller: Box<dyn Controller>,
    pub record: Record,
    /// The forks that led to it, as a number.
    path: u64,
    forks: u32,
    /// What there is so far, as bytes: the tokens that the controller sees.
    pub text: Vec<TokenId>,
    matcher: Option<Matcher>,
    pub complete: Option<bool>,
    pub reason: Reason,
    pub standing: Standing,
    /// How the engine ended what it said, once it did.
    pub said: Option<TextFinish>,
    /// Whether it wants to know how likely that is.
    observes: bool,
    /// Decisions since it began, or was answered.
    decisions: u32,
}

/// What a branch does.
pub(super) enum Standing {
    /// It decides next.
    Deciding(News),
    /// The engine is asked for its segment.
    Asking,
    Suspended(Waiting),
    Over,
}

/// What is new to a branch.
#[derive(Clone, Copy)]
pub(super) struct News {
    pub why: Wake,
    /// Of its text, what comes from there on.
    pub from: usize,
    /// After so many bytes were taken back.
    pub removed: u32,
    /// How likely what comes from there on is, where the segment observed that.
    pub logprob: Option<f32>,
}

impl News {
    fn new(why: Wake, from: usize, removed: u32) -> Self {
        Self {
            why,
            from,
            removed,
            logprob: None,
        }
    }
}

impl TextBranch {
    pub fn first(controller: Box<dyn Controller>) -> Self {
        Self::new(0, controller, Record::new(0, 0), 0)
    }

    fn new(id: BranchId, controller: Box<dyn Controller>, record: Record, path: u64) -> Self {
        Self {
            id,
            controller,
            record,
            path,
            forks: 0,
            text: Vec::new(),
            matcher: None,
            complete: None,
            reason: Reason::Done,
            standing: Standing::Deciding(News::new(Wake::Started, 0, 0)),
            said: None,
            observes: false,
            decisions: 0,
        }
    }

    /// Branch number `id`, the `index`th of a fork, which begins where this one is.
    pub fn child(&mut self, id: BranchId, index: u32) -> Result<Self, Fault> {
        let controller = self.controller.fork(index)?;
        let place = Draw {
            branch: self.path,
            attempt: self.forks,
            position: index,
        };
        Ok(Self::new(
            id,
            controller,
            Record::new(self.id, 0),
            place.bits(FORK),
        ))
    }

    pub fn path(&self) -> u64 {
        self.path
    }

    /// It forked, or came of a fork.
    pub fn forked(&mut self, index: u32, first: BranchId) {
        self.forks += u32::from(index == 0);
        self.wake(Wake::Forked { index, first }, self.text.len(), 0);
    }

    fn wake(&mut self, why: Wake, from: usize, removed: u32) {
        self.standing = Standing::Deciding(News::new(why, from, removed));
    }

    pub fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Over)
    }

    pub fn is_asking(&self) -> bool {
        matches!(self.standing, Standing::Asking)
    }

    /// What it has to decide about.
    pub fn news(&self) -> Option<News> {
        match self.standing {
            Standing::Deciding(news) => Some(news),
            _ => None,
        }
    }

    /// Goes on if what it waits for has happened.
    pub fn rouse(&mut self, context: &Context, is_over: impl Fn(BranchId) -> bool) {
        let roused = match &self.standing {
            Standing::Suspended(Waiting::Variables(names)) => context.news(self.id, names),
            Standing::Suspended(Waiting::Branches(branches)) => {
                let mut others = branches.iter().filter(|other| **other != self.id);
                others.all(|other| is_over(*other))
            }
            _ => false,
        };
        if roused {
            self.wake(Wake::Resumed, self.text.len(), 0);
        }
    }

    /// Notes a decision, of which there is an end.
    pub fn decided(&mut self, decision: &Decision, context: &Context) -> Result<(), Fault> {
        for exchange in context.take_exchanged(self.id) {
            self.record.exchange(exchange);
        }
        self.record.decision(decision);
        self.decisions += 1;
        match self.decisions > DECISIONS_PER_PASS_MAX {
            true => Err(Fault::Stalled {
                decisions: DECISIONS_PER_PASS_MAX,
            }),
            false => Ok(()),
        }
    }

    pub fn stop(&mut self, stop: Stop) {
        self.reason = stop.reason;
        self.standing = Standing::Over;
        if !stop.keep {
            self.text.clear();
        }
    }

    pub fn suspend(&mut self, waiting: Waiting) -> Result<(), Fault> {
        match &waiting {
            Waiting::Variables(names) => names_at_most(names.len(), "variables to wait for")?,
            Waiting::Branches(others) => names_at_most(others.len(), "branches to wait for")?,
            Waiting::Millis(_) => {
                return unsupported("to wait for a time, on a model that is computed elsewhere");
            }
        }
        self.standing = Standing::Suspended(waiting);
        Ok(())
    }

    /// What the engine said.
    pub fn answered(&mut self, said: &TextSaid) -> Result<(), Fault> {
        let finish = said.finish;
        let from = self.text.len();
        self.text.extend(said.text.bytes().map(TokenId::from));
        for token in &self.text[from..] {
            self.record.token(*token, Origin::Sampled);
        }
        (self.said, self.decisions) = (Some(finish), 0);
        let why = self.ended(from, finish)?;
        let logprob = said.logprob.filter(|_| self.observes);
        let news = News::new(why, from, 0);
        self.standing = Standing::Deciding(News { logprob, ..news });
        Ok(())
    }

    /// Advances the grammar, if there is one, and says why the segment is over.
    fn ended(&mut self, from: usize, finish: TextFinish) -> Result<Wake, Fault> {
        let cut = finish != TextFinish::Stop;
        let Some(matcher) = &self.matcher else {
            return Ok(match cut {
                true => Wake::TokenLimit,
                false => Wake::EndOfSequence,
            });
        };
        // Blanks between the parts of JSON are the server's own, and the schema has been
        // checked: the matcher goes as far as it can.
        matcher.advance_while(&self.text[from..])?;
        self.complete = Some(!cut);
        Ok(match cut {
            true => Wake::TokenLimit,
            false => Wake::MatcherFinished,
        })
    }

    /// Edits the text, none of which anybody has seen.
    pub fn edit(&mut self, edit: Edit) -> Result<(), Fault> {
        let Edit {
            backtrack,
            tokens,
            heal,
        } = edit;
        if heal {
            return unsupported("to heal tokens, on a model that is computed elsewhere");
        }
        if tokens.len() > EDIT_TOKENS_MAX {
            let max = EDIT_TOKENS_MAX;
            return Err(Fault::EditTooLong { max });
        }
        let revocable = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let keep = usize::try_from(backtrack).ok();
        let keep = keep.and_then(|count| self.text.len().checked_sub(count));
        let Some(keep) = keep else {
            let asked = backtrack;
            return Err(Fault::BacktrackTooFar { asked, revocable });
        };
        if let Some(token) = tokens.iter().find(|token| **token > 255) {
            let (token, vocab_size) = (*token, 256);
            return Err(Fault::TokenUnknown { token, vocab_size });
        }
        self.text.truncate(keep);
        for token in &tokens {
            self.record.token(*token, Origin::Forced);
        }
        self.text.extend(tokens);
        self.wake(Wake::Edited, keep, backtrack);
        Ok(())
    }

    /// The request that its segment comes to.
    pub fn ask(
        &mut self,
        generate: Generate,
        request: &Sampling,
        probabilities: bool,
    ) -> Result<TextSegment, Fault> {
        if self.said.is_some() {
            return unsupported("a second segment, on a model that is computed elsewhere");
        }
        if !self.text.is_empty() {
            return unsupported(
                "going on with a text that has begun, on a model that is computed elsewhere",
            );
        }
        can_be_asked(&generate, probabilities)?;
        self.observes = generate.observe == Observe::Sampled;
        let mut sampling = segment::sampling(request, &generate);
        if self.id > 0 {
            // Or a server would say the same to all of them. Some take 31 bits at most.
            let place = Draw {
                branch: self.path,
                ..Draw::default()
            };
            sampling.seed = place.bits(request.seed) >> 33;
        }
        let Generate { allow, until, .. } = generate;
        let schema = match allow {
            Allow::Any => None,
            Allow::Tokens(_) => {
                return unsupported("to mask tokens, on a model that is computed elsewhere");
            }
            Allow::Matcher(matcher) => {
                let Some(schema) = matcher.schema() else {
                    return unsupported(
                        "a grammar that is no whole JSON Schema, on a model that is computed elsewhere",
                    );
                };
                self.matcher = Some(matcher);
                Some(schema)
            }
        };
        let stops = until.stops.into_iter().map(String::from_utf8);
        let Ok(stops) = stops.collect::<Result<Vec<_>, _>>() else {
            return unsupported("a stop that is no text, on a model that is computed elsewhere");
        };
        self.standing = Standing::Asking;
        Ok(TextSegment {
            branch: self.id,
            schema,
            stops,
            max_tokens: (until.tokens > 0).then_some(until.tokens),
            sampling,
            probabilities: self.observes,
        })
    }

    /// What it has, as text.
    pub fn shown(&self) -> String {
        let byte = |token: &TokenId| u8::try_from(*token).unwrap_or(b'?');
        let bytes: Vec<u8> = self.text.iter().map(byte).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Refuses what such an engine has no word for.
fn can_be_asked(generate: &Generate, probabilities: bool) -> Result<(), Fault> {
    let cannot = [
        (
            !generate.bias.is_empty(),
            "to bias tokens, on a model that is computed elsewhere",
        ),
        (
            !generate.splices.is_empty(),
            "to splice tokens, on a model that is computed elsewhere",
        ),
        (
            !generate.until.triggers.is_empty(),
            "trigger tokens, on a model that is computed elsewhere",
        ),
        (
            matches!(generate.observe, Observe::Top(_)),
            "to observe the likeliest tokens, on a model that is computed elsewhere",
        ),
        (
            generate.observe == Observe::Sampled && !probabilities,
            "to observe probabilities, on a model that is computed elsewhere and does not tell them",
        ),
    ];
    match cannot.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => unsupported(what),
        None => Ok(()),
    }
}
