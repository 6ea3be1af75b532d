use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{FAILURES_MAX, OPEN_FIRST, OPEN_MAX};

/// Leaves an upstream alone that fails again and again. After a while one request tries it;
/// if that fails too, it is left alone for twice as long.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Until when it is left alone, and for how long that is.
    open: Option<(Instant, Duration)>,
    /// When the trial of an open one began.
    trial: Option<Instant>,
}

impl Breaker {
    /// Whether it is left alone at this time.
    pub fn is_open(&self, now: Instant) -> bool {
        self.lock().open.is_some_and(|(until, _)| now < until)
    }

    /// Whether a request may go there now: always while it is closed, one at a time afterwards.
    pub fn may_try(&self, now: Instant) -> bool {
        let state = self.lock();
        match state.open {
            None => true,
            // A trial that was dropped without an outcome blocks nobody for long.
            Some((until, pause)) => {
                now >= until && state.trial.is_none_or(|began| now >= began + pause)
            }
        }
    }

    /// A request goes there.
    pub fn tried(&self, now: Instant) {
        let mut state = self.lock();
        state.trial = state.open.map(|_| now);
    }

    pub fn succeeded(&self) {
        *self.lock() = State::default();
    }

    pub fn failed(&self, now: Instant) {
        let mut state = self.lock();
        state.failures += 1;
        state.trial = None;
        let pause = match state.open {
            Some((until, _)) if now < until => return,
            Some((_, pause)) => (pause * 2).min(OPEN_MAX),
            None if state.failures >= FAILURES_MAX => OPEN_FIRST,
            None => return,
        };
        state.open = Some((now + pause, pause));
    }

    /// How long until somebody may try.
    pub fn opens_in(&self, now: Instant) -> Duration {
        let state = self.lock();
        state
            .open
            .map_or(Duration::ZERO, |(until, _)| until.duration_since(now))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_and_a_trial_closes_it() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES_MAX {
            breaker.failed(start);
        }
        assert!(breaker.may_try(start));
        breaker.failed(start);
        assert!(breaker.is_open(start) && !breaker.may_try(start));
        let later = start + OPEN_FIRST;
        assert!(breaker.may_try(later));
        breaker.tried(later);
        assert!(!breaker.may_try(later), "one trial at a time");
        breaker.failed(later);
        assert!(breaker.is_open(later + OPEN_FIRST), "twice as long");
        breaker.succeeded();
        assert!(breaker.may_try(later));
    }

    #[test]
    fn it_is_never_left_alone_for_longer_than_the_bound() {
        let (breaker, mut now) = (Breaker::default(), Instant::now());
        for _ in 0..100 {
            breaker.failed(now);
            assert!(breaker.opens_in(now) <= OPEN_MAX);
            now += OPEN_MAX;
        }
    }
}
