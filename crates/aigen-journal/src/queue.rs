//! What waits for the thread that writes, and what everyone may know of it.

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::mailbox::Address;
use crate::record::{RECORD_BODY_BYTES_MAX, Tip};
use crate::replay::Answer;
use aigen_types::NodeId;
use crossbeam_channel::Receiver;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// Commands of one record, at most; TigerBeetle's own bound.
pub(crate) const BATCH_COMMANDS_MAX: usize = 8_189;

/// Batches that may wait for the writer before submitting blocks.
pub(crate) const QUEUE_BATCHES_MAX: usize = 16_384;

/// A command that is durable, and what the network said to it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The network's answer.
    pub result: Answer,
    /// The record it stands in.
    pub seq: u64,
}

/// This node does not lead, so it writes nothing for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this node does not lead the ledger")]
pub struct NotLeading;

#[derive(Debug)]
pub(crate) enum Queued {
    /// Of this process.
    Own(Own),
    /// Of another node.
    Forwarded(Forwarded),
    /// Apply what others have appended; answered when that is done.
    CatchUp(oneshot::Sender<()>),
    /// Give the state at the end of a record that is durable.
    Checkpoint(oneshot::Sender<Checkpoint>),
    /// Finish what waits, then end; dropped when that is done.
    Stop(Done),
}

/// Never sent: it is dropped when the store is closed.
pub(crate) type Done = oneshot::Sender<()>;

/// The writer's end of the queue.
#[derive(Debug)]
pub(crate) struct Inbox {
    queued: Receiver<Queued>,
    pub shown: Arc<watch::Sender<Shown>>,
}

impl Inbox {
    pub fn new(queued: Receiver<Queued>, shown: watch::Sender<Shown>) -> Self {
        let shown = Arc::new(shown);
        Self { queued, shown }
    }

    /// Lets nobody wait for what will never be done. The channel would keep what it holds for as
    /// long as there are senders; and who sends only now finds `stopped` after having sent.
    pub fn close(&self) {
        self.shown.send_modify(|shown| shown.stopped = true);
        self.queued.try_iter().for_each(drop);
    }
}

impl Deref for Inbox {
    type Target = Receiver<Queued>;

    fn deref(&self) -> &Receiver<Queued> {
        &self.queued
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.close();
    }
}

#[derive(Debug)]
pub(crate) struct Own {
    pub batch: Batch,
    pub reply: Reply,
    /// Where whoever asked is told that it is durable, if not at once.
    pub address: Option<Address>,
}

#[derive(Debug)]
pub(crate) struct Forwarded {
    pub batch: Batch,
    pub reply: oneshot::Sender<Result<u64, NotLeading>>,
}

#[derive(Debug)]
pub(crate) enum Reply {
    One(oneshot::Sender<Committed>),
    /// Of a command whose answer is wanted before it is durable.
    Twice {
        /// None once it was used.
        applied: Option<oneshot::Sender<Answer>>,
        durable: oneshot::Sender<Committed>,
    },
    Each(oneshot::Sender<Vec<Committed>>),
}

impl Reply {
    /// Whether it is waited for until it is durable.
    pub fn is_urgent(&self) -> bool {
        !matches!(self, Self::Twice { .. })
    }

    /// Tells what the network said, if anybody wants to know before it is durable.
    pub fn applied(&mut self, answers: &[Answer]) {
        if let (Self::Twice { applied, .. }, [answer]) = (self, answers)
            && let Some(applied) = applied.take()
        {
            let _ = applied.send(answer.clone());
        }
    }

    /// Whoever asked may be gone; the commands stand all the same.
    pub fn send(self, seq: u64, answers: impl IntoIterator<Item = Answer>) {
        let mut committed = answers.into_iter().map(|result| Committed { result, seq });
        match self {
            Self::One(reply) => {
                if let Some(only) = committed.next() {
                    let _ = reply.send(only);
                }
            }
            Self::Twice { applied, durable } => {
                if let Some(only) = committed.next() {
                    let _ = applied.map(|applied| applied.send(only.result.clone()));
                    let _ = durable.send(only);
                }
            }
            Self::Each(reply) => {
                let _ = reply.send(committed.collect());
            }
        }
    }
}

/// What was taken from the queue at once: as much as one record may hold.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub own: Vec<Own>,
    pub forwarded: Vec<Forwarded>,
    pub behind: Vec<oneshot::Sender<()>>,
    pub checkpoints: Vec<oneshot::Sender<Checkpoint>>,
    pub stop: Option<oneshot::Sender<()>>,
}

impl Taken {
    /// `first`, and what waits behind it, up to the bounds of a record.
    pub fn with(first: Queued, queued: &Receiver<Queued>) -> Self {
        let mut taken = Self::default();
        let (mut commands, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(item) = next {
            let batch = match &item {
                Queued::Own(own) => Some(&own.batch),
                Queued::Forwarded(forwarded) => Some(&forwarded.batch),
                Queued::CatchUp(_) | Queued::Checkpoint(_) | Queued::Stop(_) => None,
            };
            commands += batch.map_or(0, |batch| batch.commands().len());
            bytes += batch.map_or(0, |batch| batch.body().len());
            taken.put(item);
            let full = commands >= BATCH_COMMANDS_MAX || bytes >= RECORD_BODY_BYTES_MAX;
            next = if full || taken.stop.is_some() {
                None
            } else {
                queued.try_recv().ok()
            };
        }
        taken
    }

    fn put(&mut self, item: Queued) {
        match item {
            Queued::Own(own) => self.own.push(own),
            Queued::Forwarded(forwarded) => self.forwarded.push(forwarded),
            Queued::CatchUp(reply) => self.behind.push(reply),
            Queued::Checkpoint(reply) => self.checkpoints.push(reply),
            Queued::Stop(done) => self.stop = Some(done),
        }
    }
}

/// What a node is in its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// The only writer there is.
    Alone,
    /// Writes for everyone. The nodes that are alive, once that is known for sure.
    Leading {
        /// Nodes heard of lately; `None` while this one has not watched long enough to tell.
        alive: Option<Arc<BTreeSet<NodeId>>>,
    },
    /// Forwards to this node, if there is one.
    Following {
        /// The leader's address.
        leader: Option<Arc<str>>,
    },
}

/// What everyone may know of the thread that writes.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The last durable record.
    pub tip: Tip,
    /// How often a state that was never durable was thrown away.
    pub generation: u64,
    pub role: Role,
    /// Whether a command would be recorded soon; `None` before that is known.
    pub reachable: Option<bool>,
    pub stopped: bool,
}
