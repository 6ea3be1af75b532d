use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::record::{Origin, Record, Tip};
use crate::replay::{Answer, Replayed};
use crate::sessions::Sessions;
use aigen_network::Network;
use aigen_types::Timestamp;
use std::sync::{Arc, RwLock, RwLockWriteGuard};

/// The state and where in the journal it stands: all of a replica but its store, so that what is
/// applied and what is made durable can be the work of two threads.
pub(crate) struct Machine {
    network: Arc<RwLock<Network>>,
    sessions: Sessions,
    /// The last record applied, durable or not.
    tip: Tip,
    /// Its ledger time.
    timestamp: Timestamp,
}

/// A record that takes batches in: what it holds is applied, its end is open.
#[derive(Debug)]
pub(crate) struct Filling {
    timestamp: Timestamp,
    count: u32,
    origins: Vec<Origin>,
    body: Vec<u8>,
}

impl Filling {
    /// So far.
    pub fn commands(&self) -> usize {
        self.count as usize
    }

    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }
}

impl Machine {
    pub fn new(replayed: Replayed) -> Self {
        Self {
            network: Arc::new(RwLock::new(replayed.network)),
            sessions: replayed.sessions,
            tip: replayed.tip,
            timestamp: replayed.timestamp,
        }
    }

    /// The state, to be shared with readers.
    pub fn network(&self) -> Arc<RwLock<Network>> {
        Arc::clone(&self.network)
    }

    /// How many are open.
    pub fn calls(&self) -> usize {
        let network = self.network.read().expect("readers do not panic");
        network.calls().len()
    }

    pub fn tip(&self) -> Tip {
        self.tip
    }

    pub fn holds(&self, origin: &Origin) -> Option<u64> {
        self.sessions.holds(origin.node, origin.batch)
    }

    /// Begins the next record, at ledger time `now`; an earlier time than the last record's counts
    /// as that.
    pub fn begin(&self, now: Timestamp) -> Filling {
        let network = self.network.read().expect("readers do not panic");
        Filling {
            timestamp: now.max(network.ledger().now()),
            count: 0,
            origins: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Applies a batch as the next part of a record: one answer per command.
    pub fn fill(&mut self, filling: &mut Filling, batch: &Batch) -> Vec<Answer> {
        let seq = self.tip.seq + 1;
        let mut network = write(&self.network);
        let commands = batch.commands().iter();
        let answers = commands.map(|command| network.apply(seq, filling.timestamp, command));
        let answers = answers.collect();
        drop(network);
        filling.count += batch.count();
        filling.origins.extend(batch.origin());
        filling.body.extend_from_slice(batch.body());
        answers
    }

    /// Ends a record: it is what comes next in the journal.
    pub fn seal(&mut self, filling: Filling) -> Record {
        let Filling {
            timestamp,
            count,
            origins,
            body,
        } = filling;
        let record = Record::after(self.tip, timestamp, origins, count, body);
        self.moved(&record);
        record
    }

    /// Applies a stored record.
    ///
    /// # Errors
    /// What `apply` returns; the state is not to be used then.
    pub fn follow<T, E>(
        &mut self,
        record: &Record,
        apply: impl FnOnce(&mut Network) -> Result<T, E>,
    ) -> Result<T, E> {
        let applied = apply(&mut write(&self.network))?;
        self.moved(record);
        Ok(applied)
    }

    /// Forgets its state for another; readers see that one from now on.
    pub fn replace(&mut self, replayed: Replayed) {
        *write(&self.network) = replayed.network;
        self.sessions = replayed.sessions;
        self.tip = replayed.tip;
        self.timestamp = replayed.timestamp;
    }

    /// The state after the last record applied, to be saved; none of another may be filled meanwhile.
    pub fn checkpoint(&self) -> Checkpoint {
        let network = self.network.read().expect("readers do not panic");
        Checkpoint::of(self.tip, self.timestamp, &self.sessions, &network)
    }

    fn moved(&mut self, record: &Record) {
        self.sessions.note_all(record);
        self.tip = record.tip();
        self.timestamp = record.timestamp;
    }
}

fn write(network: &RwLock<Network>) -> RwLockWriteGuard<'_, Network> {
    network.write().expect("readers do not panic")
}
