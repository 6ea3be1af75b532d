//! §2: measured values. They come from the node's own telemetry, never from the payee.

use super::int::{Int, PPM};
use aigen_types::Ppm;

/// Calls that the prior counts for: a controller's first failures weigh less than its thousandth.
const PRIOR_CALLS: u64 = 20;

/// `(ok*PPM + 20*prior)//(n+20)`: the share of `calls` that ended without the controller's fault.
///
/// `ok` above `calls` counts as all of them.
#[must_use]
pub fn reliability(ok: u64, calls: u64, prior: Ppm) -> Ppm {
    let prior_calls = Int::from(PRIOR_CALLS);
    let ok = Int::from(ok.min(calls));
    ((ok * PPM + prior_calls * prior.into()) / (Int::from(calls) + prior_calls)).ppm()
}

/// `PPM − min(PPM, overhead_us*PPM//budget_us)`: how much of its time budget a controller left.
///
/// Without a budget only no overhead at all is good.
#[must_use]
pub fn latency(overhead_us: u64, budget_us: u64) -> Ppm {
    if budget_us == 0 {
        return if overhead_us == 0 {
            Ppm::ONE
        } else {
            Ppm::ZERO
        };
    }
    let spent = Int::from(overhead_us) * PPM / budget_us.into();
    (PPM - spent.min(PPM)).ppm()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ppm(parts: u32) -> Ppm {
        Ppm::new(parts).unwrap()
    }

    #[test]
    fn reliability_starts_at_the_prior() {
        for (ok, calls, expected) in [
            (0, 0, 300_000),
            (1, 1, 333_333),
            (20, 20, 650_000),
            (0, 20, 150_000),
            (1_000_000, 1_000_000, 999_986),
            (u64::MAX, u64::MAX, 999_999),
            (5, 1, 333_333),
        ] {
            assert_eq!(
                reliability(ok, calls, ppm(300_000)),
                ppm(expected),
                "{ok}/{calls}"
            );
        }
    }

    #[test]
    fn latency_is_what_is_left_of_the_budget() {
        for (overhead_us, budget_us, expected) in [
            (0, 1_000, 1_000_000),
            (200, 1_000, 800_000),
            (1, 3, 666_667),
            (1_000, 1_000, 0),
            (u64::MAX, 1, 0),
            (0, 0, 1_000_000),
            (1, 0, 0),
        ] {
            assert_eq!(latency(overhead_us, budget_us), ppm(expected));
        }
    }
}
