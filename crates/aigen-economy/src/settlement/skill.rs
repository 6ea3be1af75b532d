//! §6, first half: a validator's skill against hidden truth.

use super::evidence::Evidence;
use super::int::{Int, PPM};
use super::params::Params;
use super::working::GoldWorking;

/// Compares a validator's answers with the answer of whoever always says the median truth.
///
/// `evidence` is ordered by truth.
pub(super) fn judge(params: &Params, evidence: &[Evidence]) -> GoldWorking {
    let middle = evidence.len().div_euclid(2);
    let Some(median) = evidence.get(middle).map(|item| item.truth) else {
        return GoldWorking::default();
    };
    let reference: Int = evidence
        .iter()
        .map(|item| (item.truth - median).abs())
        .sum();
    let loss: Int = evidence.iter().map(loss).sum();
    let spread = Int::from(params.gold_min_spread) * Int::from(evidence.len());
    let judged = reference > Int::ZERO && reference >= spread;
    let x = ((reference - loss) * PPM / reference).clamp(-PPM, PPM);
    GoldWorking {
        pairs: evidence.len(),
        median: median.ppm(),
        reference: reference.count(),
        loss: loss.count(),
        x: judged.then_some(x.signed()),
    }
}

/// `skill += (x − skill)*alpha_gold//PPM`; unchanged when there is no `x`.
pub(super) fn learn(params: &Params, skill: i64, gold: &GoldWorking) -> i64 {
    let Some(x) = gold.x else { return skill };
    let skill = Int::from(skill);
    (skill + (Int::from(x) - skill) * params.alpha_gold.into() / PPM).signed()
}

/// `|truth − r|`; a missing answer costs `max(truth, PPM − truth)`, the worst there is.
fn loss(item: &Evidence) -> Int {
    match item.report {
        Some(report) => (item.truth - report).abs(),
        None => item.truth.max(PPM - item.truth),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn answers_are_compared_with_the_median_truth() {
        let check = |pairs: &[(i128, Option<i128>)], median: u32, sums, x| {
            let evidence = pairs.iter();
            let evidence: Vec<Evidence> = evidence
                .map(|(truth, report)| Evidence::new(Int::new(*truth), report.map(Int::new)))
                .collect();
            let gold = judge(&Params::default(), &evidence);
            let of_working = (gold.median.parts(), (gold.reference, gold.loss), gold.x);
            assert_eq!(of_working, (median, sums, x), "{pairs:?}");
        };
        check(&[], 0, (0, 0), None);
        // One truth has no spread, and so have equal ones.
        check(&[(7, Some(7))], 7, (0, 0), None);
        check(&[(7, Some(7)), (7, None)], 7, (0, 999_993), None);
        // Of an even number, the upper one of the two in the middle.
        let (low, high) = (200_000, 800_000);
        let sums = |loss| (600_000, loss);
        check(
            &[(low, Some(low)), (high, Some(high))],
            800_000,
            sums(0),
            Some(1_000_000),
        );
        check(
            &[(low, Some(high)), (high, Some(high))],
            800_000,
            sums(600_000),
            Some(0),
        );
        check(
            &[(low, None), (high, None)],
            800_000,
            sums(1_600_000),
            Some(-1_000_000),
        );
        // Closer together than 50,000 on average tells nothing.
        let narrow = [(0, Some(0)), (99_999, Some(0))];
        check(&narrow, 99_999, (99_999, 99_999), None);
        let wide_enough = [(0, Some(0)), (100_000, Some(0))];
        check(&wide_enough, 100_000, (100_000, 100_000), Some(0));
    }
}
