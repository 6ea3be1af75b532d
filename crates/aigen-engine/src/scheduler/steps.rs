//! Asking drivers and doing what they say; the ends of branches and sessions.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;

use super::aside::{Call, Errand, Return};
use super::branch::{Branch, Guarded};
use super::handle::SessionId;
use super::load::Doing;
use super::run::Scheduler;
use super::{Input, Step};
use crate::{EngineError, Failure};

/// Why a branch is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The last pass brought its logits, as feed of this number.
    Logits { feed: usize },
    /// It was woken.
    Resumed,
    /// Its fork was refused with so many sequences left.
    Refused { free: u32 },
}

type Calls = VecDeque<(usize, Cause)>;

impl Scheduler {
    /// Asks branches, those they fork included, until each has tokens to compute,
    /// waits or is over.
    pub(super) fn ask_all(&mut self, mut calls: Calls) {
        while let Some((slot, cause)) = calls.pop_front() {
            if let Some(step) = self.ask(slot, cause) {
                self.act(slot, step, cause, &mut calls);
            }
        }
    }

    /// Does what the driver said when it was asked for this cause.
    fn act(&mut self, slot: usize, step: Step, cause: Cause, calls: &mut Calls) {
        match step {
            Step::Feed(feed) => self.replace(slot, 0, &feed),
            Step::Backtrack { remove, feed } => self.replace(slot, remove, &feed),
            Step::Fork(drivers) => self.fork(slot, drivers, cause, calls),
            Step::Wait => self.wait(slot, calls),
            Step::Done => self.end_done(slot),
        }
    }

    /// `None` when the driver panicked, or is asked aside.
    fn ask(&mut self, slot: usize, cause: Cause) -> Option<Step> {
        let branch = self.slots[slot].as_mut()?;
        if self.aside.takes(branch.tenant) {
            let call = match cause {
                Cause::Logits { feed } => Call::Logits(self.memory.engine.logits(feed).to_vec()),
                Cause::Resumed => Call::Resumed,
                Cause::Refused { free } => Call::Refused { free },
            };
            self.ask_aside(slot, call);
            return None;
        }
        let before = self.watch.turn_to(Doing::Session, &self.gauges);
        let input = match cause {
            Cause::Logits { feed } => Input::Logits(self.memory.engine.logits(feed)),
            Cause::Resumed => Input::Resumed,
            Cause::Refused { free } => Input::ForkRefused { free },
        };
        let answer = branch.driver.next(input);
        self.turn_to(before);
        self.note_spent(slot);
        if answer.is_err() {
            self.end_panicked(slot);
        }
        answer.ok()
    }

    /// Has the branch's driver asked on another thread; until it is back the branch is in no pass.
    pub(super) fn ask_aside(&mut self, slot: usize, call: Call) {
        let Some(branch) = self.slots[slot].as_mut() else {
            return;
        };
        branch.away = true;
        self.aside.send(Errand {
            slot,
            age: branch.age,
            tenant: branch.tenant,
            driver: branch.driver.lend(),
            call,
        });
    }

    /// A driver is back from another thread.
    pub(super) fn welcome(&mut self, back: Return) {
        let Some(back) = self.aside.welcome(back) else {
            return;
        };
        let slot = back.slot;
        let Some(branch) = self.slots[slot].as_mut() else {
            return;
        };
        debug_assert_eq!(branch.age, back.age, "who ends while it is away is noted");
        (branch.away, branch.driver) = (false, back.driver);
        let mut calls = Calls::new();
        match back.answer {
            Ok(Some(step)) => self.act(slot, step, back.cause, &mut calls),
            Ok(None) => {}
            Err(_) => self.end_panicked(slot),
        }
        self.ask_all(calls);
    }

    /// Looks how long the branch's driver took.
    pub(super) fn note_spent(&mut self, slot: usize) {
        if let Some(branch) = self.slots[slot].as_mut() {
            self.aside.note(branch.tenant, branch.driver.take_spent());
        }
    }

    /// Tells the driver of a branch that is over why, where it does not know. What a driver holds
    /// may take as long to clear away as to ask.
    fn dismiss(&mut self, mut branch: Branch, error: Option<&EngineError>) {
        match error.map(|error| branch.failure(error)) {
            Some(failure) if branch.away => self.aside.end(branch.age, failure),
            failure if self.aside.takes(branch.tenant) => self.aside.send(Errand {
                slot: usize::MAX,
                age: branch.age,
                tenant: branch.tenant,
                driver: branch.driver.lend(),
                call: Call::Over(failure),
            }),
            Some(failure) => drop(branch.driver.next(Input::Failed(&failure))),
            None => {}
        }
    }

    fn replace(&mut self, slot: usize, remove: u32, feed: &[crate::TokenId]) {
        let Some(branch) = self.slots[slot].as_mut() else {
            return;
        };
        if let Err(error) = branch.replace(&mut self.memory, remove, feed) {
            self.end_branch(slot, &error);
        }
    }

    fn wait(&mut self, slot: usize, calls: &mut Calls) {
        let Some(branch) = self.slots[slot].as_mut() else {
            return;
        };
        if std::mem::take(&mut branch.woken) {
            calls.push_front((slot, Cause::Resumed));
        } else {
            branch.waiting = true;
        }
    }

    /// Copies the branch for each driver, all or none, and has everybody asked.
    fn fork(
        &mut self,
        slot: usize,
        drivers: Vec<Box<dyn super::Driver>>,
        cause: Cause,
        calls: &mut Calls,
    ) {
        let drivers: Vec<Guarded> = drivers.into_iter().map(Guarded::new).collect();
        let free = self.free_for(slot);
        let wanted = drivers.len() as u32;
        if wanted > 0 && wanted <= free {
            let siblings = drivers
                .into_iter()
                .filter_map(|driver| self.copy(slot, driver));
            let family: Vec<usize> = std::iter::once(slot)
                .chain(siblings.collect::<Vec<_>>())
                .collect();
            return self.ask_family(&family, cause, calls);
        }
        match cause {
            Cause::Refused { .. } => {
                self.end_branch(slot, &EngineError::SequencesExhausted { wanted, free });
            }
            _ => calls.push_front((slot, Cause::Refused { free })),
        }
    }

    fn copy(&mut self, slot: usize, driver: Guarded) -> Option<usize> {
        let to = self.free_slot()?;
        let age = self.next_age();
        let parent = self.slots[slot].as_ref()?;
        // One that gave way while it waited has nothing to share, nor has its copy.
        let sequence = parent.sequence.map(|from| {
            let to = self.memory.take();
            self.memory.fork(from, to);
            to
        });
        self.slots[to] = Some(parent.sibling(sequence, age, driver));
        Some(to)
    }

    /// The logits the parent was asked with serve the whole family; where there
    /// were none, everybody computes the last token again.
    fn ask_family(&mut self, family: &[usize], cause: Cause, calls: &mut Calls) {
        match cause {
            Cause::Logits { .. } => {
                family
                    .iter()
                    .rev()
                    .for_each(|&slot| calls.push_front((slot, cause)));
            }
            Cause::Resumed | Cause::Refused { .. } => {
                family.iter().for_each(|&slot| self.replace(slot, 0, &[]));
            }
        }
    }

    pub(super) fn wake(&mut self, session: SessionId) {
        for submission in self.line.iter_mut() {
            submission.woken |= submission.session == session;
        }
        let mut calls = Calls::new();
        for (slot, branch) in self.slots.iter_mut().enumerate() {
            match branch {
                Some(branch) if branch.session != session => {}
                Some(branch) if branch.waiting => {
                    branch.waiting = false;
                    calls.push_back((slot, Cause::Resumed));
                }
                Some(branch) => branch.woken = true,
                None => {}
            }
        }
        self.ask_all(calls);
    }

    /// Ends every branch of the session, or takes it out of the line.
    pub(super) fn end_session(&mut self, session: SessionId, error: &EngineError) {
        for slot in self.branches_of(session) {
            self.end_branch(slot, error);
        }
        if let Some(mut waiting) = self.line.remove(session) {
            self.sessions.fetch_sub(1, Ordering::AcqRel);
            let _ = waiting.driver.next(Input::Failed(&Failure {
                error: error.clone(),
                unread: waiting.prompt.len() as u32,
            }));
        }
    }

    /// Ends these sessions, if all of them wait to begin: in the line, or for what another computes.
    pub(super) fn withdraw(&mut self, sessions: &[SessionId]) {
        let unbegun = self.slots.iter().flatten().filter(|branch| !branch.begun);
        let line = self.line.iter().map(|waiting| waiting.session);
        let waiting: BTreeSet<_> = unbegun.map(|branch| branch.session).chain(line).collect();
        if sessions.iter().all(|session| waiting.contains(session)) {
            for session in sessions {
                self.end_session(*session, &EngineError::Cancelled);
            }
        }
    }

    pub(super) fn end_branch(&mut self, slot: usize, error: &EngineError) {
        // After a pass that failed nobody knows what is in the sequence.
        let sound = *error == EngineError::Cancelled;
        if let Some(branch) = self.vacate(slot, sound) {
            self.dismiss(branch, Some(error));
        }
    }

    /// The branch is over, and knows it.
    pub(super) fn end_done(&mut self, slot: usize) {
        if let Some(branch) = self.vacate(slot, true) {
            self.dismiss(branch, None);
        }
    }

    pub(super) fn end_panicked(&mut self, slot: usize) {
        if let Some(branch) = self.vacate(slot, false) {
            self.end_session(branch.session, &EngineError::DriverPanicked);
        }
    }

    /// Gives up the branch's sequence, to be kept if it is `sound`, and its session's place
    /// after the last branch.
    fn vacate(&mut self, slot: usize, sound: bool) -> Option<Branch> {
        let branch = self.slots[slot].take()?;
        match branch.sequence {
            Some(sequence) if sound => {
                let tokens = branch.fed().to_vec();
                self.memory.keep(branch.tenant, sequence, tokens);
            }
            Some(sequence) => self.memory.free(sequence),
            None => {}
        }
        if self.branches_of(branch.session).is_empty() {
            self.reserved.remove(&branch.session);
            self.sessions.fetch_sub(1, Ordering::AcqRel);
        }
        Some(branch)
    }

    fn branches_of(&self, session: SessionId) -> Vec<usize> {
        let branches = self.slots.iter().enumerate();
        let own =
            branches.filter(|(_, branch)| branch.as_ref().is_some_and(|b| b.session == session));
        own.map(|(slot, _)| slot).collect()
    }

    pub(super) fn free_slot(&self) -> Option<usize> {
        self.slots.iter().position(Option::is_none)
    }

    /// Sequences neither held nor reserved by anybody.
    pub(super) fn unreserved(&self) -> u32 {
        let free = self.slots.iter().filter(|branch| branch.is_none()).count() as u32;
        let unclaimed: u32 = self
            .reserved
            .keys()
            .map(|&session| self.unclaimed(session))
            .sum();
        free - unclaimed
    }

    /// Sequences the session reserved and does not hold.
    fn unclaimed(&self, session: SessionId) -> u32 {
        let reserved = self.reserved.get(&session).copied().unwrap_or(0);
        reserved.saturating_sub(self.branches_of(session).len() as u32)
    }

    /// Sequences a fork of the branch may take.
    fn free_for(&self, slot: usize) -> u32 {
        let session = self.slots[slot].as_ref().map(|branch| branch.session);
        self.unreserved() + session.map_or(0, |session| self.unclaimed(session))
    }
}
