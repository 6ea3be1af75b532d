use super::port::{Answer, LastPort, Port, Question};
use super::shared::LEASE;
use super::stage::{Actor, Stage};
use aigen_journal::cluster::{Candidate, Membership, Timing};
use aigen_journal::{Batch, Committed, Journal, NotLeading, StoreError};
use aigen_network::Command;
use aigen_types::{NodeId, Timestamp};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Something that becomes ready while others run.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

/// How a node began: with its journal, or not at all.
type Began = Result<Journal, StoreError>;

/// One node: the real one, in a thread of its own.
pub(crate) struct Node {
    /// Its door, once it has recovered.
    pub journal: Option<Journal>,
    /// It reaches no store.
    pub cut: bool,
    /// It does nothing, and does not know it.
    pub paused: bool,
    /// Nanoseconds that its wall clock is ahead.
    pub skew: u64,
    /// Something waits in its queue.
    pub nudged: bool,
    /// When it began to wait, by its own clock.
    pub waits_since: u64,
    /// The same by the world's.
    pub waits_since_world: u64,
    /// A batch it has sent to its leader, and the leader's answer.
    pub forwarding: Option<Pending<Result<u64, NotLeading>>>,
    ending: Option<Pending<()>>,
    began: Option<mpsc::Receiver<Began>>,
    /// How its clock runs, in thousandths.
    rate: u64,
    wall: Arc<AtomicU64>,
    port: Port,
}

/// What a future says now; nobody is woken when it would say more.
pub(crate) fn poll<T>(pending: &mut Pending<T>) -> Option<T> {
    match pending
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(ready) => Some(ready),
        Poll::Pending => None,
    }
}

/// Where other nodes reach it.
pub(crate) fn url(actor: Actor) -> String {
    format!("node-{actor}")
}

impl Node {
    /// A node that has not begun, with a clock that runs at `rate` thousandths.
    pub fn new(actor: Actor, rate: u64, stage: &Stage<Question, Answer>) -> Self {
        Self {
            journal: None,
            cut: false,
            paused: false,
            skew: 0,
            nudged: false,
            waits_since: 0,
            waits_since_world: 0,
            forwarding: None,
            ending: None,
            began: None,
            rate,
            wall: Arc::default(),
            port: Port {
                actor,
                stage: stage.clone(),
                clock: Arc::default(),
                began: Instant::now(),
            },
        }
    }

    /// Begins, in a thread of its own: what comes next it asks on stage.
    pub fn start(&mut self) {
        let (port, wall) = (self.port.clone(), Arc::clone(&self.wall));
        let (say, began) = mpsc::channel();
        self.began = Some(began);
        let begin = move || {
            let membership = membership(&port);
            let now = move || Timestamp(wall.load(Ordering::SeqCst));
            let joined = Journal::join(Box::new(port), membership, now, |_| {});
            // The simulator has gone when nobody hears this.
            let _ = say.send(joined.map(|(journal, _)| journal));
        };
        let thread = thread::Builder::new().stack_size(1 << 20);
        thread.spawn(begin).expect("there is room for a thread");
    }

    /// Its clocks after so many nanoseconds of the world.
    pub fn set_time(&mut self, elapsed: u64) {
        let own = elapsed / 1_000 * self.rate;
        self.port.clock.store(own, Ordering::SeqCst);
        self.wall.store(own + self.skew, Ordering::SeqCst);
    }

    /// Nanoseconds on its own clock.
    pub fn time(&self) -> u64 {
        self.port.clock.load(Ordering::SeqCst)
    }

    /// It has recovered, or could not: the thread that began says which. `None` if it could not.
    pub fn take_door(&mut self) -> Option<()> {
        if let Some(began) = self.began.take() {
            self.journal = began.recv().ok()?.ok();
        }
        self.journal.is_some().then_some(())
    }

    /// Asks it to record a command; the answer is there when it is.
    pub fn send(&mut self, command: Command) -> Option<Box<dyn FnMut() -> Option<Committed>>> {
        let mut answer = self.journal.as_ref()?.send(command).ok()?;
        self.nudged = true;
        Some(Box::new(move || answer.try_recv().ok()))
    }

    /// Gives it another node's batch.
    pub fn take_batch(&mut self, batch: Batch) -> Option<Pending<Result<u64, NotLeading>>> {
        let journal = self.journal.clone()?;
        self.nudged = true;
        let mut accepted: Pending<_> = Box::pin(async move { journal.accept(batch).await });
        match poll(&mut accepted) {
            Some(answer) => Some(Box::pin(std::future::ready(answer))),
            None => Some(accepted),
        }
    }

    /// Tells it to end in good order, once.
    pub fn end(&mut self) -> bool {
        let Some(journal) = self.journal.clone().filter(|_| self.ending.is_none()) else {
            return false;
        };
        let mut ending: Pending<()> = Box::pin(async move { journal.stop().await });
        poll(&mut ending);
        self.ending = Some(ending);
        self.nudged = true;
        true
    }
}

fn membership(port: &Port) -> Membership {
    Membership {
        me: Candidate {
            node: NodeId(port.actor),
            url: url(port.actor),
            secret: "secret".into(),
        },
        election: Box::new(port.clone()),
        transport: Box::new(port.clone()),
        timing: Timing {
            lease: Duration::from_nanos(LEASE),
            ..Timing::default()
        },
        pace: Box::new(LastPort(port.clone())),
    }
}
