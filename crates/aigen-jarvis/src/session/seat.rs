use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use aigen_engine::{Driver, Input, Start, Step};

use super::family::{Family, Order};
use crate::BranchId;
use crate::limits::RECALL_TIME_MAX;

/// A branch's place in the engine's scheduler.
pub(super) struct Seat {
    family: Arc<Mutex<Family>>,
    branch: BranchId,
}

impl Seat {
    /// The place of the first branch. The session lives as long as any of its seats.
    pub fn first(family: Arc<Mutex<Family>>) -> Self {
        let branch = 0;
        Self { family, branch }
    }

    fn lock(&self) -> MutexGuard<'_, Family> {
        lock(&self.family)
    }

    fn beside(&self, branch: BranchId) -> Box<dyn Driver> {
        let family = Arc::clone(&self.family);
        Box::new(Self { family, branch })
    }
}

/// A session that panicked is ended by the scheduler, and asked nothing more.
pub(super) fn lock(family: &Mutex<Family>) -> MutexGuard<'_, Family> {
    family.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a controller that is still computing where its session was ended: what it used is part of what the
/// session came to. Beside the engine's thread, which nobody holds up, and not for long: it is told.
fn await_recalled(family: &Arc<Mutex<Family>>) {
    let waits = Arc::clone(family);
    let wait = move || {
        lock(&waits).common.context.attach_thread();
        let until = Instant::now() + RECALL_TIME_MAX;
        while !lock(&waits).await_recalled(Instant::now() >= until) {
            // As a rule somebody unparks this thread first.
            thread::park_timeout(Duration::from_millis(20));
        }
    };
    let spawned = thread::Builder::new()
        .name("aigen-recall".to_owned())
        .spawn(wait);
    if spawned.is_err() {
        lock(family).await_recalled(true);
    }
}

impl Driver for Seat {
    fn started(&mut self, start: Start) -> bool {
        self.lock().started(start)
    }

    fn prepare(&mut self) {
        self.lock().prepare(self.branch);
    }

    fn next(&mut self, input: Input<'_>) -> Step {
        let mut family = self.lock();
        let order = match input {
            Input::Logits(logits) => family.arrived(self.branch, logits),
            Input::Resumed => family.resumed(self.branch),
            Input::ForkRefused { free } => family.fork_refused(self.branch, free),
            Input::Failed(failure) => {
                family.common.unread_prompt_tokens = failure.unread;
                let computes = family.failed(&failure.error);
                drop(family);
                if computes {
                    await_recalled(&self.family);
                }
                return Step::Done;
            }
        };
        drop(family);
        match order {
            Order::Engine(step) => step,
            Order::Fork(children) => Step::Fork(
                children
                    .into_iter()
                    .map(|child| self.beside(child))
                    .collect(),
            ),
            Order::Wait => Step::Wait,
            Order::Done => Step::Done,
        }
    }
}
