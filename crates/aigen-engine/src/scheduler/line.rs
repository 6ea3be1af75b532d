//! The waiting line, fair between tenants.

use std::collections::BTreeMap;

use super::handle::{SessionId, Submission};
use super::memory::Tenant;

/// Start-time fair queueing (Goyal, Vin and Cheng 1996) with a session as the unit: every
/// session gets a number when it comes, the next one of its tenant, but none below that of the
/// session let in last; the lowest number is let in first, the earlier among equals. So a tenant
/// with a hundred sessions lets one of another go before its second, nobody saves up turns while
/// away, and nobody is overtaken for ever: numbers of newcomers grow.
#[derive(Default)]
pub(super) struct Line {
    /// Those who wait, in the order they came.
    waiting: Vec<(u64, Submission)>,
    /// The number of the last session of each tenant that has any waiting.
    last: BTreeMap<Tenant, u64>,
    /// The number of the session let in last.
    turn: u64,
}

impl Line {
    pub fn push(&mut self, submission: Submission) {
        let last = self.last.entry(submission.terms.tenant).or_insert(0);
        let number = (*last).max(self.turn) + 1;
        *last = number;
        self.waiting.push((number, submission));
    }

    /// Who is to be let in next.
    pub fn head(&self) -> Option<&Submission> {
        self.place().map(|place| &self.waiting[place].1)
    }

    pub fn pop(&mut self) -> Option<Submission> {
        let (number, submission) = self.waiting.remove(self.place()?);
        self.turn = self.turn.max(number);
        // A number at or below the turn has no say any more.
        let turn = self.turn;
        self.last.retain(|_, last| *last > turn);
        Some(submission)
    }

    pub fn remove(&mut self, session: SessionId) -> Option<Submission> {
        let mut waiting = self.waiting.iter();
        let place = waiting.position(|(_, submission)| submission.session == session)?;
        Some(self.waiting.remove(place).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Submission> {
        self.waiting.iter().map(|(_, submission)| submission)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Submission> {
        self.waiting.iter_mut().map(|(_, submission)| submission)
    }

    fn place(&self) -> Option<usize> {
        let numbers = self.waiting.iter().enumerate();
        let lowest = numbers.min_by_key(|(_, (number, _))| *number);
        lowest.map(|(place, _)| place)
    }
}
