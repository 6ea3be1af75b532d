use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How busy an engine is at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Sessions that were let in.
    pub running: u32,
    /// Sessions in the waiting line.
    pub waiting: u32,
    /// Cells in use, by running sessions and kept prefixes, of [`crate::ModelInfo::cells`].
    pub held_cells: u32,
    /// How often a branch gave way to another since the start, because the cache was full.
    pub gave_way: u64,
    /// How often a branch was prepared for logits since the start: its mask is computed then.
    pub prepared: u64,
    /// Of those, how often it was ready when the pass that brought them ended, so that nobody
    /// waited for it.
    pub prepared_in_time: u64,
}

/// Written by the scheduler's thread, read by anybody.
#[derive(Default)]
pub(super) struct Gauges {
    pub running: AtomicU32,
    pub held_cells: AtomicU32,
    pub gave_way: AtomicU64,
    pub prepared: AtomicU64,
    pub prepared_in_time: AtomicU64,
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
        }
    }
}
