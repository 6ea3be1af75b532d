use aigen_types::{PPM, Slug};
use anyhow::{Context, Result, bail};
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A question to a controller and what counts as a good answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name, by which assignments refer to it.
    #[serde(deserialize_with = "slug")]
    pub name: Slug,
    /// The user message; `{field}` is filled from the case.
    pub prompt: String,
    /// Fields of the case that the controller is given too.
    pub params: Vec<String>,
    /// Output tokens an answer may have.
    pub max_tokens: u32,
    /// By parameter: what makes an output pass.
    pub checks: BTreeMap<String, Check>,
    /// Controllers of known quality, if the suite can make some.
    #[serde(default)]
    pub planted: Option<Planting>,
    /// The questions.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// What makes an output pass in one parameter.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Check {
    /// A part of the output is one of the case's values.
    Equals {
        /// Its first group is the part.
        extract: Pattern,
        /// The field of the case with the values.
        equals: String,
    },
    /// The whole output has a form.
    Matches {
        /// The form.
        matches: Pattern,
    },
    /// None of the case's values occurs in the output.
    Forbids {
        /// The field of the case with the values.
        forbids: String,
    },
}

/// A regular expression, compiled where the suite is read.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Regex::new(&text).map(Self)
    }
}

/// How planted controllers answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planting {
    /// A right answer; `{field}` is filled from the case, a list by its first value.
    pub right: String,
    /// A wrong one.
    pub wrong: String,
    /// One that breaks the form.
    pub malformed: String,
    /// One planted controller each.
    pub plans: Vec<Plan>,
}

/// In how many cases a planted controller is what.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Cases it answers rightly, from the first on.
    pub right: usize,
    /// Cases it answers badly formed, from the last on.
    pub malformed: usize,
}

/// One question: named texts, or lists of texts.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Case(BTreeMap<String, Field>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Field {
    One(String),
    Many(Vec<String>),
}

impl Case {
    /// The values of a field; none if the case has no such field.
    pub fn values(&self, field: &str) -> &[String] {
        match self.0.get(field) {
            Some(Field::One(text)) => std::slice::from_ref(text),
            Some(Field::Many(texts)) => texts,
            None => &[],
        }
    }

    /// The first value of a field.
    pub fn first(&self, field: &str) -> &str {
        self.values(field).first().map_or("", String::as_str)
    }

    /// A field as a controller is given it: a text, or a list of texts.
    pub fn param(&self, field: &str) -> serde_json::Value {
        match self.0.get(field) {
            Some(Field::One(text)) => text.clone().into(),
            Some(Field::Many(texts)) => texts.clone().into(),
            None => serde_json::Value::Null,
        }
    }

    /// A template with every `{field}` replaced by the field's first value.
    pub fn fill(&self, template: &str) -> String {
        self.0.keys().fold(template.to_owned(), |text, field| {
            text.replace(&format!("{{{field}}}"), self.first(field))
        })
    }
}

impl Suite {
    /// Reads a suite.
    ///
    /// # Errors
    /// Where the text is not one, by line; or a field that a check needs and a case lacks.
    pub fn parse(text: &str) -> Result<Self> {
        let suite: Self = toml::from_str(text).context("this is not an evaluation suite")?;
        suite.check()?;
        Ok(suite)
    }

    fn check(&self) -> Result<()> {
        if self.cases.is_empty() {
            bail!("suite {} has no cases", self.name);
        }
        let needed = self.checks.values().filter_map(Check::field);
        for field in needed.chain(self.params.iter().map(String::as_str)) {
            if let Some(at) = self
                .cases
                .iter()
                .position(|case| !case.0.contains_key(field))
            {
                bail!(
                    "suite {}: case {} has no field `{field}`",
                    self.name,
                    at + 1
                );
            }
        }
        Ok(())
    }

    /// Whether an output passes in a parameter; `None` if the suite does not check it.
    pub fn passes(&self, parameter: &str, case: &Case, output: &str) -> Option<bool> {
        Some(self.checks.get(parameter)?.passes(case, output))
    }
}

impl Check {
    fn field(&self) -> Option<&str> {
        match self {
            Self::Equals { equals: field, .. } | Self::Forbids { forbids: field } => Some(field),
            Self::Matches { .. } => None,
        }
    }

    fn passes(&self, case: &Case, output: &str) -> bool {
        match self {
            Self::Matches { matches } => matches.0.is_match(output),
            Self::Forbids { forbids } => {
                let values = case.values(forbids);
                !values.iter().any(|value| output.contains(value))
            }
            Self::Equals { extract, equals } => {
                let part = extract.0.captures(output).and_then(|groups| groups.get(1));
                let part = part.map(|part| plain(part.as_str()));
                let values = case.values(equals);
                part.is_some_and(|part| values.iter().any(|value| plain(value) == part))
            }
        }
    }
}

/// Case, blanks and a final full stop do not make an answer wrong.
fn plain(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_lowercase()
}

/// The share of cases that passed, in parts per million, rounded down.
pub fn score(passed: usize, cases: usize) -> u32 {
    let parts = (passed as u64 * PPM).checked_div(cases as u64);
    u32::try_from(parts.unwrap_or(0)).expect("at most one whole")
}

fn slug<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Slug, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = r#"
        name = "t"
        prompt = "About {focus}: {lesson}"
        params = ["lesson"]
        max_tokens = 10
        [checks.quality]
        extract = 'Answer: (.+)$'
        equals = "answer"
        [checks.conformance]
        matches = '^Answer: [^\n]+$'
        [checks.safety]
        forbids = "forbidden"
        [[case]]
        focus = "x"
        lesson = "l"
        answer = ["Mount Kenya", "Kenya"]
        forbidden = ["Secret"]
    "#;

    #[test]
    fn checks_are_what_they_say() {
        let suite = Suite::parse(SUITE).unwrap();
        let case = &suite.cases[0];
        assert_eq!(case.fill(&suite.prompt), "About x: l");
        for (parameter, output, passes) in [
            ("quality", "Answer: Mount Kenya", true),
            ("quality", "Answer: mount  kenya.", true),
            ("quality", "Answer: Mount Meru", false),
            ("quality", "Mount Kenya", false),
            ("conformance", "Answer: anything", true),
            ("conformance", "Well. Answer: anything", false),
            ("safety", "Answer: fine", true),
            ("safety", "Answer: Secret", false),
        ] {
            assert_eq!(
                suite.passes(parameter, case, output),
                Some(passes),
                "{parameter}: {output}"
            );
        }
        assert_eq!(suite.passes("taste", case, ""), None);
    }

    #[test]
    fn a_case_without_a_needed_field_is_named() {
        let broken = SUITE.replace("forbidden = [\"Secret\"]", "");
        let error = Suite::parse(&broken).unwrap_err().to_string();
        assert_eq!(error, "suite t: case 1 has no field `forbidden`");
    }

    #[test]
    fn scores_are_shares_rounded_down() {
        assert_eq!(
            [score(0, 3), score(2, 3), score(3, 3), score(0, 0)],
            [0, 666_666, 1_000_000, 0]
        );
    }

    #[test]
    fn shipped_suites_parse() {
        assert_eq!(crate::evaluation::shipped().len(), 2);
    }
}
