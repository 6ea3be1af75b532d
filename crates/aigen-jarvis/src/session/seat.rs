use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aigen_engine::{Driver, Input, Start, Step};

use super::family::{Family, Order};
use crate::BranchId;

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

impl Driver for Seat {
    fn started(&mut self, start: Start) {
        self.lock().started(start);
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
            Input::Failed(error) => {
                family.failed(error);
                Order::Done
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
