use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::CompileError;
use crate::limits::COMPILE_STACK_BYTES;

/// Runs work that cannot be interrupted but must not be waited for: a bounded
/// number of threads, each with a deep stack, and a deadline for the caller.
#[derive(Clone)]
pub(super) struct Workers(Arc<Slots>);

struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Workers {
    pub fn new(at_once: usize) -> Self {
        let (free, freed) = (Mutex::new(at_once), Condvar::new());
        Self(Arc::new(Slots { free, freed }))
    }

    /// Runs `work` on a thread of its own. Work that is not done after `limit`
    /// runs on unobserved, and keeps its slot until it is done.
    ///
    /// # Errors
    /// If there was no slot or no result within `limit`, or the work panicked.
    pub fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CompileError> {
        let started = Instant::now();
        let slot = self.slot(limit).ok_or_else(busy)?;
        let (send, receive) = sync_channel(1);
        let body = move || {
            let _slot = slot;
            // Nobody may be listening any more.
            let _ = send.send(work());
        };
        thread::Builder::new()
            .name("aigen-compile".to_owned())
            .stack_size(COMPILE_STACK_BYTES)
            .spawn(body)
            .map_err(|_| busy())?;
        let left = limit.saturating_sub(started.elapsed());
        receive.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => too_slow(limit),
            RecvTimeoutError::Disconnected => CompileError::new("the compiler crashed on it"),
        })
    }

    fn slot(&self, limit: Duration) -> Option<Slot> {
        let wait = self
            .0
            .freed
            .wait_timeout_while(self.0.lock(), limit, |free| *free == 0);
        let (mut free, timeout) = wait.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return None;
        }
        *free -= 1;
        Some(Slot(Arc::clone(&self.0)))
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returned to the workers when dropped.
struct Slot(Arc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        self.0.freed.notify_one();
    }
}

fn busy() -> CompileError {
    CompileError::new("too many grammars are compiling already").hint("try again later")
}

fn too_slow(limit: Duration) -> CompileError {
    CompileError::new(format!(
        "it was not compiled within {} ms",
        limit.as_millis()
    ))
    .hint("make the grammar smaller: fewer alternatives, smaller repetitions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_work_keeps_its_slot_until_it_is_done() {
        let workers = Workers::new(1);
        let (release, released) = sync_channel::<()>(0);
        let late = workers.run(Duration::ZERO, move || released.recv());
        assert!(late.unwrap_err().what.contains("not compiled within"));
        let refused = workers.run(Duration::ZERO, || ()).unwrap_err();
        assert_eq!(refused, busy());
        release.send(()).unwrap();
        assert_eq!(workers.run(Duration::from_secs(60), || 7), Ok(7));
    }

    #[test]
    fn a_panic_is_an_error() {
        let result = Workers::new(1).run(Duration::from_secs(60), || panic!("boom"));
        let result: Result<(), _> = result;
        assert_eq!(result, Err(CompileError::new("the compiler crashed on it")));
    }
}
