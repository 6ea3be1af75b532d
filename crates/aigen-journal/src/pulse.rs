use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much later than it should a thread may be heard of.
const LATE_MAX: Duration = Duration::from_secs(1);

/// Tells whether a thread goes on, or waits for something that does not answer.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    began: Instant,
    /// Milliseconds from the beginning to the last beat.
    last: Arc<AtomicU64>,
    /// The longest that the thread waits for nothing in particular.
    rest: Duration,
}

impl Pulse {
    pub fn new(rest: Duration) -> Self {
        Self {
            began: Instant::now(),
            last: Arc::default(),
            rest,
        }
    }

    pub fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    pub fn beats(&self) -> bool {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed() < last + self.rest + LATE_MAX
    }
}
