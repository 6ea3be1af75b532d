//! Who has the store: nobody, or one call at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Poll, Poll as Polled, Waker};

use aigen_jarvis::Fault;
use futures::executor::{ThreadPool, block_on};
use futures::future::BoxFuture;
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
    /// A poll is under way, or panicked.
    Taken,
}

/// How far a call is.
pub(super) enum Progress {
    Done(Result<Answer, Fault>),
    Late,
    Outside,
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

    /// Goes on with the branch's call.
    pub fn poll(self: &Arc<Self>, branch: ResourceAny) -> Progress {
        let mut slot = self.lock();
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Outside(whose, call) if whose == branch => {
                self.poll_call(&mut slot, branch, call)
            }
            Slot::Back(whose, running, answer) if whose == branch => {
                self.free(&mut slot, running);
                Progress::Done(answer)
            }
            other => {
                *slot = other;
                Progress::Late
            }
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
                Progress::Outside
            }
            Polled::Pending => {
                *slot = Slot::Away;
                self.send_away(branch, call);
                Progress::Late
            }
        }
    }

    /// It used its share of the scheduler's thread: it goes on on another.
    fn send_away(self: &Arc<Self>, branch: ResourceAny, call: Call) {
        let runner = Arc::clone(self);
        self.pool.spawn_ok(async move {
            let (running, answer) = call.await;
            *runner.lock() = Slot::Back(branch, running, answer);
            runner.changed.notify_all();
            runner.waker.wake_by_ref();
        });
    }

    /// Others may have been waiting.
    fn free(&self, slot: &mut Slot, running: Running) {
        *slot = Slot::Free(running);
        if self.awaited.swap(false, Ordering::AcqRel) {
            self.waker.wake_by_ref();
        }
    }

    /// Uses the store on this thread, once a call that is away is back; `None` if one
    /// waits for the outside.
    pub fn with<T>(
        &self,
        act: impl FnOnce(Running) -> BoxFuture<'static, (Running, T)>,
    ) -> Option<T> {
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

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // A poll that panicked left `Taken` behind, which answers nobody.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
