//! Who has the store: nobody, or one call at a time.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Poll, Poll as Polled, Waker};

use aigen_jarvis::Fault;
use futures::FutureExt;
use futures::executor::{ThreadPool, block_on};
use futures::future::{BoxFuture, RemoteHandle};
use futures::task::SpawnExt;
use wasmtime::component::ResourceAny;

use super::call::{Answer, Running};

type Call = BoxFuture<'static, (Running, Result<Answer, Fault>)>;

pub(super) struct Runner {
    slot: Mutex<Slot>,
    changed: Condvar,
    /// Has the branches polled.
    waker: Waker,
    /// Whether the present call waits for somebody who is not the guest.
    outside: Arc<AtomicBool>,
    /// Whether a branch found the store taken.
    awaited: AtomicBool,
    pool: ThreadPool,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one for each request, and boxing costs each step"
)]
enum Slot {
    Free(Running),
    /// A call of this branch waits for the outside.
    Outside(ResourceAny, Call),
    /// A call goes on on another thread.
    Away,
    /// What came of it.
    Back(ResourceAny, Running, Result<Answer, Fault>),
    /// A poll is under way; seen by others once it panicked.
    Taken,
}

/// How far a call is.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of them are done: a box for each step costs more than the room"
)]
pub(super) enum Progress {
    Done(Result<Answer, Fault>),
    /// It used more fuel than a step that is in time. Its answer is there, for the next poll.
    Late,
    /// It goes on elsewhere, or waits for somebody who is not the guest.
    Elsewhere,
}

impl Runner {
    pub fn new(running: Running, waker: Waker, pool: ThreadPool) -> Self {
        let outside = Arc::clone(&running.store.data().outside);
        Self {
            slot: Mutex::new(Slot::Free(running)),
            changed: Condvar::new(),
            waker,
            outside,
            awaited: AtomicBool::new(false),
            pool,
        }
    }

    /// Begins a call; `None` if another branch is being asked, after which the waker
    /// is used.
    pub fn begin(
        self: &Arc<Self>,
        branch: ResourceAny,
        call: impl FnOnce(Running) -> Call,
    ) -> Option<Progress> {
        let mut slot = self.lock();
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Free(running) => Some(self.poll_call(&mut slot, branch, call(running))),
            other => {
                *slot = other;
                self.awaited.store(true, Ordering::Release);
                None
            }
        }
    }

    /// Begins the last call of all, after which nobody comes for another's answer; `None` while
    /// another call goes on elsewhere, after which the waker is used.
    pub fn begin_last(
        self: &Arc<Self>,
        branch: ResourceAny,
        call: impl FnOnce(Running) -> Call,
    ) -> Option<Progress> {
        let mut slot = self.lock();
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Free(running) | Slot::Back(_, running, _) => {
                Some(self.poll_call(&mut slot, branch, call(running)))
            }
            Slot::Away => {
                *slot = Slot::Away;
                None
            }
            // One that waits for the outside is not waited for, so nothing is said.
            waiting @ Slot::Outside(..) => {
                *slot = waiting;
                Some(Progress::Done(Ok(Answer::Outcome(String::new()))))
            }
            Slot::Taken => Some(Progress::Done(Err(Fault::Crashed))),
        }
    }

    /// Goes on with the branch's call.
    pub fn poll(self: &Arc<Self>, branch: ResourceAny) -> Progress {
        let mut slot = self.lock();
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Outside(whose, call) if whose == branch => {
                self.poll_call(&mut slot, branch, call)
            }
            Slot::Back(whose, running, answer) if whose == branch => {
                self.back(&mut slot, whose, running, answer)
            }
            Slot::Taken => Progress::Done(Err(Fault::Crashed)),
            other => {
                *slot = other;
                Progress::Elsewhere
            }
        }
    }

    /// Whether a call of the branch computes elsewhere or waits for the outside. One that is back is charged already.
    pub fn is_under_way(&self, branch: ResourceAny) -> bool {
        match &*self.lock() {
            Slot::Away => true,
            Slot::Outside(whose, _) => *whose == branch,
            Slot::Free(_) | Slot::Back(..) | Slot::Taken => false,
        }
    }

    fn poll_call(
        self: &Arc<Self>,
        slot: &mut Slot,
        branch: ResourceAny,
        mut call: Call,
    ) -> Progress {
        match call.as_mut().poll(&mut Poll::from_waker(&self.waker)) {
            Polled::Ready((running, answer)) => {
                self.free(slot, running);
                Progress::Done(answer)
            }
            Polled::Pending if self.outside.load(Ordering::Acquire) => {
                *slot = Slot::Outside(branch, call);
                Progress::Elsewhere
            }
            Polled::Pending => {
                *slot = Slot::Away;
                self.send_away(branch, call);
                Progress::Elsewhere
            }
        }
    }

    /// It used its share of the scheduler's thread: it goes on on another.
    fn send_away(self: &Arc<Self>, branch: ResourceAny, call: Call) {
        let runner = Arc::clone(self);
        self.pool.spawn_ok(async move {
            let done = AssertUnwindSafe(call).catch_unwind().await;
            *runner.lock() = match done {
                Ok((running, answer)) => Slot::Back(branch, running, answer),
                Err(_) => Slot::Taken,
            };
            runner.changed.notify_all();
            runner.waker.wake_by_ref();
        });
    }

    /// Tells first that it was late, if it was.
    fn back(
        &self,
        slot: &mut Slot,
        branch: ResourceAny,
        mut running: Running,
        answer: Result<Answer, Fault>,
    ) -> Progress {
        if std::mem::take(&mut running.store.data_mut().late) {
            *slot = Slot::Back(branch, running, answer);
            self.waker.wake_by_ref();
            return Progress::Late;
        }
        self.free(slot, running);
        Progress::Done(answer)
    }

    /// Others may have been waiting.
    fn free(&self, slot: &mut Slot, running: Running) {
        *slot = Slot::Free(running);
        if self.awaited.swap(false, Ordering::AcqRel) {
            self.waker.wake_by_ref();
        }
    }

    /// Uses the store on this thread, once a call that is away is back; `None` if one
    /// waits for the outside, or panicked.
    fn with<T>(&self, act: impl FnOnce(Running) -> BoxFuture<'static, (Running, T)>) -> Option<T> {
        let mut slot = self.lock();
        while matches!(*slot, Slot::Away) {
            // Bounded by the call's own time.
            slot = self
                .changed
                .wait(slot)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let running = match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Free(running) | Slot::Back(_, running, _) => running,
            other => {
                *slot = other;
                return None;
            }
        };
        let (running, value) = block_on(act(running));
        *slot = Slot::Free(running);
        Some(value)
    }

    /// Like [`Runner::with`], on a thread of guests; waits for it.
    pub fn elsewhere<T: Send + 'static>(
        &self,
        act: impl FnOnce(Running) -> BoxFuture<'static, (Running, T)>,
    ) -> Option<T> {
        self.with(|running| elsewhere(&self.pool, act(running)).boxed())
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // A poll that panicked left `Taken` behind, which answers nobody.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Emptying a guest's memory takes milliseconds where it was large.
impl Drop for Runner {
    fn drop(&mut self) {
        let slot = self.slot.get_mut().unwrap_or_else(PoisonError::into_inner);
        let slot = std::mem::replace(slot, Slot::Taken);
        self.pool.spawn_ok(async move { drop(slot) });
    }
}

/// Has a thread of guests do it.
pub(super) fn elsewhere<T: Send + 'static>(
    pool: &ThreadPool,
    work: impl Future<Output = T> + Send + 'static,
) -> RemoteHandle<T> {
    let spawned = pool.spawn_with_handle(work);
    spawned.expect("the pool lives as long as its host")
}
