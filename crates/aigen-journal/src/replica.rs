//! The journal's single-threaded heart: apply a batch, append its record, follow what others
//! append. It has no clock, thread or channel of its own, so that the simulator drives the very
//! code that a node runs.

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::machine::Machine;
use crate::record::{Origin, Record, Tip};
use crate::replay::{Answer, Recovery, apply, recover};
use crate::store::{Store, StoreError};
use aigen_network::Network;
use aigen_types::Timestamp;
use std::fmt;
use std::sync::{Arc, RwLock};

/// A record that was applied and is not durable yet.
#[derive(Debug)]
pub struct Applied {
    /// What has to be appended before anyone hears of the answers.
    pub record: Record,
    /// One list per batch, one answer per command.
    pub answers: Vec<Vec<Answer>>,
}

/// A network and the journal it comes from.
pub struct Replica {
    store: Box<dyn Store>,
    machine: Machine,
}

impl Replica {
    /// Recovers the state that `store` leads to. `progress` is told each record's number.
    ///
    /// # Errors
    /// The first record that cannot be trusted, by number.
    pub fn open(
        store: Box<dyn Store>,
        mut progress: impl FnMut(u64),
    ) -> Result<(Self, Recovery), StoreError> {
        let (replayed, recovery) = recover(store.as_ref(), |record, _| progress(record.seq))?;
        let machine = Machine::new(replayed);
        Ok((Self { store, machine }, recovery))
    }

    /// The state, to be shared with readers. What they see may not be durable yet.
    #[must_use]
    pub fn network(&self) -> Arc<RwLock<Network>> {
        self.machine.network()
    }

    /// The last record applied.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.machine.tip()
    }

    /// The state after the last record applied, to be saved once that is durable.
    ///
    /// # Panics
    /// When a reader panicked while it held the state.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.machine.checkpoint()
    }

    /// The record that holds this batch of this node, if it was applied already.
    #[must_use]
    pub fn holds(&self, origin: &Origin) -> Option<u64> {
        self.machine.holds(origin)
    }

    /// Applies batches as the next record, at ledger time `now`; an earlier time than the last
    /// record's counts as that. No batch may be [held](Self::holds) already. The record must be
    /// [appended](Self::append) next, and until it is the answers are nobody's to know.
    ///
    /// # Panics
    /// When a reader panicked while it held the state.
    pub fn apply(&mut self, now: Timestamp, batches: &[Batch]) -> Applied {
        let mut filling = self.machine.begin(now);
        let fill = |batch| self.machine.fill(&mut filling, batch);
        let answers = batches.iter().map(fill).collect();
        let record = self.machine.seal(filling);
        Applied { record, answers }
    }

    /// Makes the record that was just applied durable.
    ///
    /// # Errors
    /// See [`Store::append`]. After [`StoreError::Unreachable`] the same append may be tried again;
    /// after [`StoreError::Conflict`] the state is ahead of a journal that went another way, and
    /// only [`Replica::reload`] helps.
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        self.store.append(record)
    }

    /// Both: apply, append.
    ///
    /// # Errors
    /// As [`Replica::append`].
    pub fn commit(
        &mut self,
        now: Timestamp,
        batches: &[Batch],
    ) -> Result<Vec<Vec<Answer>>, StoreError> {
        let Applied { record, answers } = self.apply(now, batches);
        self.append(&record)?;
        Ok(answers)
    }

    /// Applies what others have appended, and tells `on_record` of each record and the answers
    /// to its commands. Returns how many records.
    ///
    /// # Errors
    /// The first record that cannot be trusted, by number; one that does not continue the last
    /// one applied is such a record.
    ///
    /// # Panics
    /// When a reader panicked while it held the state.
    pub fn catch_up(
        &mut self,
        mut on_record: impl FnMut(&Record, &[Answer]),
    ) -> Result<u64, StoreError> {
        let mut followed = 0;
        let machine = &mut self.machine;
        self.store.read_after(machine.tip(), &mut |record| {
            let answers = machine.follow(&record, |network| apply(network, &record))?;
            followed += 1;
            on_record(&record, &answers);
            Ok(())
        })?;
        Ok(followed)
    }

    /// Forgets the state and recovers it from the store: what was applied and never became
    /// durable is gone. `on_record` is told what [`Replica::catch_up`] tells.
    ///
    /// # Errors
    /// The first record that cannot be trusted, by number.
    ///
    /// # Panics
    /// When a reader panicked while it held the state.
    pub fn reload(
        &mut self,
        on_record: impl FnMut(&Record, &[Answer]),
    ) -> Result<Recovery, StoreError> {
        let (replayed, recovery) = recover(self.store.as_ref(), on_record)?;
        self.machine.replace(replayed);
        Ok(recovery)
    }

    /// The state, and where it is kept.
    pub(crate) fn split(self) -> (Machine, Box<dyn Store>) {
        (self.machine, self.store)
    }

    /// Where it is kept.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("tip", &self.tip())
            .finish_non_exhaustive()
    }
}
