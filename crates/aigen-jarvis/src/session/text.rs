//! A controller on an engine that answers whole segments: somebody else's server, which shows no
//! tokens. The segment of a branch is one request with a schema, stop texts and a limit, and a fork is several
//! requests at once; before them and after them the controller may edit what there is, here. Whatever else it
//! wants is refused by name.

mod branch;
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

use self::branch::TextBranch;
pub use self::bytes::Bytes;

use super::record::Record;
use crate::limits::{BRANCHES_MAX, LATE_STEPS_MAX};
use crate::{
    BranchId, Capabilities, Context, Decision, Ending, Fault, Finish, Generate, Opening, Program,
    Report, Turn, Usage,
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
    /// Whether it tells how likely its answers are.
    pub probabilities: bool,
    /// Branches that it may have at once; one in any case.
    pub branches: u32,
}

/// What a branch has the engine asked.
#[derive(Clone, Debug)]
pub struct TextSegment {
    /// The branch.
    pub branch: BranchId,
    /// What the text has to satisfy.
    pub schema: Option<Arc<Value>>,
    /// Texts that end it.
    pub stops: Vec<String>,
    /// Output tokens, if it bounds them.
    pub max_tokens: Option<u32>,
    /// How tokens are drawn: with a seed of its own for each branch.
    pub sampling: Sampling,
    /// Whether to be told how likely the answer is.
    pub probabilities: bool,
}

/// What the engine said to a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct TextSaid {
    /// The text.
    pub text: String,
    /// How it ended.
    pub finish: TextFinish,
    /// Natural logarithm of the probability of all of it, if that was asked and told.
    pub logprob: Option<f32>,
}

/// A controller, from its opening to its last word. Every call blocks for as long as it computes,
/// or is answered by the outside.
pub struct TextSession {
    context: Context,
    program: Digest,
    prompt: Vec<TokenId>,
    seed: u64,
    can: Capabilities,
    /// Whether the engine tells how likely its answers are.
    probabilities: bool,
    branches: Vec<TextBranch>,
    /// What the engine is to be asked, and how tokens are drawn.
    segments: Vec<TextSegment>,
    sampling: Sampling,
    /// The place of the branch that is kept.
    answer: Option<usize>,
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
        let can = Capabilities {
            control: match terms.schemas {
                true => ControlLevel::Schema,
                false => ControlLevel::Text,
            },
            backtrack: false,
            branches_max: terms.branches.max(1),
        };
        let opening = Opening {
            prompt: &prompt,
            tokenizer: Arc::new(Bytes::default()),
            context: context.clone(),
            argument: &terms.argument,
            messages: &terms.messages,
            model: &terms.model,
            seed: terms.seed,
            can,
        };
        let began = Instant::now();
        let mut controller = program.open(&opening)?;
        if controller.prompt()?.is_some() {
            return unsupported("a prompt of its own, on a model that is computed elsewhere");
        }
        Ok(Self {
            context: context.clone(),
            program: program.digest(),
            prompt,
            seed: terms.seed,
            can,
            probabilities: terms.probabilities,
            branches: vec![TextBranch::first(controller)],
            segments: Vec::new(),
            sampling: Sampling::greedy(),
            answer: None,
            overhead: began.elapsed(),
            late_steps: 0,
        })
    }

    /// What the engine is to be asked, a request for each branch; nothing where the controller wants no
    /// text of it.
    ///
    /// # Errors
    /// Its own, and [`Fault::Unsupported`] naming what such an engine cannot do.
    pub fn begin(&mut self, request: &Sampling) -> Result<Vec<TextSegment>, Fault> {
        self.context.attach_thread();
        self.sampling = request.clone();
        self.settle()?;
        let mut segments = std::mem::take(&mut self.segments);
        segments.sort_by_key(|segment| segment.branch);
        Ok(match self.answer {
            Some(_) => Vec::new(),
            None => segments,
        })
    }

    /// What the engine said to each of the segments, in their order; the controller has its last word.
    pub fn end(mut self, said: &[TextSaid]) -> (String, Ending) {
        self.context.attach_thread();
        let ended = self.answered(said);
        self.finish(ended)
    }

    /// It ends before it was told anything, or all of it.
    #[must_use]
    pub fn fail(self, fault: Fault) -> Ending {
        self.finish(Err(fault)).1
    }

    /// A controller that asked for no text.
    pub fn silent(self) -> (String, Ending) {
        self.finish(Ok(()))
    }

    fn answered(&mut self, said: &[TextSaid]) -> Result<(), Fault> {
        let asking = self.branches.iter_mut().filter(|one| one.is_asking());
        for (branch, said) in asking.zip(said) {
            branch.answered(said)?;
        }
        self.settle()
    }

    /// Has the branches decide, in the order of their numbers and as far as it goes.
    fn settle(&mut self) -> Result<(), Fault> {
        let mut moved = true;
        while std::mem::take(&mut moved) {
            let mut at = 0;
            while at < self.branches.len() {
                self.rouse(at);
                while self.branches[at].news().is_some() {
                    self.decide(at)?;
                    if self.answer.is_some() {
                        return Ok(());
                    }
                    moved = true;
                }
                at += 1;
            }
        }
        let goes_on = |branch: &TextBranch| branch.is_asking();
        let over = self.branches.iter().all(TextBranch::is_over);
        match over || self.branches.iter().any(goes_on) {
            true => Ok(()),
            false => Err(Fault::Deadlock),
        }
    }

    fn rouse(&mut self, at: usize) {
        let over: Vec<bool> = self.branches.iter().map(TextBranch::is_over).collect();
        let is_over = |id: BranchId| {
            let place = usize::try_from(id).unwrap_or(usize::MAX);
            over.get(place).is_some_and(|over| *over)
        };
        self.branches[at].rouse(&self.context, is_over);
    }

    fn decide(&mut self, at: usize) -> Result<(), Fault> {
        let decision = self.step(at)?;
        let branch = &mut self.branches[at];
        branch.decided(&decision, &self.context)?;
        match decision {
            Decision::Generate(generate) => self.generate(at, generate),
            Decision::Fork(count) => self.fork(at, count),
            Decision::Edit(edit) => branch.edit(edit),
            Decision::Suspend(waiting) => branch.suspend(waiting),
            Decision::Stop(stop) => {
                branch.stop(stop);
                self.answer = stop.keep.then_some(at);
                Ok(())
            }
        }
    }

    fn generate(&mut self, at: usize, generate: Generate) -> Result<(), Fault> {
        let branch = &mut self.branches[at];
        let segment = branch.ask(generate, &self.sampling, self.probabilities)?;
        self.segments.push(segment);
        Ok(())
    }

    fn fork(&mut self, at: usize, count: u32) -> Result<(), Fault> {
        let parent = &self.branches[at];
        if parent.said.is_some() || !parent.text.is_empty() {
            return unsupported(
                "a fork of a text that has begun, on a model that is computed elsewhere",
            );
        }
        let alive = self.branches.iter().filter(|one| !one.is_over()).count();
        let [all, alive] = [self.branches.len(), alive];
        let [all, alive] = [all, alive].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let left = (BRANCHES_MAX + 1).saturating_sub(all);
        let left = left.min(self.can.branches_max.saturating_sub(alive));
        if count > left {
            let asked = count;
            return Err(Fault::BranchesTooMany { asked, left });
        }
        let parent = &mut self.branches[at];
        let mut children = Vec::new();
        for index in 1..=count {
            let mut child = parent.child(all + index - 1, index)?;
            child.forked(index, all);
            self.context.fork(parent.id, child.id, child.path());
            children.push(child);
        }
        parent.forked(0, all);
        self.branches.extend(children);
        Ok(())
    }

    fn step(&mut self, at: usize) -> Result<Decision, Fault> {
        let began = Instant::now();
        let branch = &mut self.branches[at];
        let Some(news) = branch.news() else {
            return Err(Fault::Crashed);
        };
        let position = u32::try_from(branch.text.len()).unwrap_or(u32::MAX);
        let appended = branch.text[news.from.min(branch.text.len())..].to_vec();
        let report = Report {
            appended: &appended,
            removed: news.removed,
            logprob: news.logprob,
            ..Report::new(branch.id, position, news.why)
        };
        let mut turn = branch.controller.step(&report);
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
            turn = self.branches[at].controller.poll();
        }
    }

    /// What the controller says in the end; waits for it.
    fn last_word(&mut self, at: usize) -> Result<String, Fault> {
        loop {
            match self.branches[at].controller.finish() {
                // What went beyond a bound ends the session, whatever the controller made of it.
                Some(said) => return self.context.fault().map_or(said, Err),
                // As a rule somebody unparks this thread first.
                None => thread::park_timeout(Duration::from_millis(20)),
            }
        }
    }

    /// The place of the branch that is kept: of several that nobody chose from, none.
    fn kept(&self) -> Option<usize> {
        let mut alive = (0..self.branches.len()).filter(|at| !self.branches[*at].is_over());
        self.answer.or(match (alive.next(), alive.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        })
    }

    fn finish(mut self, ended: Result<(), Fault>) -> (String, Ending) {
        let kept = self.kept();
        let said = self.branches[kept.unwrap_or(0)].said;
        let mut finish = match ended.map(|()| said) {
            Ok(Some(TextFinish::Stop) | None) => Finish::Stop,
            Ok(Some(TextFinish::Length)) => Finish::Length,
            Ok(Some(TextFinish::Filtered)) => Finish::Filtered,
            Ok(Some(TextFinish::Cancelled)) => Finish::Cancelled,
            Err(fault) => Finish::Fault(fault),
        };
        let mut outcome = String::new();
        if let Some(at) = kept.filter(|_| super::family::is_said(&finish)) {
            match self.last_word(at).and_then(super::family::checked) {
                Ok(said) => outcome = said,
                Err(fault) => finish = fault.into(),
            }
        }
        let text = kept.map(|at| self.branches[at].shown());
        (text.unwrap_or_default(), self.sum_up(finish, kept, outcome))
    }

    fn sum_up(&self, finish: Finish, kept: Option<usize>, outcome: String) -> Ending {
        let (log, results) = self.context.take_notes();
        let (_, asked) = self.context.take_exchanges();
        let records = self.branches.iter().map(|branch| &branch.record);
        let micros = self.overhead.as_micros();
        let shown = &self.branches[kept.unwrap_or(0)];
        Ending {
            finish,
            usage: Usage {
                branches: u32::try_from(self.branches.len() - 1).unwrap_or(u32::MAX),
                ..Usage::default()
            },
            grammar_complete: shown.complete,
            decisions: Record::session(self.program, &self.prompt, self.seed, records, &outcome),
            controller_micros: u64::try_from(micros).unwrap_or(u64::MAX),
            guest: self.context.used().guest,
            asked,
            late_steps: self.late_steps,
            reason: shown.reason,
            branch: kept.map(|at| self.branches[at].id),
            outcome: Some(outcome).filter(|outcome| !outcome.is_empty()),
            results,
            log,
            ..Ending::crashed()
        }
    }
}

fn unsupported<T>(what: &'static str) -> Result<T, Fault> {
    Err(Fault::Unsupported { what })
}
