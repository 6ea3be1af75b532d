//! One branch: its controller, its constraint and its tokens, one decision or one token after
//! the other.

mod choosing;
mod tracing;

use std::collections::VecDeque;
use std::time::Instant;

use aigen_engine::sampler::{Draw, Sampler, TokenLogprob};
use aigen_engine::{Step, TokenId};

use self::tracing::Tracing;
use super::common::Common;
use super::healing::{self, Healing};
use super::output::Output;
use super::record::{Origin, Record};
use super::rewinds::Rewinds;
use super::segment::{self, Segment, at_most};
use super::suspension::Suspension;
use crate::limits::{
    BIASES_MAX, DECISIONS_PER_PASS_MAX, EDIT_TOKENS_MAX, FORCED_PER_PASS_MAX, LATE_STEPS_MAX,
};
use crate::{
    BranchId, Choice, Controller, Decision, Edit, Fault, Finish, Generate, Reason, Report, Stop,
    TokenLogprobs, Traced, Turn, Wake,
};

pub(super) struct Branch {
    pub id: BranchId,
    pub controller: Box<dyn Controller>,
    pub output: Output,
    pub record: Record,
    pub activity: Activity,
    /// What the model chose.
    pub choices: Vec<Choice>,
    /// Log-probabilities that the caller has not seen.
    pub logprobs: Vec<TokenLogprobs>,
    /// What it wants of the engine, once everybody has decided.
    pub order: Option<Step>,
    /// It is in the next pass, or in the one that runs.
    pub computing: bool,
    /// Logits that came while others were still deciding.
    pub kept: Option<Vec<f32>>,
    /// Branches to be copied from this one as soon as it has its logits.
    pub forking: Vec<BranchId>,
    /// It has a place in the engine.
    pub seated: bool,
    /// Whether the last constraint was satisfied where it ended.
    pub complete: Option<bool>,
    /// See [`Ending::closed_early`](crate::Ending::closed_early).
    pub closed_early: bool,
    pub reason: Reason,
    sampler: Sampler,
    /// Tokens to be forced next, before anything is sampled.
    queue: VecDeque<TokenId>,
    /// Tokens that were forced since the last logits.
    forced: u32,
    rewinds: Rewinds,
    since: Since,
    /// The forks that led here, as a number, and how often it forked itself.
    path: u64,
    forks: u32,
    /// Its next token is paid for.
    reserved: bool,
    /// What may be written anew by the next segment.
    heal: Option<Heal>,
    /// No token may come any more, for this reason.
    capped: Option<Finish>,
    /// The present step is known to be late.
    late: bool,
    /// For whoever wants a trace.
    tracing: Tracing,
}

/// What the branch is doing.
// One for each branch, nearly always generating: a box would only be one more thing to allocate.
#[expect(clippy::large_enum_variant)]
pub(super) enum Activity {
    /// The controller is to be asked.
    Deciding(Wake),
    /// The controller was asked and is not ready.
    Asked,
    /// An edit's tokens are being appended.
    Editing,
    /// A segment is under way.
    Generating(Segment),
    /// It is to fork.
    Forking(u32),
    Suspended(Suspension),
    Over,
}

/// How many tokens are to be written anew, and whose.
#[derive(Clone, Copy)]
enum Heal {
    Prompt(usize),
    Edit(usize),
}

/// What happened since the controller was last asked.
#[derive(Default)]
struct Since {
    /// The position it left, in tokens.
    position: usize,
    removed: u32,
    sampled: Option<TokenId>,
    logprob: Option<f32>,
    top: Vec<TokenLogprob>,
    /// Decisions since the last logits.
    decisions: u32,
}

/// How far a turn got.
pub(super) enum Next {
    /// The branch goes on.
    Again,
    /// It has all it can have before the next pass.
    Settled,
    /// The session waits: for the controller, or for more to be paid for.
    Blocked,
    Fork(u32),
    /// The branch is over, and not the answer.
    Over,
}

impl Branch {
    pub fn new(controller: Box<dyn Controller>, output: Output, sampler: Sampler) -> Self {
        Self {
            id: 0,
            controller,
            output,
            record: Record::new(0, 0),
            activity: Activity::Deciding(Wake::Started),
            choices: Vec::new(),
            logprobs: Vec::new(),
            order: None,
            // Its prompt is to be read.
            computing: true,
            kept: None,
            forking: Vec::new(),
            seated: true,
            complete: None,
            closed_early: false,
            reason: Reason::Done,
            sampler,
            queue: VecDeque::new(),
            forced: 0,
            rewinds: Rewinds::default(),
            since: Since::default(),
            path: 0,
            forks: 0,
            reserved: false,
            heal: None,
            capped: None,
            late: false,
            tracing: Tracing::default(),
        }
    }

    /// Member `index` of the family into which this branch forks, as branch `id`; 0 forked.
    pub fn child(&mut self, id: BranchId, index: u32) -> Result<Self, Fault> {
        let controller = self.controller.fork(index)?;
        let seed = Draw {
            branch: self.path,
            attempt: self.forks,
            position: index,
        };
        Ok(Self {
            id,
            record: Record::new(self.id, self.output.position()),
            logprobs: self.logprobs.clone(),
            seated: false,
            complete: self.complete,
            closed_early: self.closed_early,
            rewinds: self.rewinds.clone(),
            path: seed.bits(FORK),
            heal: self.heal,
            capped: self.capped.clone(),
            ..Self::new(controller, self.output.clone(), self.sampler.clone())
        })
    }

    pub fn path(&self) -> u64 {
        self.path
    }

    /// Counts a fork, after its children were made.
    pub fn forked(&mut self, first: BranchId, index: u32) {
        self.forks += 1;
        self.since.position = self.output.tokens().len();
        self.activity = Activity::Deciding(Wake::Forked { index, first });
    }

    pub fn is_over(&self) -> bool {
        matches!(self.activity, Activity::Over)
    }

    /// Whether it needs no place in the engine any more.
    pub fn is_gone(&self) -> bool {
        self.is_over() && self.forking.is_empty()
    }

    pub fn suspension(&self) -> Option<&Suspension> {
        match &self.activity {
            Activity::Suspended(suspension) => Some(suspension),
            _ => None,
        }
    }

    /// Whether logits are on their way to it, or there already.
    pub fn awaits(&self) -> bool {
        self.computing || self.kept.is_some()
    }

    /// One decision or one token.
    pub fn turn(&mut self, common: &mut Common) -> Result<Next, Finish> {
        match &self.activity {
            Activity::Over | Activity::Suspended(_) => Ok(Next::Settled),
            Activity::Deciding(why) => self.ask(*why, common),
            Activity::Asked => self.poll(common),
            Activity::Forking(_) if self.awaits() && !self.output.in_step() => Ok(Next::Settled),
            Activity::Forking(branches) => Ok(Next::Fork(*branches)),
            Activity::Editing | Activity::Generating(_) => self.go_on(common),
        }
    }

    fn go_on(&mut self, common: &mut Common) -> Result<Next, Finish> {
        if self.output.reached() >= common.room {
            return self.cap(Finish::Length, Wake::TokenLimit, common);
        }
        let samples = self.queue.is_empty() && (self.output.in_step() || !self.awaits());
        let pays = samples && !self.reserved || !self.queue.is_empty();
        if pays && !common.pays()? {
            return Ok(Next::Blocked);
        }
        if !self.queue.is_empty() && self.forced >= FORCED_PER_PASS_MAX {
            // The engine computes these before there are more.
            self.want_logits();
            return Ok(Next::Settled);
        }
        if let Some(token) = self.queue.pop_front() {
            self.forced += 1;
            self.produce(token, Origin::Forced, common)?;
            return Ok(Next::Again);
        }
        if samples && !self.reserved {
            self.reserved = true;
            common.reserved += 1;
        }
        self.want_logits();
        Ok(Next::Settled)
    }

    /// Has the engine compute what it has, if it does not yet.
    pub fn want_logits(&mut self) {
        if !self.awaits() {
            self.order = Some(self.output.catch_up());
            self.computing = true;
        }
    }

    /// Ends the branch's text. Alone it is the answer; among others its controller decides.
    fn cap(&mut self, finish: Finish, why: Wake, common: &Common) -> Result<Next, Finish> {
        if common.alive <= 1 {
            return Err(finish);
        }
        if let Activity::Generating(segment) = &self.activity {
            self.complete = segment.complete();
        }
        self.queue.clear();
        self.capped = Some(finish);
        self.activity = Activity::Deciding(why);
        Ok(Next::Again)
    }

    fn ask(&mut self, why: Wake, common: &mut Common) -> Result<Next, Finish> {
        self.since.decisions += 1;
        if self.since.decisions > DECISIONS_PER_PASS_MAX {
            let decisions = DECISIONS_PER_PASS_MAX;
            return Err(Fault::Stalled { decisions }.into());
        }
        common.tell(self.output.position());
        common.begin_call(false)?;
        let report = Report {
            removed: self.since.removed,
            appended: &self.output.tokens()[self.since.position..],
            sampled: self.since.sampled,
            logprob: self.since.logprob,
            top: &self.since.top,
            ..Report::new(self.id, self.output.position(), why)
        };
        let began = Instant::now();
        let turn = self.controller.step(&report);
        self.tracing.why = Some(why);
        self.took(began, common);
        self.hear(turn, common)
    }

    fn poll(&mut self, common: &mut Common) -> Result<Next, Finish> {
        let began = Instant::now();
        let turn = self.controller.poll();
        self.took(began, common);
        self.hear(turn, common)
    }

    fn hear(&mut self, turn: Result<Turn, Fault>, common: &mut Common) -> Result<Next, Finish> {
        // What went beyond a bound ends the session, whatever the controller made of it.
        if let Some(fault) = common.context.fault() {
            return Err(fault.into());
        }
        match turn? {
            Turn::Ready(decision) => {
                self.late = false;
                self.decide(decision, common)
            }
            Turn::Outside => {
                self.activity = Activity::Asked;
                Ok(Next::Blocked)
            }
            Turn::Late => {
                self.activity = Activity::Asked;
                common.late_steps += u32::from(!std::mem::replace(&mut self.late, true));
                match common.late_steps {
                    times if times >= LATE_STEPS_MAX => Err(Fault::Late { times }.into()),
                    _ => Ok(Next::Blocked),
                }
            }
        }
    }

    fn decide(&mut self, decision: Decision, common: &mut Common) -> Result<Next, Finish> {
        for exchange in common.context.take_exchanged(self.id) {
            self.record.exchange(exchange);
        }
        self.record.decision(&decision);
        self.decided(&decision, common);
        let (shown, commit) = common.context.shown(self.id);
        self.output.shown = shown;
        if commit {
            self.output.commit();
        }
        self.since = Since {
            position: self.output.tokens().len(),
            decisions: self.since.decisions,
            ..Since::default()
        };
        match decision {
            Decision::Stop(stop) => self.stop(stop),
            Decision::Fork(branches) => {
                self.activity = Activity::Forking(branches);
                Ok(Next::Again)
            }
            Decision::Suspend(waiting) => {
                self.activity = Activity::Suspended(Suspension::new(waiting, self.id, common)?);
                Ok(Next::Settled)
            }
            Decision::Edit(_) | Decision::Generate(_) if self.capped.is_some() => {
                self.insists(common)
            }
            Decision::Edit(edit) => self.edit(edit, common).map_err(Finish::from),
            Decision::Generate(generate) => self.generate(generate, common).map_err(Finish::from),
        }
    }

    fn stop(&mut self, stop: Stop) -> Result<Next, Finish> {
        self.reason = stop.reason;
        match stop.keep {
            true => Err(Finish::Stop),
            false => Ok(Next::Over),
        }
    }

    /// It wants more text, of which there can be none.
    fn insists(&mut self, common: &Common) -> Result<Next, Finish> {
        let finish = self.capped.clone().unwrap_or(Finish::Length);
        let why = match finish {
            Finish::StopString => Wake::StopMatched,
            _ => Wake::TokenLimit,
        };
        self.cap(finish, why, common)
    }

    fn edit(&mut self, edit: Edit, common: &mut Common) -> Result<Next, Fault> {
        let Edit {
            backtrack,
            tokens,
            heal,
        } = edit;
        if tokens.len() > EDIT_TOKENS_MAX {
            let max = EDIT_TOKENS_MAX;
            return Err(Fault::EditTooLong { max });
        }
        self.heal = None;
        self.output.healing = 0;
        self.backtrack(backtrack, &tokens, common)?;
        let reach = |tokens: &[TokenId]| healing::reach(&*common.tokenizer, tokens);
        match (heal, tokens.is_empty()) {
            (true, false) => {
                self.output.healing = reach(&tokens);
                self.heal = Some(Heal::Edit(self.output.healing));
            }
            // One token of the prompt has to stay.
            (true, true) if self.output.tokens().is_empty() => {
                let healed = reach(common.prompt.get(1..).unwrap_or_default());
                self.heal = Some(Heal::Prompt(healed));
            }
            _ => {}
        }
        self.activity = match tokens.is_empty() {
            true => Activity::Deciding(Wake::Edited),
            false => Activity::Editing,
        };
        self.queue = tokens.into();
        Ok(Next::Again)
    }

    fn generate(&mut self, generate: Generate, common: &mut Common) -> Result<Next, Fault> {
        segment::check(&generate, common.tokenizer.vocab_size())?;
        self.sampler
            .set_sampling(segment::sampling(&common.sampling, &generate));
        let from = self.output.tokens().len();
        let mut segment = Segment::new(common.tokenizer.clone(), generate, from);
        if segment.over(self.output.tokens()).is_none() {
            self.begin_healing(&mut segment, common);
        }
        self.output.healing = 0;
        self.heal = None;
        self.proceed(segment)?;
        Ok(Next::Again)
    }

    /// Takes the tokens off that are to be written anew.
    fn begin_healing(&mut self, segment: &mut Segment, common: &mut Common) {
        let tokenizer = std::sync::Arc::clone(&common.tokenizer);
        let last = |tokens: &[TokenId], count: usize, prompt| {
            Healing::new(&*tokenizer, &tokens[tokens.len() - count..], prompt)
        };
        let healing = match self.heal {
            None | Some(Heal::Prompt(0) | Heal::Edit(0)) => return,
            Some(Heal::Edit(count)) => {
                let healing = last(self.output.tokens(), count, false);
                self.output.chop(count, &mut common.usage);
                self.removed(u32::try_from(count).unwrap_or(u32::MAX), common);
                healing
            }
            Some(Heal::Prompt(count)) => {
                self.output.chop_prompt(count);
                last(&common.prompt, count, true)
            }
        };
        segment.heal(healing, self.output.tokens().len());
    }

    fn backtrack(
        &mut self,
        backtrack: u32,
        inserted: &[TokenId],
        common: &mut Common,
    ) -> Result<(), Fault> {
        if backtrack == 0 {
            return Ok(());
        }
        let removed = self.output.backtrack(backtrack, &mut common.usage)?;
        let sampled = removed
            .iter()
            .filter(|(_, origin)| *origin == Origin::Sampled);
        sampled.for_each(|(token, _)| self.sampler.retract(*token));
        self.rewinds
            .count(self.output.position(), removed, inserted)?;
        self.removed(backtrack, common);
        let max = common.discarded_max;
        match common.usage.discarded_tokens > max {
            true => Err(Fault::DiscardedTooMany { max }),
            false => Ok(()),
        }
    }

    /// Notes for the next report that so many tokens went.
    fn removed(&mut self, count: u32, common: &mut Common) {
        let position = self.output.position().saturating_add(count);
        let removed = Traced::Removed { tokens: count };
        common.outlet.trace(self.id, position, removed);
        let length = self.output.tokens().len();
        let appended = self.since.position.saturating_sub(length);
        self.since.removed += u32::try_from(appended).unwrap_or(count);
        self.since.position = self.since.position.min(length);
    }

    /// Goes on with a segment: ends it, or finds out what it forces next.
    fn proceed(&mut self, segment: Segment) -> Result<(), Fault> {
        match segment.over(self.output.tokens()) {
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
    fn produce(
        &mut self,
        token: TokenId,
        origin: Origin,
        common: &mut Common,
    ) -> Result<(), Finish> {
        self.append(token, origin, common)?;
        if self.output.transcript.cut_at_stop() {
            return self.cut(common);
        }
        match std::mem::replace(&mut self.activity, Activity::Deciding(Wake::Edited)) {
            Activity::Generating(segment) => self.proceed(segment)?,
            Activity::Editing if !self.queue.is_empty() => self.activity = Activity::Editing,
            _ => {}
        }
        Ok(())
    }

    fn append(&mut self, token: TokenId, origin: Origin, common: &mut Common) -> Result<(), Fault> {
        let vocab_size = common.tokenizer.vocab_size();
        if token >= vocab_size {
            return Err(Fault::TokenUnknown { token, vocab_size });
        }
        self.record.token(token, origin);
        let tokenizer = std::sync::Arc::clone(&common.tokenizer);
        let bytes = tokenizer.token_bytes(token);
        let mut seen = 0;
        if let Activity::Generating(segment) = &mut self.activity {
            seen = segment.prompted();
            segment.advance(token)?;
        }
        let visible = &bytes[seen.min(bytes.len())..];
        if common.outlet.traces() {
            let token = self.traced(token, visible);
            self.produced(token, origin, common);
        }
        self.output.push(token, origin, visible, &mut common.usage);
        if seen > 0 {
            self.output.stay();
        }
        Ok(())
    }

    /// A stop string of the request's is complete.
    fn cut(&mut self, common: &Common) -> Result<(), Finish> {
        self.cap(Finish::StopString, Wake::StopMatched, common)?;
        self.complete = self.complete.map(|_| false);
        Ok(())
    }

    /// Takes its logits: a token is sampled if that is what it wants them for.
    pub fn consume(&mut self, logits: &mut [f32], common: &mut Common) -> Result<(), Finish> {
        if !self.is_sampling(common) {
            return Ok(());
        }
        let choice = self.choose(logits, common)?;
        self.take(choice, common)
    }

    /// Whether its logits are to be sampled from; they are there now.
    pub fn is_sampling(&mut self, common: &mut Common) -> bool {
        self.since.decisions = 0;
        self.forced = 0;
        common.passes += 1;
        let generating = matches!(self.activity, Activity::Generating(_));
        if !(generating && self.queue.is_empty() && self.output.in_step() && self.reserved) {
            return false;
        }
        self.release(common);
        true
    }

    /// Gives up what was paid for its next token.
    pub fn release(&mut self, common: &mut Common) {
        common.reserved -= u64::from(std::mem::take(&mut self.reserved));
    }

    /// Computes the mask that it will need.
    pub fn prepare(&mut self) {
        if let Activity::Generating(segment) = &mut self.activity
            && self.queue.is_empty()
        {
            segment.prepare();
        }
    }

    /// Takes what the model chose: a token of the branch, or its end.
    pub fn take(&mut self, choice: Choice, common: &mut Common) -> Result<(), Finish> {
        self.choices.push(choice.clone());
        let Choice::Sampled {
            token,
            logprob,
            top,
        } = choice
        else {
            return Ok(self.close()?);
        };
        self.since.sampled = Some(token);
        self.since.logprob = logprob;
        self.since.top = top;
        let Activity::Generating(segment) = &self.activity else {
            return Err(Fault::Crashed.into());
        };
        if let Some(splice) = segment.splice(token).cloned() {
            return Ok(self.splice(token, splice.backtrack, &splice.tokens, common)?);
        }
        if !self.ends_turn(token, common) {
            self.sampler.accept(token);
            return self.produce(token, Origin::Sampled, common);
        }
        self.record.token(token, Origin::Sampled);
        if common.outlet.traces() {
            let token = self.traced(token, &[]);
            self.produced(token, Origin::Sampled, common);
        }
        self.output.end(&mut common.usage);
        self.complete = self.grammar_complete();
        self.activity = Activity::Deciding(Wake::EndOfSequence);
        Ok(())
    }

    /// Goes the shortest way out of the grammar.
    fn close(&mut self) -> Result<(), Fault> {
        let activity = std::mem::replace(&mut self.activity, Activity::Asked);
        let Activity::Generating(mut segment) = activity else {
            return Err(Fault::Crashed);
        };
        self.closed_early = true;
        self.queue = segment.close()?;
        self.proceed(segment)
    }

    /// Puts other tokens in place of the one that the model chose, which was computed.
    fn splice(
        &mut self,
        token: TokenId,
        backtrack: u32,
        tokens: &[TokenId],
        common: &mut Common,
    ) -> Result<(), Fault> {
        self.sampler.accept(token);
        // Nobody saw it yet, so it can go even where nothing else can.
        self.output.healing = 1;
        self.append(token, Origin::Sampled, common)?;
        self.backtrack(backtrack, tokens, common)?;
        self.output.healing = 0;
        self.queue = tokens.iter().copied().collect();
        let length = self.output.tokens().len();
        if let Activity::Generating(segment) = &mut self.activity {
            let count = usize::try_from(backtrack).unwrap_or(usize::MAX);
            segment.take_back(count, length)?;
        }
        let activity = std::mem::replace(&mut self.activity, Activity::Asked);
        match activity {
            Activity::Generating(segment) if self.queue.is_empty() => self.proceed(segment),
            other => {
                self.activity = other;
                Ok(())
            }
        }
    }

    /// A grammar may ask for an end token where it cannot end: that is only a token.
    fn ends_turn(&self, token: TokenId, common: &Common) -> bool {
        common.tokenizer.end_tokens().contains(&token) && self.grammar_complete() != Some(false)
    }

    /// Whether the output is complete under the segment's grammar, or under the
    /// last one's between segments.
    pub fn grammar_complete(&self) -> Option<bool> {
        match &self.activity {
            Activity::Generating(segment) => segment.complete(),
            _ => self.complete,
        }
    }
}

/// Tells the numbers of children apart from those that tokens are drawn by.
pub(super) const FORK: u64 = 0x61_6967_656e_2066;

/// Refuses to wait for more than can be looked at.
pub(super) fn names_at_most(count: usize, what: &'static str) -> Result<(), Fault> {
    at_most(count, what, BIASES_MAX)
}

impl From<Fault> for Finish {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
