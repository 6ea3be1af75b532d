use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use aigen_engine::SessionControl;

/// How a session is reached from outside the scheduler. Calls made before the
/// session entered the engine take effect when it does.
#[derive(Default)]
pub(super) struct Waking(Mutex<State>);

#[derive(Default)]
struct State {
    session: Option<SessionControl>,
    cancelled: bool,
}

impl Waking {
    pub fn attach(&self, session: SessionControl) {
        let mut state = self.lock();
        session.wake();
        if state.cancelled {
            session.cancel();
        }
        state.session = Some(session);
    }

    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        if let Some(session) = &state.session {
            session.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(session) = &self.lock().session {
            session.wake();
        }
    }
}
