use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

use aigen_engine::SessionControl;

/// How a session is reached from outside the scheduler. Calls made before the
/// session entered the engine take effect when it does.
#[derive(Default)]
pub(super) struct Waking(Mutex<Option<Door>>);

enum Door {
    Session(SessionControl),
    /// A replay, which has no scheduler.
    Thread(Thread),
}

impl Waking {
    pub fn attach(&self, session: SessionControl) {
        let mut door = self.lock();
        session.wake();
        *door = Some(Door::Session(session));
    }

    /// Wakes this thread, which is parked.
    pub fn attach_thread(&self) {
        *self.lock() = Some(Door::Thread(thread::current()));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Door>> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match &*self.lock() {
            Some(Door::Session(session)) => session.wake(),
            Some(Door::Thread(thread)) => thread.unpark(),
            None => {}
        }
    }
}
