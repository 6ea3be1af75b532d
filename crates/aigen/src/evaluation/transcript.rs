//! What was asked about one case and what came back.

use std::collections::BTreeMap;

/// The name of the question as the suite puts it.
pub const ANSWER: &str = "answer";

/// The name of the question in other words.
pub fn paraphrase(at: usize) -> String {
    format!("paraphrase/{at}")
}

/// The name of what a judge is asked: for which rule of which parameter, and in which order.
pub fn verdict((parameter, rule): (&str, usize), order: usize) -> String {
    format!("judge/{parameter}/{rule}/{order}")
}

/// Every answer of one case, by what was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript(BTreeMap<String, String>);

impl Transcript {
    /// Of a case that was asked once.
    pub fn of_answer(answer: impl Into<String>) -> Self {
        let mut transcript = Self::default();
        transcript.add(ANSWER, answer);
        transcript
    }

    /// Adds an answer.
    pub fn add(&mut self, asked: impl Into<String>, answer: impl Into<String>) {
        self.0.insert(asked.into(), answer.into());
    }

    /// The answer; none if this was not asked.
    pub fn find(&self, asked: &str) -> Option<&str> {
        self.0.get(asked).map(String::as_str)
    }

    /// The answer; empty if this was not asked.
    pub fn text(&self, asked: &str) -> &str {
        self.find(asked).unwrap_or_default()
    }
}
