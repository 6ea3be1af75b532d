use super::suite::{Plan, Planting, Suite, score};
use aigen_network::script_key;
use aigen_types::{Digest, Slug};
use std::collections::BTreeMap;

/// A controller whose quality the operator knows exactly.
#[derive(Debug)]
pub struct Planted {
    /// Its source: a script of fixed answers, one per case.
    pub source: String,
    /// By parameter: the exact share of cases it passes, in parts per million.
    pub truths: BTreeMap<String, u32>,
}

impl Planted {
    /// The planted controllers of a suite; none if it makes none.
    pub fn all(suite: &Suite) -> Vec<Self> {
        let Some(planting) = &suite.planted else {
            return Vec::new();
        };
        let plans = planting.plans.iter();
        plans
            .map(|plan| Self::new(suite, planting, *plan))
            .collect()
    }

    fn new(suite: &Suite, planting: &Planting, plan: Plan) -> Self {
        let outputs: Vec<_> = suite
            .cases
            .iter()
            .enumerate()
            .map(|(at, case)| case.fill(planting.form(plan, at, suite.cases.len())))
            .collect();
        let script: BTreeMap<_, _> = suite
            .cases
            .iter()
            .map(|case| script_key(&case.fill(&suite.prompt)))
            .zip(&outputs)
            .collect();
        Self {
            source: serde_json::to_string(&script).expect("texts are JSON"),
            truths: truths(suite, &outputs),
        }
    }
}

impl Planting {
    fn form(&self, plan: Plan, at: usize, cases: usize) -> &str {
        if at < plan.right {
            &self.right
        } else if at + plan.malformed >= cases {
            &self.malformed
        } else {
            &self.wrong
        }
    }
}

fn truths(suite: &Suite, outputs: &[String]) -> BTreeMap<String, u32> {
    let share = |parameter: &String| {
        let judged = suite.cases.iter().zip(outputs);
        let passed =
            judged.filter(|(case, output)| suite.passes(parameter, case, output) == Some(true));
        score(passed.count(), outputs.len())
    };
    suite
        .checks
        .keys()
        .map(|parameter| (parameter.clone(), share(parameter)))
        .collect()
}

/// The salt of a hidden truth's commitment: derived, so that nothing has to be kept secret but
/// the operator's key.
pub fn salt(operator_key: &str, epoch: u64, controller: Digest, parameter: &Slug) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("aigen gold salt v1");
    hasher.update(operator_key.as_bytes());
    hasher.update(&epoch.to_le_bytes());
    hasher.update(&controller.0);
    hasher.update(parameter.as_str().as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truths_follow_from_the_plans() {
        let suites = crate::evaluation::shipped();
        let quiz = &suites[0];
        let planted = Planted::all(quiz);
        let quality: Vec<_> = planted.iter().map(|p| p.truths["quality"]).collect();
        let conformance: Vec<_> = planted.iter().map(|p| p.truths["conformance"]).collect();
        assert_eq!(quality, [1_000_000, 600_000, 100_000]);
        assert_eq!(conformance, [1_000_000, 800_000, 600_000]);
        assert!(
            Planted::all(&suites[1]).is_empty(),
            "this suite plants nothing"
        );
    }
}
