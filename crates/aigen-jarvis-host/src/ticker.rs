use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::Engine;

use crate::HostError;
use crate::limits::{EXCUSED_TICKS_MAX, HEARTBEAT_MAX, TICK};

/// Counts ticks on a thread of its own, for as long as the engine lives.
pub(crate) struct Ticker {
    began: Instant,
    /// Milliseconds after `began` at which it last ticked.
    beat: Arc<AtomicU64>,
}

impl Ticker {
    pub fn start(engine: &Engine) -> Result<Self, HostError> {
        let (began, beat) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let (engine, beating) = (engine.weak(), Arc::clone(&beat));
        let tick = move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                beating.store(millis(began), Ordering::Release);
                thread::sleep(TICK);
            }
        };
        let thread = thread::Builder::new().name("aigen-ticker".to_owned());
        thread.spawn(tick).map_err(HostError::Thread)?;
        Ok(Self { began, beat })
    }

    /// Whether it still ticks: without it nothing would end a call that computes for ever.
    pub fn alive(&self) -> bool {
        let silence = millis(self.began).saturating_sub(self.beat.load(Ordering::Acquire));
        u128::from(silence) <= HEARTBEAT_MAX.as_millis()
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

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
