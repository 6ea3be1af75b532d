//! The decision loop of one branch: controller, constraint, cover and engine, one
//! token after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aigen_engine::sampler::{Draw, Sampler, logprobs};
use aigen_engine::{Driver, EngineError, Input, Start, Step, TokenId, Tokenizer};

use super::outlet::Outlet;
use super::output::Output;
use super::record::{Origin, Record};
use super::rewinds::Rewinds;
use super::segment::Segment;
use crate::cover::Covered;
use crate::limits::{DECISIONS_PER_PASS_MAX, DISCARDED_TOKENS_MAX, EDIT_TOKENS_MAX};
use crate::{
    Controller, Cover, Decision, Edit, Ending, Fault, Finish, Observe, Params, Report,
    TokenLogprobs, Turn, Wake,
};

pub(super) struct Branch {
    pub controller: Box<dyn Controller>,
    pub tokenizer: Arc<dyn Tokenizer>,
    pub sampler: Sampler,
    /// Log-probabilities to report, with this many alternatives.
    pub top_logprobs: Option<usize>,
    pub cover: Cover,
    /// Output tokens the branch may have.
    pub room: u32,
    pub output: Output,
    pub outlet: Outlet,
    pub record: Record,
    pub activity: Activity,
    /// Tokens to be forced next, before anything is sampled.
    pub queue: VecDeque<TokenId>,
    pub rewinds: Rewinds,
    pub since: Since,
    /// Whether the last constraint was satisfied where it ended.
    pub complete: Option<bool>,
    /// Time that controller and constraints took between forward passes.
    pub overhead: Duration,
}

/// What the branch is doing.
pub(super) enum Activity {
    /// The controller is to be asked.
    Deciding(Wake),
    /// An edit's tokens are being appended.
    Editing,
    /// A segment is under way.
    Generating(Segment),
}

/// What happened since the controller was last asked.
#[derive(Default)]
pub(super) struct Since {
    /// The position it left, in tokens.
    position: usize,
    removed: u32,
    /// Decisions since the last logits.
    decisions: u32,
}

impl Driver for Branch {
    fn started(&mut self, start: Start) {
        self.outlet.started(start.cached_prompt_tokens);
        // Decided now, the first mask can be computed while the prompt is read.
        if let Err(finish) = self.decide(Wake::Started) {
            self.finish(finish);
        }
    }

    fn prepare(&mut self) {
        if let Activity::Generating(segment) = &mut self.activity
            && self.queue.is_empty()
        {
            segment.prepare();
        }
    }

    fn next(&mut self, input: Input<'_>) -> Step {
        match input {
            Input::Logits(logits) => {
                self.since.decisions = 0;
                self.run(Some(logits))
            }
            Input::Resumed => self.run(None),
            Input::Failed(EngineError::Cancelled) => self.finish(Finish::Cancelled),
            Input::Failed(error) => self.finish(Fault::Engine(error.clone()).into()),
            Input::ForkRefused { free } => {
                let wanted = 0;
                self.finish(Fault::from(EngineError::SequencesExhausted { wanted, free }).into())
            }
        }
    }
}

impl Branch {
    /// Goes on until the engine is needed or the branch is over.
    fn run(&mut self, mut logits: Option<&mut [f32]>) -> Step {
        if self.outlet.finished() {
            return Step::Done;
        }
        let step = loop {
            match self.turn(&mut logits) {
                Ok(None) => {}
                Ok(Some(step)) => break step,
                Err(finish) => return self.finish(finish),
            }
        };
        self.outlet.output(&mut self.output);
        step
    }

    /// One decision or one token; a step if the engine is needed first.
    fn turn(&mut self, logits: &mut Option<&mut [f32]>) -> Result<Option<Step>, Finish> {
        if let Activity::Deciding(why) = self.activity {
            return self.decide(why).map(|()| None);
        }
        if self.output.position() >= self.room {
            return Err(Finish::Length);
        }
        match self.cover.covers(self.output.usage.computed() + 1) {
            Covered::Yes => {}
            Covered::NotYet => return Ok(Some(Step::Wait)),
            Covered::Never => return Err(Finish::Budget),
        }
        if let Some(token) = self.queue.pop_front() {
            self.produce(token, Origin::Forced)?;
            return Ok(None);
        }
        match logits.take() {
            Some(logits) if self.output.in_step() => self.sample(logits).map(|()| None),
            _ => Ok(Some(self.output.catch_up())),
        }
    }

    fn decide(&mut self, why: Wake) -> Result<(), Finish> {
        self.since.decisions += 1;
        if self.since.decisions > DECISIONS_PER_PASS_MAX {
            return Err(Fault::Stalled {
                decisions: DECISIONS_PER_PASS_MAX,
            }
            .into());
        }
        let report = Report {
            removed: self.since.removed,
            appended: &self.output.tokens()[self.since.position..],
            ..Report::new(0, self.output.position(), why)
        };
        let began = Instant::now();
        let decision = self.controller.step(&report);
        self.overhead += began.elapsed();
        let Turn::Ready(decision) = decision? else {
            return Err(unbuilt("a decision that is not ready").into());
        };
        self.record.decision(&decision);
        self.since.removed = 0;
        self.since.position = self.output.tokens().len();
        match decision {
            Decision::Stop(stop) if stop.keep => Err(Finish::Stop),
            Decision::Stop(_) => Err(unbuilt("a branch that is not kept").into()),
            Decision::Fork(_) => Err(unbuilt("a fork").into()),
            Decision::Suspend(_) => Err(unbuilt("a suspended branch").into()),
            Decision::Edit(edit) => Ok(self.edit(edit)?),
            Decision::Generate(generate) => {
                if !generate.bias.is_empty()
                    || !generate.splices.is_empty()
                    || generate.params != Params::default()
                    || generate.observe != Observe::Nothing
                {
                    return Err(unbuilt("a segment with this").into());
                }
                let segment = Segment::new(generate, self.output.tokens().len());
                Ok(self.proceed(segment)?)
            }
        }
    }

    fn edit(&mut self, edit: Edit) -> Result<(), Fault> {
        let Edit {
            backtrack,
            tokens,
            heal,
        } = edit;
        if heal {
            return Err(unbuilt("healing"));
        }
        if tokens.len() > EDIT_TOKENS_MAX {
            return Err(Fault::EditTooLong {
                max: EDIT_TOKENS_MAX,
            });
        }
        self.backtrack(backtrack, &tokens)?;
        self.activity = match tokens.is_empty() {
            true => Activity::Deciding(Wake::Edited),
            false => Activity::Editing,
        };
        self.queue = tokens.into();
        Ok(())
    }

    fn backtrack(&mut self, backtrack: u32, inserted: &[TokenId]) -> Result<(), Fault> {
        if backtrack == 0 {
            return Ok(());
        }
        let removed = self.output.backtrack(backtrack)?;
        let sampled = removed
            .iter()
            .filter(|(_, origin)| *origin == Origin::Sampled);
        sampled.for_each(|(token, _)| self.sampler.retract(*token));
        self.rewinds
            .count(self.output.position(), removed, inserted)?;
        if self.output.usage.discarded_tokens > DISCARDED_TOKENS_MAX {
            return Err(Fault::DiscardedTooMany {
                max: DISCARDED_TOKENS_MAX,
            });
        }
        self.since.removed = backtrack;
        self.since.position = self.output.tokens().len();
        Ok(())
    }

    /// Goes on with a segment: ends it, or finds out what it forces next.
    fn proceed(&mut self, segment: Segment) -> Result<(), Fault> {
        match segment.over(self.output.tokens(), &self.output.transcript) {
            Some(why) => self.end_segment(&segment, why),
            None => {
                if self.queue.is_empty() {
                    self.queue = segment.forced()?;
                }
                self.activity = Activity::Generating(segment);
            }
        }
        Ok(())
    }

    fn end_segment(&mut self, segment: &Segment, why: Wake) {
        self.complete = segment.complete();
        self.queue.clear();
        self.activity = Activity::Deciding(why);
    }

    /// Appends one token to the branch.
    fn produce(&mut self, token: TokenId, origin: Origin) -> Result<(), Finish> {
        let vocab_size = self.tokenizer.vocab_size();
        if token >= vocab_size {
            return Err(Fault::TokenUnknown { token, vocab_size }.into());
        }
        self.record.token(token, origin);
        self.output
            .push(token, origin, self.tokenizer.token_bytes(token));
        if let Activity::Generating(segment) = &self.activity {
            segment.advance(token)?;
        }
        if self.output.transcript.cut_at_stop() {
            return Err(Finish::StopString);
        }
        match std::mem::replace(&mut self.activity, Activity::Deciding(Wake::Edited)) {
            Activity::Generating(segment) => self.proceed(segment)?,
            Activity::Editing if !self.queue.is_empty() => self.activity = Activity::Editing,
            Activity::Editing | Activity::Deciding(_) => {}
        }
        Ok(())
    }

    /// Lets the model choose a token of those that may come.
    fn sample(&mut self, logits: &mut [f32]) -> Result<(), Finish> {
        let began = Instant::now();
        let mask = match &mut self.activity {
            Activity::Generating(segment) => segment.mask()?,
            _ => None,
        };
        self.overhead += began.elapsed();
        let own = self.top_logprobs.map(|top| (top, logits.to_vec()));
        if let Some(mask) = mask {
            mask.apply(logits);
        }
        let draw = Draw {
            branch: 0,
            attempt: self.rewinds.total(),
            position: self.output.position(),
        };
        let token = self
            .sampler
            .sample(logits, draw)
            .map_err(|_| Fault::MaskEmpty)?;
        if let Some((top, own)) = own {
            let (chosen, top) = logprobs(&own, token, top);
            self.outlet.logprobs(TokenLogprobs {
                token,
                logprob: chosen.logprob,
                top,
            });
        }
        self.accept(token)
    }

    /// The model's choice: a token of the branch, or its end.
    fn accept(&mut self, token: TokenId) -> Result<(), Finish> {
        if !self.ends_turn(token) {
            self.sampler.accept(token);
            return self.produce(token, Origin::Sampled);
        }
        self.record.token(token, Origin::Sampled);
        self.output.usage.sampled_tokens += 1;
        self.complete = self.grammar_complete();
        self.activity = Activity::Deciding(Wake::EndOfSequence);
        Ok(())
    }

    /// A grammar may ask for an end token where it cannot end: that is only a token.
    fn ends_turn(&self, token: TokenId) -> bool {
        self.tokenizer.end_tokens().contains(&token) && self.grammar_complete() != Some(false)
    }

    /// Whether the output is complete under the segment's grammar, or under the
    /// last one's between segments.
    fn grammar_complete(&self) -> Option<bool> {
        match &self.activity {
            Activity::Generating(segment) => segment.complete(),
            Activity::Deciding(_) | Activity::Editing => self.complete,
        }
    }

    fn finish(&mut self, finish: Finish) -> Step {
        let complete = self.grammar_complete();
        let cut = finish == Finish::StopString;
        let grammar_complete = complete.map(|complete| complete && !cut);
        let (usage, decisions) = (self.output.usage, self.record.digest());
        let ending = Ending {
            finish,
            usage,
            grammar_complete,
            decisions,
            controller_micros: u64::try_from(self.overhead.as_micros()).unwrap_or(u64::MAX),
        };
        self.outlet.end(&mut self.output, ending);
        Step::Done
    }
}

fn unbuilt(what: &'static str) -> Fault {
    Fault::Unsupported { what }
}

impl From<Fault> for Finish {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
