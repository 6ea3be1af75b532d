use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use wasmtime::Engine;

use crate::HostError;
use crate::limits::{HEARTBEAT_MAX, TICK};

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

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
