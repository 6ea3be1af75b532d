use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::cluster::{Member, Membership, SILENCE_MAX};
use crate::mailbox::Address;
use crate::pulse::Pulse;
use crate::queue::{
    Committed, Forwarded, Inbox, NotLeading, Own, QUEUE_BATCHES_MAX, Queued, Reply, Role, Shown,
};
use crate::record::Tip;
use crate::replay::{Answer, Recovery};
use crate::replica::Replica;
use crate::store::{Store, StoreError};
use crate::writer::{self, Desk};
use aigen_network::{Command, Network};
use aigen_types::Timestamp;
use crossbeam_channel::{Sender, bounded};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::thread;
use thiserror::Error;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// The writer has stopped: nothing can be recorded any more. What was asked for last may have been;
/// asking again for the same is safe, since commands carry their ids.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the journal has stopped, so nothing more can be recorded")]
pub struct Stopped;

/// A command on its way. What only leads to further commands need not wait until it is durable, since
/// those become durable after it or not at all; what leaves the process has to.
#[derive(Debug)]
pub struct Early {
    applied: oneshot::Receiver<Answer>,
    durable: oneshot::Receiver<Committed>,
    /// Where nobody waits for it yet.
    desk: Option<Arc<Desk>>,
}

impl Early {
    /// What the network says to it. Where others may write too, that is known once it is durable.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn applied(&mut self) -> Result<Answer, Stopped> {
        (&mut self.applied).await.map_err(|_| Stopped)
    }

    /// Waits until it is durable. May be dropped and called again as long as it has not answered.
    ///
    /// # Errors
    /// When it never will be.
    pub async fn durable(&mut self) -> Result<Committed, Stopped> {
        if let Ok(committed) = self.durable.try_recv() {
            return Ok(committed);
        }
        if let Some(desk) = self.desk.take() {
            desk.want(None);
        }
        (&mut self.durable).await.map_err(|_| Stopped)
    }
}

/// Door to the one writer that applies and records commands. Clones share it.
///
/// Group commit: what is applied while one record is synced is appended as the next one, synced
/// once and then answered.
#[derive(Clone, Debug)]
pub struct Journal {
    door: Door,
    network: Arc<RwLock<Network>>,
    shown: watch::Receiver<Shown>,
    /// Whether the thread goes on, and what others must show to it; none for an only writer.
    member: Option<Arc<(Pulse, String)>>,
}

/// Where commands go.
#[derive(Clone, Debug)]
enum Door {
    /// To where whoever asks applies them.
    Alone(Arc<Entrance>),
    /// To the thread of a cluster's member.
    Member(Sender<Queued>),
}

/// Shared by all clones: without one nobody is left to tell the writer to stop.
#[derive(Debug)]
struct Entrance(Arc<Desk>);

impl Drop for Entrance {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

impl Journal {
    /// Recovers the state of `store` and starts its only writer. `now` is asked once per batch;
    /// `on_failure` is called when a record could not be made durable, and should end the process:
    /// what was applied but not recorded must not be seen, and a failed sync is never retried.
    ///
    /// # Errors
    /// The first record that cannot be trusted.
    pub fn start(
        store: Box<dyn Store>,
        now: impl FnMut() -> Timestamp + Send + 'static,
        on_failure: impl FnOnce(StoreError) + Send + 'static,
    ) -> Result<(Self, Recovery), StoreError> {
        let (replica, recovery) = Replica::open(store, |_| {})?;
        let (network, (show, shown)) = Self::shown(&replica, Role::Alone);
        let (machine, store) = replica.split();
        let desk = Arc::new(Desk::new(machine, Box::new(now), Arc::new(show)));
        let writing = Arc::clone(&desk);
        spawn(move || writer::run(&writing, store), on_failure)?;
        let journal = Self {
            door: Door::Alone(Arc::new(Entrance(desk))),
            network,
            shown,
            member: None,
        };
        Ok((journal, recovery))
    }

    /// Recovers the state of a store that several nodes share, and takes part in their ledger:
    /// leading it or forwarding to whoever does.
    ///
    /// # Errors
    /// The first record that cannot be trusted.
    pub fn join(
        store: Box<dyn Store>,
        membership: Membership,
        now: impl FnMut() -> Timestamp + Send + 'static,
        on_failure: impl FnOnce(StoreError) + Send + 'static,
    ) -> Result<(Self, Recovery), StoreError> {
        let (replica, recovery) = Replica::open(store, |_| {})?;
        let role = Role::Following { leader: None };
        let (network, (show, shown)) = Self::shown(&replica, role);
        let (queue, queued) = bounded(QUEUE_BATCHES_MAX);
        let inbox = Inbox::new(queued, show);
        let pulse = Pulse::new(membership.timing.renewal());
        let member = Arc::new((pulse.clone(), membership.me.secret.clone()));
        let thread = Member::new(replica, membership, inbox, Box::new(now), pulse);
        spawn(move || thread.run(), on_failure)?;
        let journal = Self {
            door: Door::Member(queue),
            network,
            shown,
            member: Some(member),
        };
        Ok((journal, recovery))
    }

    /// What everyone may read.
    fn shown(replica: &Replica, role: Role) -> (Arc<RwLock<Network>>, Showing) {
        let shown = Shown {
            tip: replica.tip(),
            generation: 0,
            reachable: (role == Role::Alone).then_some(true),
            role,
            stopped: false,
        };
        (replica.network(), watch::channel(shown))
    }

    /// Records one command. The answer comes once it is durable.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn submit(&self, command: Command) -> Result<Committed, Stopped> {
        self.send(command)?.await.map_err(|_| Stopped)
    }

    /// Records one command whose answer is wanted before it is durable.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub fn send_early(&self, command: Command) -> Result<Early, Stopped> {
        let (apply, applied) = oneshot::channel();
        let (commit, durable) = oneshot::channel();
        let reply = Reply::Twice {
            applied: Some(apply),
            durable: commit,
        };
        self.queue(vec![command], reply)?;
        let desk = match &self.door {
            Door::Alone(entrance) => Some(Arc::clone(&entrance.0)),
            Door::Member(_) => None,
        };
        Ok(Early {
            applied,
            durable,
            desk,
        })
    }

    /// Records commands in one record, one answer each.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn submit_all(&self, commands: Vec<Command>) -> Result<Vec<Committed>, Stopped> {
        self.send_all(commands)?.await.map_err(|_| Stopped)
    }

    /// Records one command without waiting for it: for settling from a destructor.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub fn send(&self, command: Command) -> Result<oneshot::Receiver<Committed>, Stopped> {
        let (reply, committed) = oneshot::channel();
        self.queue(vec![command], Reply::One(reply))?;
        Ok(committed)
    }

    /// The same of commands that go into one record.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub fn send_all(
        &self,
        commands: Vec<Command>,
    ) -> Result<oneshot::Receiver<Vec<Committed>>, Stopped> {
        let (reply, committed) = oneshot::channel();
        self.queue(commands, Reply::Each(reply))?;
        Ok(committed)
    }

    fn queue(&self, commands: Vec<Command>, reply: Reply) -> Result<(), Stopped> {
        let own = Own {
            batch: Batch::new(commands),
            // Who waits for an early answer mostly has it by then, and nobody is woken.
            address: Address::here().filter(|_| reply.is_urgent()),
            reply,
        };
        match &self.door {
            Door::Alone(entrance) => entrance.0.take(own).ok_or(Stopped),
            Door::Member(queue) => self.put(queue, Queued::Own(own)),
        }
    }

    fn put(&self, queue: &Sender<Queued>, item: Queued) -> Result<(), Stopped> {
        queue.send(item).map_err(|_| Stopped)?;
        // Asked after sending: what was sent before the inbox closed was found by its closing.
        match self.shown.borrow().stopped {
            true => Err(Stopped),
            false => Ok(()),
        }
    }

    /// Whether this is what nodes of the same store show each other.
    #[must_use]
    pub fn knows(&self, secret: &str) -> bool {
        // Hashes compare in constant time.
        self.member.as_ref().is_some_and(|member| {
            blake3::hash(member.1.as_bytes()) == blake3::hash(secret.as_bytes())
        })
    }

    /// Writes a batch of another node, and says in which record it stands. A batch that was
    /// written before is not written again.
    ///
    /// # Errors
    /// When this node does not lead.
    pub async fn accept(&self, batch: Batch) -> Result<u64, NotLeading> {
        if !matches!(self.shown.borrow().role, Role::Leading { .. }) {
            return Err(NotLeading);
        }
        let Door::Member(queue) = &self.door else {
            return Err(NotLeading);
        };
        let (reply, accepted) = oneshot::channel();
        let forwarded = Queued::Forwarded(Forwarded { batch, reply });
        self.put(queue, forwarded).map_err(|_| NotLeading)?;
        accepted.await.map_err(|_| NotLeading)?
    }

    /// The state after the last command applied, which may not be durable yet: what leaves the
    /// process waits for [`Journal::durable`], and what only leads to further commands need not,
    /// since those become durable after it or not at all. Hold the guard briefly: the writer
    /// waits for it.
    ///
    /// # Panics
    /// When the writer panicked: a state of unknown shape is not shown.
    pub fn network(&self) -> RwLockReadGuard<'_, Network> {
        self.network.read().expect("the journal writer is sound")
    }

    /// Waits until everything that [`Journal::network`] has shown so far is durable.
    ///
    /// # Errors
    /// When it never will be, because the writer has stopped or another leader wrote something else.
    pub async fn durable(&self) -> Result<(), Stopped> {
        let generation = self.shown.borrow().generation;
        let applied = self.network().record();
        let mut shown = self.shown.clone();
        if let Door::Alone(entrance) = &self.door
            && shown.borrow().tip.seq < applied
        {
            entrance.0.want(Some(applied));
        }
        let settled = |s: &Shown| s.stopped || s.generation != generation || s.tip.seq >= applied;
        let now = shown.wait_for(settled).await.map_err(|_| Stopped)?;
        if now.generation == generation && now.tip.seq >= applied {
            Ok(())
        } else {
            Err(Stopped)
        }
    }

    /// The state at the end of a durable record, to be saved while the journal goes on. Nothing is applied while what
    /// it has beside its past is serialised.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn checkpoint(&self) -> Result<Checkpoint, Stopped> {
        let (reply, made) = oneshot::channel();
        match &self.door {
            Door::Alone(entrance) => entrance.0.checkpoint(reply),
            Door::Member(queue) => self.put(queue, Queued::Checkpoint(reply))?,
        }
        let checkpoint = made.await.map_err(|_| Stopped)?;
        let mut shown = self.shown.clone();
        let settled = |s: &Shown| s.stopped || s.tip.seq >= checkpoint.tip().seq;
        let is_durable = {
            let now = shown.wait_for(settled).await.map_err(|_| Stopped)?;
            now.tip.seq >= checkpoint.tip().seq
        };
        is_durable.then_some(checkpoint).ok_or(Stopped)
    }

    /// Has [`Journal::network`] show what every node had been answered when this was asked. Where
    /// the store does not answer within a second, what this node knew has to do.
    pub async fn catch_up(&self) {
        let (Door::Member(queue), Role::Following { .. }) = (&self.door, self.role()) else {
            return;
        };
        // One that has just joined may have missed what was recorded since it read the journal.
        let joins = self.shown.borrow().reachable.is_none();
        if !joins && !self.is_reachable() {
            return;
        }
        let (reply, caught_up) = oneshot::channel();
        if self.put(queue, Queued::CatchUp(reply)).is_ok() {
            let _ = timeout(SILENCE_MAX, caught_up).await;
        }
    }

    /// The last durable record.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.shown.borrow().tip
    }

    /// What this node is in its ledger.
    #[must_use]
    pub fn role(&self) -> Role {
        self.shown.borrow().role.clone()
    }

    /// Whether a command would be recorded soon: the store and the leader answer.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        let shown = self.shown.borrow();
        let beats = self.member.as_ref().is_none_or(|member| member.0.beats());
        shown.reachable == Some(true) && !shown.stopped && beats
    }

    /// Waits until role or reach have changed since this was last asked through this clone.
    ///
    /// # Errors
    /// When the writer has stopped.
    pub async fn changed(&mut self) -> Result<(), Stopped> {
        self.shown.changed().await.map_err(|_| Stopped)
    }

    /// Records what waits, gives up leading, closes the store and ends the writer.
    pub async fn stop(&self) {
        let (done, ended) = oneshot::channel();
        match &self.door {
            Door::Alone(entrance) => entrance.0.end(Some(done)),
            Door::Member(queue) => {
                let _ = self.put(queue, Queued::Stop(done));
            }
        }
        // It never answers: it is dropped when the store is closed.
        let _ = ended.await;
    }
}

type Showing = (watch::Sender<Shown>, watch::Receiver<Shown>);

fn spawn(
    run: impl FnOnce() -> Result<(), StoreError> + Send + 'static,
    on_failure: impl FnOnce(StoreError) + Send + 'static,
) -> Result<(), StoreError> {
    let body = move || {
        let ended = panic::catch_unwind(AssertUnwindSafe(run));
        let panicked = |_| {
            Err(StoreError::Io(
                "the thread that keeps the journal panicked".into(),
            ))
        };
        if let Err(error) = ended.unwrap_or_else(panicked) {
            on_failure(error);
        }
    };
    thread::Builder::new()
        .name("journal".into())
        .spawn(body)
        .map_err(|error| StoreError::Io(error.into()))?;
    Ok(())
}
