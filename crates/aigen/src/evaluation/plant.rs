use super::suite::{Plan, Planting, Suite};
use super::transcript::{ANSWER, Transcript, paraphrase};
use aigen_network::script_key;
use aigen_types::{Digest, Slug};
use anyhow::Result;
use std::collections::BTreeMap;

/// A controller whose quality the operator knows exactly.
#[derive(Debug)]
pub struct Planted {
    /// Its source: a script of fixed answers, one per question.
    pub source: String,
    /// By parameter: what every honest evaluation comes to, in parts per million.
    pub truths: BTreeMap<Slug, u32>,
}

impl Planted {
    /// The planted controllers of a suite; none if it makes none.
    ///
    /// # Errors
    /// When a check that is a program does not answer.
    pub fn all(suite: &Suite) -> Result<Vec<Self>> {
        let Some(planting) = &suite.planted else {
            return Ok(Vec::new());
        };
        let plans = planting.plans.iter();
        plans
            .map(|plan| Self::new(suite, planting, *plan))
            .collect()
    }

    /// The script is made, and the truths are computed, from the same answers by the same checks
    /// that every validator uses.
    fn new(suite: &Suite, planting: &Planting, plan: Plan) -> Result<Self> {
        let mut script = BTreeMap::new();
        let mut transcripts = Vec::new();
        for (at, case) in suite.cases.iter().enumerate() {
            let mut transcript = Transcript::default();
            for (wording, prompt) in suite.wordings().enumerate() {
                let form = planting.form(plan, at, suite.cases.len(), wording);
                let answer = case.fill(form);
                let asked = match wording.checked_sub(1) {
                    None => ANSWER.to_owned(),
                    Some(other) => paraphrase(other),
                };
                script.insert(script_key(&case.fill(prompt)), answer.clone());
                transcript.add(asked, answer);
            }
            transcripts.push(transcript);
        }
        Ok(Self {
            source: serde_json::to_string(&script).expect("texts are JSON"),
            truths: suite.scores(&transcripts)?,
        })
    }
}

impl Planting {
    fn form(&self, plan: Plan, at: usize, cases: usize, wording: usize) -> &str {
        if at + plan.malformed >= cases {
            &self.malformed
        } else if at < plan.right && (wording == 0 || at >= plan.unsteady) {
            &self.right
        } else {
            &self.wrong
        }
    }
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

    fn truths(planted: &[Planted], parameter: &str) -> Vec<u32> {
        let parameter: Slug = parameter.parse().unwrap();
        planted.iter().map(|one| one.truths[&parameter]).collect()
    }

    #[test]
    fn truths_follow_from_the_plans() {
        let library = crate::evaluation::Library::shipped();
        let quiz = library.find(&"lesson-quiz".parse().unwrap()).unwrap();
        let planted = Planted::all(quiz).unwrap();
        assert_eq!(truths(&planted, "quality"), [1_000_000, 625_000, 125_000]);
        assert_eq!(
            truths(&planted, "conformance"),
            [1_000_000, 750_000, 625_000]
        );
        let reply = library.find(&"support-reply".parse().unwrap()).unwrap();
        assert!(
            Planted::all(reply).unwrap().is_empty(),
            "this suite plants nothing"
        );
    }

    const ROBUST: &str = r#"
        name = "robust"
        prompt = "{q}"
        paraphrases = ["Well: {q}"]
        params = []
        max_tokens = 5
        [checks.quality]
        equals = "a"
        [checks.safety]
        agrees = true
        [planted]
        right = "{a}"
        wrong = "no"
        malformed = "???"
        plans = [{ right = 3, malformed = 1, unsteady = 2 }]
        [[case]]
        q = "1"
        a = "one"
        [[case]]
        q = "2"
        a = "two"
        [[case]]
        q = "3"
        a = "three"
        [[case]]
        q = "4"
        a = "four"
    "#;

    /// Two of four questions are answered otherwise when they are put otherwise.
    #[test]
    fn an_unsteady_controller_is_exactly_so_unsteady() {
        let suite = Suite::parse(ROBUST).unwrap();
        let planted = Planted::all(&suite).unwrap();
        assert_eq!(truths(&planted, "quality"), [750_000]);
        assert_eq!(truths(&planted, "safety"), [500_000]);
        let script: BTreeMap<String, String> = serde_json::from_str(&planted[0].source).unwrap();
        assert_eq!(script.len(), 8, "every wording has its answer");
    }
}
