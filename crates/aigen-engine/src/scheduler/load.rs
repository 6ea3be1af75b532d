use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How busy an engine is at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Sessions that were let in.
    pub running: u32,
    /// Sessions in the waiting line.
    pub waiting: u32,
    /// Cells in use, by running sessions, of [`crate::ModelInfo::cells`].
    pub held_cells: u32,
    /// How often a branch gave way to another since the start, because the cache was full.
    pub gave_way: u64,
    /// How often a branch was prepared for logits since the start: its mask is computed then.
    pub prepared: u64,
    /// Of those, how often it was ready when the pass that brought them ended, so that nobody
    /// waited for it.
    pub prepared_in_time: u64,
    /// Where the time of the scheduler's thread went since the start.
    pub spent: Spent,
}

/// Where the time of the scheduler's thread went, on the clock, while it had anything to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// In forward passes.
    pub passes: Duration,
    /// In sessions: waiting for masks after a pass, choosing tokens, steps of controllers, telling.
    pub sessions: Duration,
    /// In scheduling itself: commands, the line, who is in the next pass, the cache's account.
    pub scheduling: Duration,
}

/// What the scheduler's thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Nothing,
    Pass,
    Session,
    Scheduling,
}

/// Counts the time between two changes of what the scheduler's thread does.
pub(super) struct Watch {
    doing: Doing,
    since: Instant,
}

impl Watch {
    pub fn start() -> Self {
        let (doing, since) = (Doing::Nothing, Instant::now());
        Self { doing, since }
    }

    /// From now on it does this; gives what it did before.
    pub fn turn_to(&mut self, doing: Doing, gauges: &Gauges) -> Doing {
        let now = Instant::now();
        let nanos = now.duration_since(self.since).as_nanos();
        let spent = match self.doing {
            Doing::Nothing => None,
            Doing::Pass => Some(&gauges.passes),
            Doing::Session => Some(&gauges.sessions),
            Doing::Scheduling => Some(&gauges.scheduling),
        };
        if let Some(spent) = spent {
            let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
            spent.fetch_add(nanos, Ordering::Relaxed);
        }
        self.since = now;
        std::mem::replace(&mut self.doing, doing)
    }
}

/// Written by the scheduler's thread, read by anybody.
#[derive(Default)]
pub(super) struct Gauges {
    pub running: AtomicU32,
    pub held_cells: AtomicU32,
    pub gave_way: AtomicU64,
    pub prepared: AtomicU64,
    pub prepared_in_time: AtomicU64,
    /// Nanoseconds: see [`Spent`].
    passes: AtomicU64,
    sessions: AtomicU64,
    scheduling: AtomicU64,
}

impl Gauges {
    /// Notes how many branches were prepared for a pass, and how many of them before it ended.
    pub fn prepared(&self, all: usize, in_time: usize) {
        self.prepared.fetch_add(all as u64, Ordering::Relaxed);
        self.prepared_in_time
            .fetch_add(in_time as u64, Ordering::Relaxed);
    }

    pub fn load(&self, sessions: u32) -> Load {
        let running = self.running.load(Ordering::Relaxed);
        Load {
            running,
            waiting: sessions.saturating_sub(running),
            held_cells: self.held_cells.load(Ordering::Relaxed),
            gave_way: self.gave_way.load(Ordering::Relaxed),
            prepared: self.prepared.load(Ordering::Relaxed),
            prepared_in_time: self.prepared_in_time.load(Ordering::Relaxed),
            spent: self.spent(),
        }
    }

    fn spent(&self) -> Spent {
        let time = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Ordering::Relaxed));
        Spent {
            passes: time(&self.passes),
            sessions: time(&self.sessions),
            scheduling: time(&self.scheduling),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGO: Duration = Duration::from_secs(10);

    /// What a watch notes that turns away from something it did for 10 s.
    fn spent_on(doing: Doing) -> Spent {
        let gauges = Gauges::default();
        let since = Instant::now().checked_sub(AGO).unwrap();
        let mut watch = Watch { doing, since };
        assert_eq!(watch.turn_to(Doing::Nothing, &gauges), doing);
        gauges.load(0).spent
    }

    #[test]
    fn time_is_spent_on_what_was_done() {
        let rows: [(Doing, [bool; 3]); 4] = [
            (Doing::Nothing, [false, false, false]),
            (Doing::Pass, [true, false, false]),
            (Doing::Session, [false, true, false]),
            (Doing::Scheduling, [false, false, true]),
        ];
        for (doing, expected) in rows {
            let spent = spent_on(doing);
            let times = [spent.passes, spent.sessions, spent.scheduling];
            assert_eq!(times.map(|time| time >= AGO), expected, "{doing:?}");
            let most = Duration::from_secs(3_600);
            assert!(
                times.iter().all(|time| *time < most),
                "{doing:?}: {spent:?}"
            );
            let others = times.iter().filter(|time| time.is_zero()).count();
            assert_eq!(others, 3 - expected.iter().filter(|is| **is).count());
        }
    }
}
