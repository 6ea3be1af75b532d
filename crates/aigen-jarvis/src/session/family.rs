//! All branches of one session.
//!
//! They go in rounds. When every branch that is in a pass has its logits, all of them are asked
//! in the order of their numbers, until each wants the next pass, is suspended or is over; only
//! then does any of them go on. So what a branch finds in the variables, and which numbers its
//! children get, does not depend on who was computed beside whom. Where a controller is not
//! ready or a token not paid for yet, the session waits as a whole, and nobody else does.

mod recalled;

use std::collections::VecDeque;

use aigen_engine::{EngineError, Start, Step};

use self::recalled::Recalled;
use super::branch::{Activity, Branch, Next};
use super::common::Common;
use super::outlet::News;
use super::output::nothing_kept;
use super::record::Record;
use super::suspension::Suspension;
use crate::context::{Shown, check_json};
use crate::limits::OUTCOME_BYTES_MAX;
use crate::{BranchId, Choice, Cut, Ending, Fault, Finish, Log, Traced, Wake};

pub(super) struct Family {
    pub common: Common,
    branches: Vec<Branch>,
    /// Who decides next.
    turn: usize,
    /// Everybody has decided, and whoever has an order may get it.
    settled: bool,
    /// Others than the one that is called may have something new to do.
    released: bool,
    /// How often everybody had decided.
    rounds: u64,
    alarms: Vec<(u64, BranchId)>,
    /// What it was given, if it is to be kept.
    pub log: Option<Log>,
    /// So the session ends, once its controller has said its last word.
    halt: Option<Halt>,
    /// It was ended from outside in this call to a controller, which has not ended yet.
    recalled: Option<Recalled>,
    /// It was ended so, and the call has ended.
    cut: Option<Cut>,
    /// A controller was asked for its last word.
    last_word_begun: bool,
    pub program: aigen_types::Digest,
}

/// Why the session is over, and which branch is the answer; `None` where it is the only one
/// that is left, if so.
pub(super) struct Halt {
    finish: Finish,
    answer: Option<BranchId>,
}

/// What a seat does next.
pub(super) enum Order {
    Engine(Step),
    Fork(Vec<BranchId>),
    Wait,
    Done,
}

type Progress = Result<(), Halt>;

impl Family {
    pub fn new(common: Common, first: Branch, program: aigen_types::Digest) -> Self {
        Self {
            common,
            branches: vec![first],
            turn: 0,
            settled: false,
            released: false,
            rounds: 0,
            alarms: Vec::new(),
            log: None,
            halt: None,
            recalled: None,
            cut: None,
            last_word_begun: false,
            program,
        }
    }

    /// Decided now, the first mask can be computed while the prompt is read. `false` where that failed, and nothing
    /// needs to be read: the session ends once it is known how much was.
    pub fn started(&mut self, start: Start) -> bool {
        self.common.cached_prompt_tokens = start.cached_prompt_tokens;
        let Start {
            prompt_tokens,
            cached_prompt_tokens,
        } = start;
        self.common
            .outlet
            .started(prompt_tokens, cached_prompt_tokens);
        match self.settle() {
            Err(halt) if matches!(halt.finish, Finish::Fault(_)) => {
                self.halt = Some(halt);
                false
            }
            progress => {
                self.note(progress);
                true
            }
        }
    }

    /// Computes the masks that the branch, and those that it forks into, will need.
    pub fn prepare(&mut self, branch: BranchId) {
        let mut wanted = vec![branch];
        while let Some(id) = wanted.pop() {
            let branch = &mut self.branches[index(id)];
            wanted.extend(&branch.forking);
            branch.prepare();
        }
    }

    /// The branch's logits are there.
    pub fn arrived(&mut self, branch: BranchId, logits: &mut [f32]) -> Order {
        if self.is_halted() {
            self.conclude();
            return self.order(branch);
        }
        let children = self.seat_children(branch);
        if !children.is_empty() {
            return Order::Fork(children);
        }
        let progress = self.arrive(branch, logits);
        self.note(progress);
        self.order(branch)
    }

    /// Somebody woke the session.
    pub fn resumed(&mut self, branch: BranchId) -> Order {
        if self.is_halted() {
            self.conclude();
        } else if !self.settled || self.has_rung() {
            let progress = self.settle();
            self.note(progress);
        }
        self.order(branch)
    }

    pub fn fork_refused(&mut self, branch: BranchId, free: u32) -> Order {
        let unseated = self.branches.iter().filter(|branch| !branch.seated);
        let wanted = u32::try_from(unseated.count()).unwrap_or(u32::MAX);
        if self.failed(&EngineError::SequencesExhausted { wanted, free }) {
            self.await_recalled(true);
        }
        self.order(branch)
    }

    /// Whether somebody has to be waited for.
    pub fn is_blocked(&self) -> bool {
        (self.halt.is_some() || !self.settled) && !self.is_finished()
    }

    /// Goes on by one round with what the model chose then; `false` once the session is over.
    pub fn replay_round(&mut self, choices: &mut [VecDeque<Choice>], log: &Log) -> bool {
        if self.is_halted() {
            self.conclude();
            return !self.is_finished();
        }
        let progress = if !self.settled {
            self.settle()
        } else if self.awaits() {
            self.arrive_again(choices, log)
        } else {
            self.ring_again(log)
        };
        self.note(progress);
        !self.is_finished()
    }

    /// Everybody's logits are there again, as far as they were.
    fn arrive_again(&mut self, choices: &mut [VecDeque<Choice>], log: &Log) -> Progress {
        for branch in self.branches.iter_mut().filter(|branch| branch.computing) {
            branch.order = None;
            branch.forking.clear();
            let chosen = choices.get_mut(index(branch.id));
            if !branch.is_sampling(&mut self.common) {
                branch.computing = false;
            } else if let Some(choice) = chosen.and_then(VecDeque::pop_front) {
                branch.computing = false;
                branch.take(choice, &mut self.common)?;
            }
        }
        match self.awaits() {
            true => Err(log.finish.clone().into()),
            false => {
                self.set_off(log);
                self.settle()
            }
        }
    }

    fn set_off(&mut self, log: &Log) {
        let due = log.alarms.iter().filter(|(round, _)| *round == self.rounds);
        for (_, branch) in due {
            if let Some(Suspension::Alarm { alarm, .. }) =
                self.branches[index(*branch)].suspension()
            {
                alarm.go_off();
            }
        }
    }

    /// Nobody computes: somebody's time came, or the session was ended from outside.
    fn ring_again(&mut self, log: &Log) -> Progress {
        self.set_off(log);
        match self.has_rung() {
            true => self.settle(),
            false => Err(log.finish.clone().into()),
        }
    }

    /// The children that the branch has now copies of itself made for.
    fn seat_children(&mut self, branch: BranchId) -> Vec<BranchId> {
        let mut children = std::mem::take(&mut self.branches[index(branch)].forking);
        children.retain(|&child| !self.branches[index(child)].is_gone());
        for &child in &children {
            self.branches[index(child)].seated = true;
        }
        children
    }

    fn arrive(&mut self, branch: BranchId, logits: &mut [f32]) -> Progress {
        let arrived = &mut self.branches[index(branch)];
        arrived.computing = false;
        if !self.settled {
            if !arrived.is_over() {
                arrived.kept = Some(logits.to_vec());
            }
            return Ok(());
        }
        arrived.consume(logits, &mut self.common)?;
        match self.awaits() {
            true => Ok(()),
            false => self.settle(),
        }
    }

    /// Has everybody decide, as far as it goes.
    fn settle(&mut self) -> Progress {
        loop {
            if std::mem::take(&mut self.settled) {
                self.ring();
            }
            if !self.sweep()? {
                return Ok(());
            }
            (self.settled, self.released) = (true, true);
            self.rounds += 1;
            let kept = self.consume_kept()?;
            if self.awaits() {
                return Ok(());
            }
            if !kept {
                return self.check_that_somebody_goes_on();
            }
        }
    }

    /// Asks everybody in order until nobody has anything to decide; `false` if somebody has to
    /// be waited for.
    fn sweep(&mut self) -> Result<bool, Halt> {
        loop {
            while self.turn < self.branches.len() {
                self.rouse(self.turn);
                if !self.advance(self.turn)? {
                    return Ok(false);
                }
                self.turn += 1;
            }
            self.turn = 0;
            if !(0..self.branches.len()).any(|at| self.is_roused(at)) {
                return Ok(true);
            }
        }
    }

    /// Goes on with one branch as far as it goes; `false` if it has to be waited for.
    fn advance(&mut self, at: usize) -> Result<bool, Halt> {
        loop {
            let branch = &mut self.branches[at];
            let next = branch.turn(&mut self.common).map_err(|finish| {
                let answer = (finish == Finish::Stop).then_some(branch.id);
                Halt { finish, answer }
            })?;
            match next {
                Next::Again => {}
                Next::Settled => return Ok(true),
                Next::Blocked => return Ok(false),
                Next::Fork(count) if !self.fork(at, count)? => return Ok(false),
                Next::Fork(_) => {}
                Next::Over => self.abandon(at),
            }
        }
    }

    /// Makes the children; `false` if it is not known yet whether they can be paid for.
    fn fork(&mut self, at: usize, count: u32) -> Result<bool, Fault> {
        if !self.common.affords(count)? {
            return Ok(false);
        }
        let parent = &mut self.branches[at];
        parent.want_logits();
        parent.output.share();
        let first = self.common.usage.branches + 1;
        let mut children = Vec::new();
        for member in 1..=count {
            let id = first + member - 1;
            let mut child = parent.child(id, member)?;
            child.forked(first, member);
            self.common.context.fork(parent.id, id, child.path());
            children.push(child);
        }
        let (id, position) = (parent.id, parent.output.position());
        let forked = Traced::Forked {
            first,
            branches: count,
        };
        self.common.outlet.trace(id, position, forked);
        parent.forking.extend(children.iter().map(|child| child.id));
        parent.forked(first, 0);
        self.common.usage.branches += count;
        self.common.alive += count;
        self.branches.extend(children);
        Ok(true)
    }

    /// The branch is over and not the answer.
    fn abandon(&mut self, at: usize) {
        let branch = &mut self.branches[at];
        branch.activity = Activity::Over;
        branch.over(false, &mut self.common);
        branch.release(&mut self.common);
        branch.output.abandon(&mut self.common.usage);
        branch.kept = None;
        if branch.is_gone() {
            branch.order = None;
            branch.computing = false;
        }
        self.common.alive -= 1;
    }

    /// Whether somebody's time has come, while nobody computes.
    fn has_rung(&self) -> bool {
        let rings = |branch: &Branch| branch.suspension().is_some_and(Suspension::rings);
        !self.awaits() && self.branches.iter().any(rings)
    }

    /// Those whose time has come may go on. Only looked at here, so that a replay can say when.
    fn ring(&mut self) {
        for branch in &mut self.branches {
            if let Activity::Suspended(suspension) = &mut branch.activity
                && suspension.ring()
            {
                self.alarms.push((self.rounds, branch.id));
            }
        }
    }

    fn rouse(&mut self, at: usize) {
        if self.is_roused(at) {
            self.branches[at].activity = Activity::Deciding(Wake::Resumed);
        }
    }

    fn is_roused(&self, at: usize) -> bool {
        let branch = &self.branches[at];
        let is_over = |id| self.branches.get(index(id)).is_some_and(Branch::is_over);
        let suspension = branch.suspension();
        suspension.is_some_and(|suspension| suspension.is_over(branch.id, &self.common, is_over))
    }

    /// Hands out logits that came too early; whether there were any.
    fn consume_kept(&mut self) -> Result<bool, Halt> {
        let mut any = false;
        for branch in &mut self.branches {
            let Some(mut logits) = branch.kept.take() else {
                continue;
            };
            any = true;
            // Copies are made while the engine has the logits, so they are computed again.
            match branch.forking.is_empty() {
                true => branch.consume(&mut logits, &mut self.common)?,
                false => branch.want_logits(),
            }
        }
        Ok(any)
    }

    /// Whether anybody's logits are to come.
    fn awaits(&self) -> bool {
        self.branches.iter().any(|branch| branch.computing)
    }

    fn check_that_somebody_goes_on(&self) -> Progress {
        let waits_for_time =
            |branch: &Branch| matches!(branch.suspension(), Some(Suspension::Alarm { .. }));
        if self.common.alive == 0 {
            Err(Finish::Stop.into())
        } else if self.branches.iter().any(waits_for_time) {
            Ok(())
        } else {
            Err(Finish::from(Fault::Deadlock).into())
        }
    }

    /// Ends the session if it is to end, and tells what is new.
    fn note(&mut self, progress: Progress) {
        match progress {
            Ok(()) => {
                let news = self.news();
                self.common.outlet.tell(news, self.common.usage);
            }
            Err(halt) => {
                self.halt = Some(halt);
                self.conclude();
            }
        }
    }

    /// What may be shown now: with several branches alive nobody knows whose text it will be.
    fn news(&mut self) -> News {
        let (alone, retracts) = (self.common.alive == 1, self.common.outlet.retracts());
        let mut alive = self.branches.iter_mut().filter(|branch| !branch.is_over());
        let text = match alive.next() {
            Some(branch) if retracts => branch.output.transcript.visible(),
            Some(branch) if alone => branch.output.release(),
            _ => String::new(),
        };
        let only = self.branches.iter_mut().find(|branch| !branch.is_over());
        let logprobs = only
            .filter(|_| alone)
            .map(|branch| std::mem::take(&mut branch.logprobs));
        News {
            text,
            logprobs: logprobs.unwrap_or_default(),
            reasoning: self.branches[0].output.reason(),
        }
    }

    /// What the branch does next. Whoever else has something new to do is woken.
    fn order(&mut self, branch: BranchId) -> Order {
        let called = index(branch);
        let others = self.branches.iter().enumerate();
        let mut others = others.filter(|(at, other)| *at != called && other.seated);
        if std::mem::take(&mut self.released) && others.next().is_some() {
            self.common.context.waker().wake();
        }
        let finished = self.is_finished();
        let branch = &mut self.branches[called];
        if finished || branch.is_gone() {
            branch.seated = false;
            return Order::Done;
        }
        match branch
            .order
            .take_if(|_| self.settled && self.halt.is_none())
        {
            Some(step) => Order::Engine(step),
            None => Order::Wait,
        }
    }

    fn is_finished(&self) -> bool {
        self.common.outlet.finished()
    }

    /// Whether it is over, or only a last word is waited for.
    fn is_halted(&self) -> bool {
        self.halt.is_some() || self.is_finished()
    }

    /// Ends the session that is to end, if its controller has said its last word.
    fn conclude(&mut self) {
        if self.recalled.is_some() {
            return;
        }
        let Some(Halt { finish, answer }) = self.halt.take() else {
            return;
        };
        if self.is_finished() {
            return;
        }
        let finish = self.begin_last_word(self.replayed_end(finish));
        let answer = match finish {
            Finish::Stop => answer,
            _ => self.only(),
        };
        match self.last_word(&finish, answer) {
            Some(said) => self.finish(finish, answer, said),
            None => self.halt = Some(Halt { finish, answer }),
        }
    }

    fn finish(&mut self, finish: Finish, answer: Option<BranchId>, said: Result<String, Fault>) {
        self.released = true;
        let (finish, outcome) = match said.and_then(checked) {
            Ok(outcome) => (finish, outcome),
            Err(fault) => (fault.into(), String::new()),
        };
        let mut ending = Ending {
            finish,
            usage: nothing_kept(self.common.usage),
            unread_prompt_tokens: self.common.unread_prompt_tokens,
            ..Ending::crashed()
        };
        let last = &self.branches[answer.map_or(0, index)];
        self.common.trace_log(last.output.position());
        self.branches[0].output.shown = Shown::Answer;
        let reasoning = self.branches[0].output.reason();
        let news = match answer {
            Some(id) => self.keep(id, &mut ending),
            None => News::default(),
        };
        let news = News { reasoning, ..news };
        self.sum_up(&mut ending, outcome);
        self.common.outlet.end(news, ending);
    }

    /// Where the cover ends in a replay, the session may have been waiting for more of it when
    /// it was ended otherwise.
    fn replayed_end(&self, finish: Finish) -> Finish {
        let uncovered = matches!(
            finish,
            Finish::Budget | Finish::Fault(Fault::ForkUnaffordable { .. })
        );
        match &self.common.replayed_end {
            Some(end) if uncovered => end.clone(),
            _ => finish,
        }
    }

    /// The branch is the answer.
    fn keep(&mut self, id: BranchId, ending: &mut Ending) -> News {
        let branch = &mut self.branches[index(id)];
        branch.over(true, &mut self.common);
        let cut = ending.finish == Finish::StopString;
        let complete = branch.grammar_complete();
        ending.usage = branch.output.kept(self.common.usage);
        ending.grammar_complete = complete.map(|complete| complete && !cut);
        ending.closed_early = branch.closed_early;
        ending.reason = branch.reason;
        ending.branch = Some(id);
        News {
            text: match self.common.outlet.retracts() {
                true => branch.output.transcript.whole(),
                false => branch.output.transcript.finish(),
            },
            logprobs: std::mem::take(&mut branch.logprobs),
            reasoning: String::new(),
        }
    }

    /// The branch that is left, if it is one.
    fn only(&self) -> Option<BranchId> {
        let mut alive = self.branches.iter().filter(|branch| !branch.is_over());
        match (alive.next(), alive.next()) {
            (Some(branch), None) => Some(branch.id),
            _ => None,
        }
    }

    /// What the controller says in the end; `None` while it is still computing.
    fn last_word(
        &mut self,
        finish: &Finish,
        answer: Option<BranchId>,
    ) -> Option<Result<String, Fault>> {
        let Some(answer) = answer.filter(|_| is_said(finish)) else {
            return Some(Ok(String::new()));
        };
        let began = std::time::Instant::now();
        let said = self.branches[index(answer)].controller.finish();
        self.common.overhead += began.elapsed();
        // What went beyond a bound ends the session, whatever the controller made of it.
        said.map(|said| self.common.context.fault().map_or(said, Err))
    }

    fn sum_up(&mut self, ending: &mut Ending, outcome: String) {
        let records = self.branches.iter().map(|branch| &branch.record);
        let (prompt, seed) = (&self.common.prompt, self.common.sampling.seed);
        ending.decisions = Record::session(self.program, prompt, seed, records, &outcome);
        let micros = self.common.overhead.as_micros();
        ending.controller_micros = u64::try_from(micros).unwrap_or(u64::MAX);
        ending.guest = self.common.context.used().guest;
        let (exchanges, asked) = self.common.context.take_exchanges();
        ending.asked = asked;
        ending.late_steps = self.common.late_steps;
        let (log, results) = self.common.context.take_notes();
        ending.log = log;
        ending.results = results;
        ending.outcome = Some(outcome).filter(|outcome| !outcome.is_empty());
        ending.replay = self.log.take().map(|mut log| {
            log.cached_prompt_tokens = self.common.cached_prompt_tokens;
            log.covered = self.common.cover.tokens();
            log.left = std::mem::take(&mut self.common.left);
            log.alarms = std::mem::take(&mut self.alarms);
            let branches = self.branches.iter_mut();
            log.branches = branches
                .map(|branch| std::mem::take(&mut branch.choices))
                .collect();
            log.exchanges = exchanges;
            log.finish = ending.finish.clone();
            log.cut = self.cut;
            Box::new(log)
        });
    }
}

/// A last word that a caller can be given: nothing, or JSON.
pub(super) fn checked(outcome: String) -> Result<String, Fault> {
    if outcome.is_empty() {
        return Ok(outcome);
    }
    if outcome.len() > OUTCOME_BYTES_MAX {
        let (is, most) = (outcome.len(), OUTCOME_BYTES_MAX);
        let reason = format!("the outcome has {is} bytes, and {most} is the most");
        return Err(Fault::ResultInvalid { reason });
    }
    check_json("the outcome", &outcome).map(|()| outcome)
}

/// Whether a controller has a last word about such an end.
pub(super) fn is_said(finish: &Finish) -> bool {
    !matches!(finish, Finish::Fault(_) | Finish::Cancelled)
}

fn index(branch: BranchId) -> usize {
    usize::try_from(branch).unwrap_or(usize::MAX)
}

impl From<Finish> for Halt {
    fn from(finish: Finish) -> Self {
        let answer = None;
        Self { finish, answer }
    }
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Finish::from(fault).into()
    }
}
