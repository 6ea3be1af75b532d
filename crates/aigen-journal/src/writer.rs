use crate::record::{RECORD_BODY_BYTES_MAX, Record, Tip, encode};
use crate::replay::{Replayed, replay};
use crate::store::{Store, StoreError};
use aigen_network::{Command, Network, Refusal, Reply};
use aigen_types::Timestamp;
use std::sync::{Arc, RwLock, RwLockReadGuard, mpsc};
use std::thread;
use thiserror::Error;
use tokio::sync::oneshot;

/// Commands of one batch, at most; TigerBeetle's own bound.
const BATCH_COMMANDS_MAX: usize = 8_189;

/// Commands that may wait for the writer before submitting blocks.
const QUEUE_COMMANDS_MAX: usize = 16_384;

/// A command that is durable, and what the network said to it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The network's answer.
    pub result: Result<Reply, Refusal>,
    /// The record it stands in.
    pub seq: u64,
}

/// The writer has stopped: nothing can be recorded any more.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the journal has stopped, so nothing more can be recorded")]
pub struct Stopped;

/// Door to the one thread that applies and records commands. Clones share it.
///
/// Group commit: the writer takes everything queued, applies it, appends one record, syncs
/// once and then answers; while one sync is under way the next batch fills.
#[derive(Clone, Debug)]
pub struct Journal {
    queue: mpsc::SyncSender<Queued>,
    network: Arc<RwLock<Network>>,
    tip: Arc<RwLock<Tip>>,
}

#[derive(Debug)]
struct Queued {
    command: Command,
    /// Its serialised form, made by whoever asks so that the writer does not have to.
    bytes: Vec<u8>,
    reply: oneshot::Sender<Committed>,
}

impl Journal {
    /// Replays `store` and starts the writer. `now` is asked once per batch; `on_failure` is
    /// called when a record could not be made durable, and should end the process: what was
    /// applied but not recorded must not be seen, and a failed sync is never retried.
    ///
    /// # Errors
    /// The first record that cannot be trusted.
    pub fn start(
        store: Box<dyn Store>,
        now: impl FnMut() -> Timestamp + Send + 'static,
        on_failure: impl FnOnce(StoreError) + Send + 'static,
    ) -> Result<(Self, Tip), StoreError> {
        let Replayed { network, tip, .. } = replay(store.as_ref(), |_| {})?;
        let (queue, queued) = mpsc::sync_channel(QUEUE_COMMANDS_MAX);
        let network = Arc::new(RwLock::new(network));
        let shown_tip = Arc::new(RwLock::new(tip));
        let writer = Writer {
            store,
            tip,
            network: Arc::clone(&network),
            shown_tip: Arc::clone(&shown_tip),
            queued,
        };
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                if let Err(error) = writer.run(now) {
                    on_failure(error);
                }
            })
            .map_err(|error| StoreError::Io(error.into()))?;
        let journal = Self {
            queue,
            network,
            tip: shown_tip,
        };
        Ok((journal, tip))
    }

    /// Records one command. The answer comes once it is durable.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn submit(&self, command: Command) -> Result<Committed, Stopped> {
        self.send(command)?.await.map_err(|_| Stopped)
    }

    /// Records one command without waiting for it: for settling from a destructor.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub fn send(&self, command: Command) -> Result<oneshot::Receiver<Committed>, Stopped> {
        let (reply, committed) = oneshot::channel();
        let queued = Queued {
            bytes: encode(&command),
            command,
            reply,
        };
        self.queue.send(queued).map_err(|_| Stopped)?;
        Ok(committed)
    }

    /// The state after the last durable record. Hold the guard briefly: the writer waits for it.
    ///
    /// # Panics
    /// When the writer panicked: a state of unknown shape is not shown.
    pub fn network(&self) -> RwLockReadGuard<'_, Network> {
        self.network.read().expect("the journal writer is sound")
    }

    /// The last durable record.
    ///
    /// # Panics
    /// When the writer panicked, as [`Journal::network`] does.
    #[must_use]
    pub fn tip(&self) -> Tip {
        *self.tip.read().expect("the journal writer is sound")
    }
}

struct Writer {
    store: Box<dyn Store>,
    tip: Tip,
    network: Arc<RwLock<Network>>,
    /// A copy of `tip` for readers.
    shown_tip: Arc<RwLock<Tip>>,
    queued: mpsc::Receiver<Queued>,
}

impl Writer {
    fn run(mut self, mut now: impl FnMut() -> Timestamp) -> Result<(), StoreError> {
        while let Ok(first) = self.queued.recv() {
            let batch = self.batch(first);
            self.commit(now(), batch)?;
        }
        Ok(())
    }

    /// Everything that waits, up to the bounds of a record.
    fn batch(&self, first: Queued) -> Vec<Queued> {
        let mut bytes = first.bytes.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_COMMANDS_MAX && bytes < RECORD_BODY_BYTES_MAX {
            let Ok(queued) = self.queued.try_recv() else {
                break;
            };
            bytes += queued.bytes.len();
            batch.push(queued);
        }
        batch
    }

    fn commit(&mut self, now: Timestamp, batch: Vec<Queued>) -> Result<(), StoreError> {
        // Readers wait until the record is durable: nothing applied but not durable is visible.
        let mut network = self.network.write().expect("readers do not panic");
        let now = now.max(network.ledger().now());
        let results: Vec<_> = batch
            .iter()
            .map(|queued| network.apply(self.tip.seq + 1, now, &queued.command))
            .collect();
        let record = Record::after(self.tip, now, batch.iter().map(|queued| &*queued.bytes));
        if let Err(error) = self.store.append(&record) {
            // The state is ahead of the journal: keep it locked until the process ends.
            std::mem::forget(network);
            return Err(error);
        }
        self.tip = record.tip();
        *self.shown_tip.write().expect("readers do not panic") = self.tip;
        drop(network);
        let seq = self.tip.seq;
        for (queued, result) in batch.into_iter().zip(results) {
            // Whoever asked may be gone; the command stands all the same.
            let _ = queued.reply.send(Committed { result, seq });
        }
        Ok(())
    }
}
