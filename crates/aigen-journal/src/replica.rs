//! The journal's single-threaded heart: apply a batch, append its record, follow what others
//! append. It has no clock, thread or channel of its own, so that the simulator drives the very
//! code that a node runs.

use crate::codec::{DecodeError, Wire};
use crate::record::{Origin, Record, Tip, decode};
use crate::replay::{Answer, Recovery, Replayed, apply, recover};
use crate::sessions::Sessions;
use crate::store::{Store, StoreError};
use aigen_network::{Command, Network};
use aigen_types::{NodeId, Timestamp};
use std::fmt;
use std::sync::{Arc, RwLock};

/// Commands that go into one record together, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    commands: Vec<Command>,
    /// Their serialised form, made by whoever asks so that the writer does not have to.
    body: Vec<u8>,
    origin: Option<Origin>,
}

impl Batch {
    /// A batch of the only writer there is.
    #[must_use]
    pub fn new(commands: Vec<Command>) -> Self {
        let mut body = Vec::new();
        commands.iter().for_each(|command| command.put(&mut body));
        Self {
            commands,
            body,
            origin: None,
        }
    }

    /// The same batch as number `batch` of `node`, which counts its batches from 1.
    #[must_use]
    pub fn from_node(self, node: NodeId, batch: u64) -> Self {
        let count = self.count();
        let origin = Some(Origin { node, batch, count });
        Self { origin, ..self }
    }

    /// Whose it is.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// What it holds.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Bytes it adds to a record.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Takes another batch in behind this one.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.commands.append(&mut other.commands);
        self.body.append(&mut other.body);
    }

    fn count(&self) -> u32 {
        u32::try_from(self.commands.len()).expect("batches are bounded")
    }

    /// The form in which it is forwarded; `None` for one without an origin.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(20 + self.body.len());
        self.origin?.put(&mut bytes);
        bytes.extend_from_slice(&self.body);
        Some(bytes)
    }

    /// Reads a forwarded batch.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let origin = Origin::take(&mut bytes)?;
        Ok(Self {
            commands: decode(origin.count, bytes)?,
            body: bytes.to_vec(),
            origin: Some(origin),
        })
    }
}

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
    network: Arc<RwLock<Network>>,
    sessions: Sessions,
    /// The last record applied, durable or not.
    tip: Tip,
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
        let replica = Self {
            store,
            network: Arc::new(RwLock::new(replayed.network)),
            sessions: replayed.sessions,
            tip: replayed.tip,
        };
        Ok((replica, recovery))
    }

    /// The state, to be shared with readers. What they see may not be durable yet.
    #[must_use]
    pub fn network(&self) -> Arc<RwLock<Network>> {
        Arc::clone(&self.network)
    }

    /// The last record applied.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// The record that holds this batch of this node, if it was applied already.
    #[must_use]
    pub fn holds(&self, origin: &Origin) -> Option<u64> {
        self.sessions.holds(origin.node, origin.batch)
    }

    /// Applies batches as the next record, at ledger time `now`; an earlier time than the last
    /// record's counts as that. No batch may be [held](Self::holds) already. The record must be
    /// [appended](Self::append) next, and until it is the answers are nobody's to know.
    ///
    /// # Panics
    /// When a reader panicked while it held the state.
    pub fn apply(&mut self, now: Timestamp, batches: &[Batch]) -> Applied {
        let mut network = self.network.write().expect("readers do not panic");
        let now = now.max(network.ledger().now());
        let seq = self.tip.seq + 1;
        let mut say = |command| network.apply(seq, now, command);
        let answers = batches
            .iter()
            .map(|batch| batch.commands.iter().map(&mut say).collect())
            .collect();
        drop(network);
        let record = record_of(self.tip, now, batches);
        self.sessions.note_all(&record);
        self.tip = record.tip();
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
        let (network, sessions, tip) = (&self.network, &mut self.sessions, &mut self.tip);
        self.store.read_after(*tip, &mut |record| {
            let mut network = network.write().expect("readers do not panic");
            let answers = apply(&mut network, &record)?;
            drop(network);
            sessions.note_all(&record);
            *tip = record.tip();
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
        let Replayed {
            network,
            sessions,
            tip,
            ..
        } = replayed;
        *self.network.write().expect("readers do not panic") = network;
        self.sessions = sessions;
        self.tip = tip;
        Ok(recovery)
    }

    /// Where it is kept.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }
}

fn record_of(tip: Tip, now: Timestamp, batches: &[Batch]) -> Record {
    let mut body = Vec::with_capacity(batches.iter().map(Batch::bytes).sum());
    let (mut count, mut origins) = (0, Vec::new());
    for batch in batches {
        count += batch.count();
        body.extend_from_slice(&batch.body);
        origins.extend(batch.origin);
    }
    Record::after(tip, now, origins, count, body)
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("tip", &self.tip)
            .finish_non_exhaustive()
    }
}
