use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{CompileError, CompileErrorKind};
use crate::limits::COMPILE_STACK_BYTES;

/// Runs work that must not be waited for: a bounded number of threads, each with a deep stack,
/// and two deadlines. Work that is not done by the first makes room for quick work, and goes on
/// where slow work may; by the second nobody waits for it any more.
#[derive(Clone)]
pub(super) struct Workers(Arc<Slots>);

/// Places for work that is quick, or not known to be slow, and for slow work.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    pub quick: usize,
    pub slow: usize,
}

struct Slots {
    free: Mutex<Lanes>,
    freed: Condvar,
}

impl Workers {
    pub fn new(places: Lanes) -> Self {
        let (free, freed) = (Mutex::new(places), Condvar::new());
        Self(Arc::new(Slots { free, freed }))
    }

    /// Runs `work` on a thread of its own, which may ask whether anybody still waits for it.
    /// Work that is refused keeps its place until it has ended.
    ///
    /// # Errors
    /// If there was no place or no result within `limit`, none for slow work after `soft`, or
    /// the work panicked.
    pub fn run<T: Send + 'static>(
        &self,
        soft: Duration,
        limit: Duration,
        work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, CompileError> {
        let started = Instant::now();
        let slot = Arc::new(self.slot(limit).ok_or_else(busy)?);
        let (send, receive) = sync_channel(1);
        let held = Arc::clone(&slot);
        let body = move || {
            let done = work(&|| held.wanted.load(Ordering::Relaxed));
            // The place is free before anybody is told.
            drop(held);
            // Nobody may be listening any more.
            let _ = send.send(done);
        };
        thread::Builder::new()
            .name("aigen-compile".to_owned())
            .stack_size(COMPILE_STACK_BYTES)
            .spawn(body)
            .map_err(|_| busy())?;
        let done = slot.wait(&receive, started, soft, limit);
        slot.wanted.store(done.is_ok(), Ordering::Relaxed);
        done
    }

    fn slot(&self, limit: Duration) -> Option<Slot> {
        let wait = self
            .0
            .freed
            .wait_timeout_while(self.0.lock(), limit, |free| free.quick == 0);
        let (mut free, timeout) = wait.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return None;
        }
        free.quick -= 1;
        Some(Slot {
            slots: Arc::clone(&self.0),
            slow: AtomicBool::new(false),
            wanted: AtomicBool::new(true),
        })
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returned to the workers when dropped.
struct Slot {
    slots: Arc<Slots>,
    /// Whether it is a place for slow work.
    slow: AtomicBool,
    /// Whether somebody waits for what is done there.
    wanted: AtomicBool,
}

impl Slot {
    fn wait<T>(
        &self,
        receive: &Receiver<T>,
        started: Instant,
        soft: Duration,
        limit: Duration,
    ) -> Result<T, CompileError> {
        let left = |limit: Duration| limit.saturating_sub(started.elapsed());
        let crashed =
            || CompileError::new("the compiler crashed on it").of(CompileErrorKind::TooCostly);
        match receive.recv_timeout(left(soft)) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Disconnected) => return Err(crashed()),
            Err(RecvTimeoutError::Timeout) if !self.make_room() => return Err(too_slow(soft)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let done = receive.recv_timeout(left(limit));
        done.map_err(|error| match error {
            RecvTimeoutError::Timeout => too_slow(limit),
            RecvTimeoutError::Disconnected => crashed(),
        })
    }

    /// Changes to a place for slow work; `false` if they are taken.
    fn make_room(&self) -> bool {
        let mut free = self.slots.lock();
        if free.slow == 0 {
            return false;
        }
        free.slow -= 1;
        free.quick += 1;
        self.slow.store(true, Ordering::Relaxed);
        self.slots.freed.notify_one();
        true
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut free = self.slots.lock();
        match *self.slow.get_mut() {
            true => free.slow += 1,
            false => free.quick += 1,
        }
        self.slots.freed.notify_one();
    }
}

fn busy() -> CompileError {
    CompileError::new("too many grammars are compiling already")
        .of(CompileErrorKind::Busy)
        .hint("try again later")
}

fn too_slow(limit: Duration) -> CompileError {
    CompileError::new(format!(
        "it was not compiled within {} ms",
        limit.as_millis()
    ))
    .of(CompileErrorKind::TooCostly)
    .hint("make the grammar smaller: fewer alternatives, smaller repetitions")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    const NEVER: Duration = Duration::from_secs(60);

    fn workers(quick: usize, slow: usize) -> Workers {
        Workers::new(Lanes { quick, slow })
    }

    /// Work that goes on until it is let go.
    fn stuck(workers: &Workers, soft: Duration, limit: Duration) -> (Sender<()>, CompileError) {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let late = workers.run(soft, limit, move |_| released.recv());
        (release, late.unwrap_err())
    }

    #[test]
    fn late_work_keeps_its_slot_until_it_is_done() {
        let workers = workers(1, 0);
        let (release, late) = stuck(&workers, Duration::ZERO, Duration::ZERO);
        assert_eq!(late.kind, CompileErrorKind::TooCostly);
        assert!(late.what.contains("not compiled within"), "{late}");
        let refused = workers.run(Duration::ZERO, Duration::ZERO, |_| ());
        assert_eq!(refused.unwrap_err(), busy());
        release.send(()).unwrap();
        assert_eq!(workers.run(NEVER, NEVER, |_| 7), Ok(7));
    }

    /// Slow work holds nobody up as long as there are places for it; then it is refused early.
    #[test]
    fn slow_work_makes_room() {
        let workers = workers(1, 1);
        let (first, _) = stuck(&workers, Duration::ZERO, Duration::ZERO);
        assert_eq!(workers.run(NEVER, NEVER, |_| 7), Ok(7), "there is room");
        let (second, late) = stuck(&workers, Duration::ZERO, NEVER);
        assert_eq!(late, too_slow(Duration::ZERO), "it was refused at once");
        drop((first, second));
        assert_eq!(workers.run(NEVER, NEVER, |_| 8), Ok(8));
    }

    #[test]
    fn work_can_find_out_that_nobody_waits() {
        let (told, tell) = std::sync::mpsc::channel();
        let late = workers(1, 0).run(Duration::ZERO, Duration::ZERO, move |wanted| {
            while wanted() {
                thread::yield_now();
            }
            told.send(()).unwrap();
        });
        assert!(late.is_err());
        tell.recv().unwrap();
    }

    #[test]
    fn a_panic_is_an_error() {
        let result = workers(1, 0).run(NEVER, NEVER, |_| panic!("boom"));
        let result: Result<(), _> = result;
        assert_eq!(result.unwrap_err().what, "the compiler crashed on it");
    }
}
