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
