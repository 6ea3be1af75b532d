use std::thread;
use std::time::{Duration, Instant};

/// How time passes for a node: really, or as a simulator says.
pub trait Pace: Send {
    /// This moment; never before one that was told.
    fn now(&self) -> Instant;

    /// Lets this time pass.
    fn sleep(&mut self, time: Duration);

    /// Told that there is nothing to do for so long unless a command comes: how long to wait for
    /// one. A simulator lets the time pass itself, and answers that there is none left to wait.
    fn idle(&mut self, time: Duration) -> Duration;
}

/// As the machine's own clock says.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealTime;

impl Pace for RealTime {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&mut self, time: Duration) {
        thread::sleep(time);
    }

    fn idle(&mut self, time: Duration) -> Duration {
        time
    }
}
