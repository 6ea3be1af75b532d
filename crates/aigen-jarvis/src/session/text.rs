//! A controller on an engine that answers whole segments: somebody else's server, which shows no
//! tokens. One segment is one request with a schema, stop texts and a limit; before it and after
//! it the controller may edit what there is, here. Whatever else it wants is refused by name.

mod bytes;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use aigen_engine::sampler::Sampling;
use aigen_engine::text::TextFinish;
use aigen_engine::{ControlLevel, TokenId};
use aigen_types::Digest;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use self::bytes::Bytes;

use super::record::{Origin, Record};
use crate::limits::{DECISIONS_PER_PASS_MAX, EDIT_TOKENS_MAX, LATE_STEPS_MAX};
use crate::{
    Allow, Capabilities, Context, Controller, Decision, Edit, Ending, Fault, Finish, Generate,
    Matcher, Observe, Opening, Program, Reason, Report, Turn, Wake,
};

/// What a controller is told of such a request.
#[derive(Clone, Debug, Default)]
pub struct TextOpening {
    /// What the caller gives it: JSON of its own, or nothing.
    pub argument: String,
    /// The conversation as JSON; empty for a raw prompt.
    pub messages: String,
    /// A raw prompt; empty for a conversation.
    pub prompt: String,
    /// The model's name.
    pub model: String,
    /// Names the stream of chance.
    pub seed: u64,
    /// Whether the engine follows schemas.
    pub schemas: bool,
}

/// What it has the engine asked.
#[derive(Clone, Debug)]
pub struct TextSegment {
    /// What the text has to satisfy.
    pub schema: Option<Arc<Value>>,
    /// Texts that end it.
    pub stops: Vec<String>,
    /// Output tokens, if it bounds them.
    pub max_tokens: Option<u32>,
    /// How tokens are drawn.
    pub sampling: Sampling,
}

/// A controller, from its opening to its last word. Every call blocks for as long as it computes,
/// or is answered by the outside.
pub struct TextSession {
    controller: Box<dyn Controller>,
    context: Context,
    record: Record,
    program: Digest,
    prompt: Vec<TokenId>,
    seed: u64,
    /// What there is so far, as bytes: the tokens that the controller sees.
    text: Vec<TokenId>,
    matcher: Option<Matcher>,
    complete: Option<bool>,
    reason: Reason,
    overhead: Duration,
    late_steps: u32,
}

impl TextSession {
    /// Opens a controller whose grammars were compiled for [`Bytes`].
    ///
    /// # Errors
    /// An ending by its own fault, by [`Fault::Unsupported`] where it writes a prompt of its own, or
    /// by whatever it was doing when it was recalled: with what it used and asked until then.
    pub fn open(
        program: &Program,
        terms: &TextOpening,
        recall: &CancellationToken,
    ) -> Result<Self, Box<Ending>> {
        let context = Context::until(terms.seed, recall.clone());
        Self::open_in(&context, program, terms)
            .map_err(|fault| Box::new(Ending::unopened(fault, &[context])))
    }

    fn open_in(context: &Context, program: &Program, terms: &TextOpening) -> Result<Self, Fault> {
        let prompt: Vec<_> = terms.prompt.bytes().map(TokenId::from).collect();
        context.attach_thread();
        let opening = Opening {
            prompt: &prompt,
            tokenizer: Arc::new(Bytes::default()),
            context: context.clone(),
            argument: &terms.argument,
            messages: &terms.messages,
            model: &terms.model,
            seed: terms.seed,
            can: Capabilities {
                control: match terms.schemas {
                    true => ControlLevel::Schema,
                    false => ControlLevel::Text,
                },
                backtrack: false,
                branches_max: 1,
            },
        };
        let began = Instant::now();
        let mut controller = program.open(&opening)?;
        if controller.prompt()?.is_some() {
            return unsupported("a prompt of its own, on a model that is computed elsewhere");
        }
        Ok(Self {
            controller,
            context: context.clone(),
            record: Record::new(0, 0),
            program: program.digest(),
            prompt,
            seed: terms.seed,
            text: Vec::new(),
            matcher: None,
            complete: None,
            reason: Reason::Done,
            overhead: began.elapsed(),
            late_steps: 0,
        })
    }

    /// What the engine is to be asked; `None` where the controller wants no text of it.
    ///
    /// # Errors
    /// Its own, and [`Fault::Unsupported`] naming what such an engine cannot do.
    pub fn begin(&mut self, request: &Sampling) -> Result<Option<TextSegment>, Fault> {
        self.context.attach_thread();
        match self.decide(Wake::Started, 0)? {
            Some(_) if !self.text.is_empty() => unsupported(
                "going on with a text that has begun, on a model that is computed elsewhere",
            ),
            Some(generate) => self.segment(generate, request).map(Some),
            None => Ok(None),
        }
    }

    /// What the engine said; the controller has its last word.
    pub fn end(mut self, said: &str, finish: TextFinish) -> (String, Ending) {
        self.context.attach_thread();
        let from = self.text.len();
        self.text.extend(said.bytes().map(TokenId::from));
        for token in &self.text[from..] {
            self.record.token(*token, Origin::Sampled);
        }
        let ended = self.answered(from, finish);
        let ended = ended.and_then(|why| match self.decide(why, from)? {
            None => Ok(()),
            Some(_) => unsupported("a second segment, on a model that is computed elsewhere"),
        });
        self.finish(ended.map(|()| finish))
    }

    /// It ends before it was told anything.
    #[must_use]
    pub fn fail(self, fault: Fault) -> Ending {
        self.finish(Err(fault)).1
    }

    /// A controller that asked for no text.
    pub fn silent(self) -> (String, Ending) {
        self.finish(Ok(TextFinish::Stop))
    }

    /// Advances the grammar, if there is one, and says why the segment is over.
    fn answered(&mut self, from: usize, finish: TextFinish) -> Result<Wake, Fault> {
        let length = matches!(finish, TextFinish::Length | TextFinish::Cancelled);
        let Some(matcher) = &self.matcher else {
            return Ok(match length {
                true => Wake::TokenLimit,
                false => Wake::EndOfSequence,
            });
        };
        // Blanks between the parts of JSON are the server's own, and the schema has been
        // checked: the matcher goes as far as it can.
        matcher.advance_while(&self.text[from..])?;
        self.complete = Some(!length);
        Ok(match length {
            true => Wake::TokenLimit,
            false => Wake::MatcherFinished,
        })
    }

    /// Asks until the controller wants a segment, or has enough.
    fn decide(&mut self, why: Wake, from: usize) -> Result<Option<Generate>, Fault> {
        let (mut why, mut from, mut removed) = (why, from, 0);
        for _ in 0..DECISIONS_PER_PASS_MAX {
            let position = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
            let appended = self.text[from.min(self.text.len())..].to_vec();
            let report = Report {
                appended: &appended,
                removed,
                ..Report::new(0, position, why)
            };
            let decision = self.step(&report)?;
            for exchange in self.context.take_exchanged(0) {
                self.record.exchange(exchange);
            }
            self.record.decision(&decision);
            match decision {
                Decision::Generate(generate) => return Ok(Some(generate)),
                Decision::Stop(stop) => {
                    self.reason = stop.reason;
                    if !stop.keep {
                        self.text.clear();
                    }
                    return Ok(None);
                }
                Decision::Edit(edit) => {
                    (removed, from) = self.edit(edit)?;
                    why = Wake::Edited;
                }
                Decision::Fork(_) => {
                    return unsupported("a fork, on a model that is computed elsewhere");
                }
                Decision::Suspend(_) => {
                    return unsupported("to be suspended, on a model that is computed elsewhere");
                }
            }
        }
        let decisions = DECISIONS_PER_PASS_MAX;
        Err(Fault::Stalled { decisions })
    }

    fn step(&mut self, report: &Report<'_>) -> Result<Decision, Fault> {
        let began = Instant::now();
        let mut turn = self.controller.step(report);
        let mut late = false;
        loop {
            if let Some(fault) = self.context.fault() {
                return Err(fault);
            }
            match turn? {
                Turn::Ready(decision) => {
                    self.overhead += began.elapsed();
                    return Ok(decision);
                }
                Turn::Late if !late => {
                    late = true;
                    self.late_steps += 1;
                    if self.late_steps >= LATE_STEPS_MAX {
                        let times = self.late_steps;
                        return Err(Fault::Late { times });
                    }
                }
                Turn::Late | Turn::Outside => {}
            }
            // As a rule somebody unparks this thread first.
            thread::park_timeout(Duration::from_millis(20));
            turn = self.controller.poll();
        }
    }

    /// Edits the text, none of which anybody has seen; what was taken back, and from where on
    /// there is something new.
    fn edit(&mut self, edit: Edit) -> Result<(u32, usize), Fault> {
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
        Ok((backtrack, keep))
    }

    /// The request that the segment comes to.
    fn segment(&mut self, generate: Generate, request: &Sampling) -> Result<TextSegment, Fault> {
        let sampling = super::segment::sampling(request, &generate);
        let Generate {
            allow,
            bias,
            splices,
            observe,
            until,
            ..
        } = generate;
        let cannot = [
            (
                !bias.is_empty(),
                "to bias tokens, on a model that is computed elsewhere",
            ),
            (
                !splices.is_empty(),
                "to splice tokens, on a model that is computed elsewhere",
            ),
            (
                !until.triggers.is_empty(),
                "trigger tokens, on a model that is computed elsewhere",
            ),
            (
                observe != Observe::Nothing,
                "to observe probabilities, on a model that is computed elsewhere",
            ),
        ];
        if let Some((_, what)) = cannot.into_iter().find(|(asked, _)| *asked) {
            return unsupported(what);
        }
        let schema = match allow {
            Allow::Any => None,
            Allow::Tokens(_) => {
                return unsupported("to mask tokens, on a model that is computed elsewhere");
            }
            Allow::Matcher(matcher) => {
                let schema = matcher.schema();
                self.matcher = Some(matcher);
                match schema {
                    None => {
                        return unsupported(
                            "a grammar that is no whole JSON Schema, on a model that is computed elsewhere",
                        );
                    }
                    schema => schema,
                }
            }
        };
        let stops = until.stops.into_iter().map(String::from_utf8);
        let Ok(stops) = stops.collect::<Result<Vec<_>, _>>() else {
            return unsupported("a stop that is no text, on a model that is computed elsewhere");
        };
        Ok(TextSegment {
            schema,
            stops,
            max_tokens: (until.tokens > 0).then_some(until.tokens),
            sampling,
        })
    }

    /// What the controller says in the end; waits for it.
    fn last_word(&mut self) -> String {
        loop {
            match self.controller.finish() {
                Some(outcome) => return outcome,
                // As a rule somebody unparks this thread first.
                None => thread::park_timeout(Duration::from_millis(20)),
            }
        }
    }

    fn finish(mut self, ended: Result<TextFinish, Fault>) -> (String, Ending) {
        let bytes = self
            .text
            .iter()
            .map(|token| u8::try_from(*token).unwrap_or(b'?'));
        let text = String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned();
        let mut outcome = String::new();
        let mut finish = match ended {
            Ok(TextFinish::Stop) => Finish::Stop,
            Ok(TextFinish::Length) => Finish::Length,
            Ok(TextFinish::Cancelled) => Finish::Cancelled,
            Err(fault) => Finish::Fault(fault),
        };
        if matches!(finish, Finish::Stop | Finish::Length) {
            outcome = self.last_word();
            if !outcome.is_empty()
                && let Err(reason) = super::family::check_outcome(&outcome)
            {
                outcome.clear();
                finish = Fault::ResultInvalid { reason }.into();
            }
        }
        let (log, results) = self.context.take_notes();
        let (_, asked) = self.context.take_exchanges();
        let records = std::iter::once(&self.record);
        let micros = self.overhead.as_micros();
        let ending = Ending {
            finish,
            grammar_complete: self.complete,
            decisions: Record::session(self.program, &self.prompt, self.seed, records, &outcome),
            controller_micros: u64::try_from(micros).unwrap_or(u64::MAX),
            guest: self.context.used().guest,
            asked,
            late_steps: self.late_steps,
            reason: self.reason,
            branch: Some(0),
            outcome: Some(outcome).filter(|outcome| !outcome.is_empty()),
            results,
            log,
            ..Ending::crashed()
        };
        (text, ending)
    }
}

fn unsupported<T>(what: &'static str) -> Result<T, Fault> {
    Err(Fault::Unsupported { what })
}
