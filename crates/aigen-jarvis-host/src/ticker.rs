use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::Engine;

use crate::HostError;
use crate::limits::{EXCUSED_TICKS_MAX, HEARTBEAT_MAX, TICK};

/// Counts ticks on a thread of its own, as long as there are sessions: a node that serves no guest is not
/// woken 200 times a second, which is half a hundredth of a processor.
pub(crate) struct Ticker(Arc<Clock>);

/// What the thread and everybody else know of each other.
struct Clock {
    began: Instant,
    /// Milliseconds after `began` at which it last ticked, or was first wanted to.
    beat: AtomicU64,
    wanted: Mutex<Wanted>,
    /// Told when somebody wants ticks, or nobody ever will.
    changed: Condvar,
}

#[derive(Default)]
struct Wanted {
    sessions: usize,
    is_over: bool,
}

/// Somebody who wants ticks, until this is dropped.
pub(crate) struct Ticking(Arc<Clock>);

impl Ticker {
    pub fn start(engine: &Engine) -> Result<Self, HostError> {
        let clock = Arc::new(Clock {
            began: Instant::now(),
            beat: AtomicU64::new(0),
            wanted: Mutex::default(),
            changed: Condvar::new(),
        });
        let (engine, ticking) = (engine.weak(), Arc::clone(&clock));
        let tick = move || {
            while ticking.is_wanted()
                && let Some(engine) = engine.upgrade()
            {
                engine.increment_epoch();
                drop(engine);
                ticking.beat();
                thread::sleep(TICK);
            }
        };
        let thread = thread::Builder::new().name("aigen-ticker".to_owned());
        thread.spawn(tick).map_err(HostError::Thread)?;
        Ok(Self(clock))
    }

    /// For a session; none where it does not tick any more: without it nothing would end a call that computes
    /// for ever.
    pub fn want(&self) -> Option<Ticking> {
        let clock = &self.0;
        let mut wanted = clock.wanted();
        if wanted.sessions == 0 {
            clock.beat();
            clock.changed.notify_all();
        } else if clock.silence() > HEARTBEAT_MAX {
            return None;
        }
        wanted.sessions += 1;
        Some(Ticking(Arc::clone(clock)))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.wanted().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.wanted().sessions -= 1;
    }
}

impl Clock {
    /// Waits until somebody wants ticks; not, once nobody ever will.
    fn is_wanted(&self) -> bool {
        let mut wanted = self.wanted();
        while wanted.sessions == 0 && !wanted.is_over {
            let woken = self.changed.wait(wanted);
            wanted = woken.unwrap_or_else(PoisonError::into_inner);
        }
        wanted.sessions > 0
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        // Every write leaves it whole, so a poisoned lock is still good.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        self.beat.store(self.now(), Ordering::Release);
    }

    fn silence(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.beat.load(Ordering::Acquire)))
    }

    /// Milliseconds since it began.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The ticks of a call. From the first on it is not on the scheduler's thread any more, and
/// once they are more than it may take, what counts is how long it really computes.
#[derive(Default)]
pub(crate) struct Overtime {
    /// Ticks the call may take.
    allowed: u64,
    /// Ticks it had.
    ticks: u64,
    computed: Duration,
    /// The thread at the last tick, and its time on a processor.
    last: Option<(thread::ThreadId, Duration)>,
}

impl Overtime {
    pub fn new(allowed: u64) -> Self {
        Self {
            allowed,
            ..Self::default()
        }
    }

    /// Counts a tick; whether the call may go on.
    pub fn tick(&mut self) -> bool {
        self.ticks += 1;
        if self.ticks <= self.allowed {
            return true;
        }
        let (thread, now) = (thread::current().id(), thread_time());
        if let Some((before, then)) = self.last
            && before == thread
        {
            self.computed += now.saturating_sub(then);
        }
        self.last = Some((thread, now));
        let allowed = u32::try_from(self.allowed).unwrap_or(u32::MAX);
        self.computed < TICK * allowed && self.ticks <= EXCUSED_TICKS_MAX
    }
}

/// Raised by the ticker.
#[derive(Debug, thiserror::Error)]
#[error("the call took too long")]
pub(crate) struct TooLong;

/// How long this thread was on a processor.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ticks_while_a_session_is_there_and_ends_with_the_engine() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        let clock = Arc::clone(&ticker.0);
        for sessions in [1, 2] {
            let ticking: Vec<_> = (0..sessions).map(|_| ticker.want().unwrap()).collect();
            let began = clock.now();
            while clock.beat.load(Ordering::Acquire) <= began {
                thread::yield_now();
            }
            drop(ticking);
            assert_eq!(clock.wanted().sessions, 0);
        }
        drop(ticker);
        assert!(!clock.is_wanted(), "its thread does not wait for another");
    }

    #[test]
    fn one_that_stands_still_is_noticed() {
        let ticker = Ticker(Arc::new(Clock {
            began: Instant::now() - 2 * HEARTBEAT_MAX,
            beat: AtomicU64::new(0),
            wanted: Mutex::default(),
            changed: Condvar::new(),
        }));
        let first = ticker.want();
        assert!(first.is_some(), "it was not wanted before");
        ticker.0.beat.store(0, Ordering::Release);
        assert!(ticker.want().is_none());
        drop(first);
        assert!(ticker.want().is_some());
    }
}
