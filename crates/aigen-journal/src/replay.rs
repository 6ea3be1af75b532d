use crate::record::{Record, Tip};
use crate::sessions::Sessions;
use crate::shelf::FORM;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::spool::Spool;
use crate::store::{Store, StoreError};
use aigen_network::{Network, Refusal, Reply};
use aigen_types::Timestamp;

/// What a network asks for: rows and ids, of receipts and of transfers.
const SHELVES: usize = 4;

/// What the network says to one command. A refusal is part of the history: it was the answer then
/// and is the answer at every replay.
pub type Answer = Result<Reply, Refusal>;

/// A network rebuilt from its journal, and where the journal ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// The state after every record.
    pub network: Network,
    /// What every node has had written.
    pub sessions: Sessions,
    /// The last record.
    pub tip: Tip,
    /// Ledger time of the last record.
    pub timestamp: Timestamp,
}

/// How a state was recovered.
#[derive(Debug, Default)]
pub struct Recovery {
    /// The record whose snapshot it began from; none when it began from nothing.
    pub snapshot: Option<u64>,
    /// Commands that the snapshot had taken in.
    pub saved: u64,
    /// Records applied after it.
    pub replayed: u64,
    /// Snapshots that could not be trusted, newest first.
    pub refused: Vec<(u64, SnapshotError)>,
}

/// Applies every stored record to an empty network. `progress` is told each record's number.
///
/// # Errors
/// The first record that cannot be trusted, by number.
pub fn replay(store: &dyn Store, mut progress: impl FnMut(u64)) -> Result<Replayed, StoreError> {
    let mut replayed = Replayed::beside(store)?;
    replayed.follow(store, |_, record, _| {
        progress(record.seq);
        Ok(())
    })?;
    Ok(replayed)
}

/// The same state sooner: from the newest snapshot that can be trusted, then the records after
/// it. `on_record` is told each of those, with the answers to its commands.
///
/// # Errors
/// The first record that cannot be trusted, by number.
pub fn recover(
    store: &dyn Store,
    mut on_record: impl FnMut(&Record, &[Answer]),
) -> Result<(Replayed, Recovery), StoreError> {
    let mut recovery = Recovery::default();
    let mut replayed = newest_snapshot(store, &mut recovery)?;
    recovery.replayed = replayed.follow(store, |_, record, answers| {
        on_record(record, answers);
        Ok(())
    })?;
    Ok((replayed, recovery))
}

fn newest_snapshot(store: &dyn Store, recovery: &mut Recovery) -> Result<Replayed, StoreError> {
    for seq in store.snapshots()? {
        match read_snapshot(store, seq)? {
            Ok(snapshot) => {
                recovery.snapshot = Some(seq);
                recovery.saved = snapshot.network.commands();
                return Ok(snapshot.into());
            }
            Err(error) => recovery.refused.push((seq, error)),
        }
    }
    Replayed::beside(store)
}

/// A stored snapshot, if it can be trusted and is one of this very journal.
///
/// # Errors
/// When the store fails.
pub(crate) fn read_snapshot(
    store: &dyn Store,
    seq: u64,
) -> Result<Result<Snapshot, SnapshotError>, StoreError> {
    let mut spool = Spool::beside(store)?;
    store.visit_snapshot(seq, &mut |part| spool.push(part))?;
    let snapshot = match Snapshot::from_spool(&spool, empty(store)?) {
        Ok(snapshot) => snapshot,
        Err(error) => return Ok(Err(error)),
    };
    let stored = store.tip_at(seq)?;
    if snapshot.tip.seq == seq && stored == Some(snapshot.tip) {
        Ok(Ok(snapshot))
    } else {
        Ok(Err(SnapshotError::OtherJournal(seq)))
    }
}

/// A network without a past, which will be where the store has room for it.
fn empty(store: &dyn Store) -> Result<Network, StoreError> {
    let mut shelves = Vec::new();
    while shelves.len() < SHELVES {
        match store.shelf()? {
            Some(shelf) => shelves.push(shelf),
            None => return Ok(Network::new()),
        }
    }
    let shelf = || {
        shelves
            .pop()
            .expect("there are as many as a network asks for")
    };
    Ok(Network::new().on_shelves(FORM, shelf))
}

impl From<Snapshot> for Replayed {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            network: snapshot.network,
            sessions: snapshot.sessions,
            tip: snapshot.tip,
            timestamp: snapshot.timestamp,
        }
    }
}

impl From<Replayed> for Snapshot {
    fn from(replayed: Replayed) -> Self {
        Self {
            network: replayed.network,
            sessions: replayed.sessions,
            tip: replayed.tip,
            timestamp: replayed.timestamp,
        }
    }
}

impl Replayed {
    /// No state yet; its past will be where the store has room for it.
    pub(crate) fn beside(store: &dyn Store) -> Result<Self, StoreError> {
        let network = empty(store)?;
        Ok(Self {
            network,
            ..Self::default()
        })
    }

    /// Applies the records after the last one applied. `on_record` is told the state after each,
    /// the record, and the answers to its commands.
    pub(crate) fn follow(
        &mut self,
        store: &dyn Store,
        mut on_record: impl FnMut(&Self, &Record, &[Answer]) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut records = 0;
        store.read_after(self.tip, &mut |record| {
            let answers = apply(&mut self.network, &record)?;
            self.sessions.note_all(&record);
            self.tip = record.tip();
            self.timestamp = record.timestamp;
            records += 1;
            on_record(self, &record, &answers)
        })?;
        Ok(records)
    }
}

/// Applies one stored record: the same answers as when it was written.
pub(crate) fn apply(network: &mut Network, record: &Record) -> Result<Vec<Answer>, StoreError> {
    let commands = record
        .commands()
        .map_err(|error| StoreError::of_record(record.seq, error))?;
    let answers = commands
        .iter()
        .map(|command| network.apply(record.seq, record.timestamp, command));
    Ok(answers.collect())
}
