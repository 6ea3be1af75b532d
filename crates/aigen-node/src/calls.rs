//! A call is driven by whoever waits for it: a task for each would cost two changes of threads for every
//! token. Once nobody waits any more it goes on in a task of its own, to its receipt.

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use std::collections::BTreeMap;
use std::fmt;
use std::mem::replace;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// The calls of a node, each counted until it has ended.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    tracker: TaskTracker,
    attended: Arc<Mutex<List>>,
}

/// Those that somebody waits for, in the order in which they came.
#[derive(Default)]
struct List {
    last: u64,
    places: BTreeMap<u64, Arc<Place>>,
}

impl Calls {
    /// One that `work` is, from its beginning to its receipt. It goes no further than its future is polled.
    pub fn attend(&self, work: impl Future<Output = ()> + Send + 'static) -> Attended {
        // Some 2 kB, which each layer around it would move once more.
        let work = self.tracker.track_future(Box::pin(work));
        // Whoever waits is not to panic with it: the call alone ends.
        let work = AssertUnwindSafe(work).catch_unwind();
        let bell = Arc::<Bell>::default();
        let place = Arc::new(Place {
            work: Mutex::new(Work::Here(work.map(drop).boxed())),
            waker: Arc::clone(&bell).into(),
            bell,
            runtime: Handle::current(),
        });
        let mut list = lock(&self.attended);
        list.last += 1;
        let number = list.last;
        list.places.insert(number, Arc::clone(&place));
        drop(list);
        let attended = Attended {
            place,
            number,
            list: Arc::clone(&self.attended),
        };
        if self.is_closed() {
            attended.place.leave();
        }
        attended
    }

    /// One that has a task of its own.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// One that computes on a thread of its own.
    pub fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.tracker.spawn_blocking(work);
    }

    /// Takes no more in, and waits for nobody who reads slowly: every call has a task of its own now.
    pub fn close(&self) {
        self.tracker.close();
        let places: Vec<_> = lock(&self.attended).places.values().cloned().collect();
        places.iter().for_each(|place| place.leave());
    }

    pub fn is_closed(&self) -> bool {
        self.tracker.is_closed()
    }

    /// Once it is closed, until all have ended.
    pub async fn wait(&self) {
        self.tracker.wait().await;
    }

    pub fn len(&self) -> usize {
        self.tracker.len()
    }
}

/// A call that somebody waits for. Dropping this leaves it to itself.
pub(crate) struct Attended {
    place: Arc<Place>,
    number: u64,
    list: Arc<Mutex<List>>,
}

impl Attended {
    /// Goes on with it as far as it comes now; not at all, where it waits for what has not happened since. Where it stays
    /// [`Driven::Here`], whoever `waiting` is is woken once it can go on, or has been left to a task of its own.
    pub fn drive(&self, waiting: &mut Context<'_>) -> Driven {
        self.place.drive(waiting)
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        lock(&self.list).places.remove(&self.number);
        self.place.leave();
    }
}

impl fmt::Debug for Attended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attended").finish_non_exhaustive()
    }
}

/// Who goes on with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driven {
    /// Whoever drives it, and nobody else.
    Here,
    /// A task of its own; or it has ended.
    Elsewhere,
}

/// Where a call's work is.
struct Place {
    work: Mutex<Work>,
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
    runtime: Handle,
}

/// Rung by what the work waits for. Whoever reads a stream drives its call three times for each event: for the event, for
/// others that came with it, and once it was sent. Only the first has anything to do.
struct Bell {
    /// Whoever drives it.
    waiting: AtomicWaker,
    rung: AtomicBool,
}

/// What was never driven has something to do.
impl Default for Bell {
    fn default() -> Self {
        Self {
            waiting: AtomicWaker::new(),
            rung: AtomicBool::new(true),
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.waiting.wake();
    }
}

enum Work {
    /// With whoever waits for it.
    Here(BoxFuture<'static, ()>),
    /// In the hands of whoever drives it just now.
    Away,
    /// It has a task of its own, or will have one as soon as it comes back.
    Left,
    Done,
}

impl Place {
    fn drive(&self, waiting: &mut Context<'_>) -> Driven {
        // In this order: whoever rings after the second wakes the first.
        self.bell.waiting.register(waiting.waker());
        let is_rung = self.bell.rung.swap(false, Ordering::SeqCst);
        let mut work = match self.take(is_rung) {
            Ok(work) => work,
            Err(driven) => return driven,
        };
        let mut within = Context::from_waker(&self.waker);
        let is_done = work.as_mut().poll(&mut within).is_ready();
        let mut place = lock(&self.work);
        match (is_done, &*place) {
            (true, _) => *place = Work::Done,
            (false, Work::Left) => drop(self.runtime.spawn(work)),
            (false, _) => {
                *place = Work::Here(work);
                return Driven::Here;
            }
        }
        Driven::Elsewhere
    }

    /// The work, where there is something to do for whoever drives it.
    fn take(&self, is_rung: bool) -> Result<BoxFuture<'static, ()>, Driven> {
        let mut place = lock(&self.work);
        match &*place {
            Work::Here(_) if !is_rung => Err(Driven::Here),
            Work::Here(_) => match replace(&mut *place, Work::Away) {
                Work::Here(work) => Ok(work),
                _ => Err(Driven::Elsewhere),
            },
            _ => Err(Driven::Elsewhere),
        }
    }

    fn leave(&self) {
        let mut place = lock(&self.work);
        match replace(&mut *place, Work::Left) {
            Work::Here(work) => {
                drop(self.runtime.spawn(work));
                drop(place);
                // Whoever waited for it to be driven waits for what it says now.
                self.bell.waiting.wake();
            }
            Work::Done => *place = Work::Done,
            Work::Away | Work::Left => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every write leaves the state whole, so a poisoned lock is still good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::sync::atomic::AtomicU32;
    use std::task::Poll;
    use tokio::sync::oneshot;

    /// A call that waits for a word and says when it has ended.
    fn call(calls: &Calls) -> (Attended, oneshot::Sender<()>, oneshot::Receiver<()>) {
        let (go, word) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let attended = calls.attend(async move {
            let _ = word.await;
            let _ = end.send(());
        });
        (attended, go, ended)
    }

    async fn driven(attended: &Attended) {
        poll_fn(|waiting| {
            attended.drive(waiting);
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_call_goes_as_far_as_it_is_driven() {
        let calls = Calls::default();
        let (attended, go, mut ended) = call(&calls);
        driven(&attended).await;
        go.send(()).unwrap();
        tokio::task::yield_now().await;
        assert!(ended.try_recv().is_err(), "nobody drives it");
        driven(&attended).await;
        assert!(ended.try_recv().is_ok());
        assert_eq!(calls.len(), 0);
        driven(&attended).await;
    }

    #[tokio::test]
    async fn a_call_that_nothing_has_happened_to_is_not_polled() {
        let (calls, polls) = (Calls::default(), Arc::<AtomicU32>::default());
        let (go, mut word) = oneshot::channel::<()>();
        let counted = Arc::clone(&polls);
        let attended = calls.attend(poll_fn(move |waiting| {
            counted.fetch_add(1, Ordering::SeqCst);
            Pin::new(&mut word).poll(waiting).map(drop)
        }));
        for _ in 0..3 {
            driven(&attended).await;
            assert_eq!(polls.load(Ordering::SeqCst), 1);
        }
        let woken = Arc::<Woken>::default();
        let waker = Arc::clone(&woken).into();
        let mut waiting = Context::from_waker(&waker);
        assert_eq!(attended.drive(&mut waiting), Driven::Here);
        go.send(()).unwrap();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1, "who drove it last");
        assert_eq!(attended.drive(&mut waiting), Driven::Elsewhere);
        assert_eq!(polls.load(Ordering::SeqCst), 2);
        assert_eq!(calls.len(), 0);
    }

    #[tokio::test]
    async fn a_call_that_is_left_goes_on_by_itself() {
        let calls = Calls::default();
        for drive_first in [false, true] {
            let (attended, go, ended) = call(&calls);
            if drive_first {
                driven(&attended).await;
            }
            drop(attended);
            assert_eq!(calls.len(), 1);
            go.send(()).unwrap();
            ended.await.unwrap();
        }
        calls.close();
        calls.wait().await;
    }

    #[tokio::test]
    async fn at_the_end_no_call_waits_for_who_attends_it() {
        let calls = Calls::default();
        let (before, go_before, ended_before) = call(&calls);
        driven(&before).await;
        calls.close();
        let (after, go_after, ended_after) = call(&calls);
        for (go, ended) in [(go_before, ended_before), (go_after, ended_after)] {
            go.send(()).unwrap();
            ended.await.unwrap();
        }
        calls.wait().await;
        driven(&before).await;
        drop((before, after));
        assert!(lock(&calls.attended).places.is_empty());
    }

    /// Nothing that the call says wakes whoever drives it: only who does not any more is told to listen.
    #[tokio::test]
    async fn who_waits_is_woken_once_the_call_goes_on_elsewhere() {
        let calls = Calls::default();
        let (attended, go, ended) = call(&calls);
        let woken = Arc::<Woken>::default();
        let waker = Arc::clone(&woken).into();
        let mut waiting = Context::from_waker(&waker);
        assert_eq!(attended.drive(&mut waiting), Driven::Here);
        calls.close();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert_eq!(attended.drive(&mut waiting), Driven::Elsewhere);
        go.send(()).unwrap();
        ended.await.unwrap();
        assert_eq!(attended.drive(&mut waiting), Driven::Elsewhere);
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_call_that_is_left_while_it_is_driven_comes_to_its_own_task() {
        let calls = Calls::default();
        let (end, ended) = oneshot::channel();
        let closing = calls.clone();
        let attended = calls.attend(async move {
            closing.close();
            tokio::task::yield_now().await;
            let _ = end.send(());
        });
        driven(&attended).await;
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_ends_the_call_alone() {
        let calls = Calls::default();
        let attended = calls.attend(async { panic!("as it is meant to") });
        driven(&attended).await;
        assert_eq!(calls.len(), 0);
    }
}
