use super::check::Check;
use super::transcript::Transcript;
use aigen_types::{Digest, Slug};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A question to a controller and what counts as a good answer.
#[derive(Debug)]
pub struct Suite {
    /// Its name, by which assignments refer to it.
    pub name: Slug,
    /// Hash of its text: answers to another version of it say nothing.
    pub version: Digest,
    /// The user message; `{field}` is filled from the case.
    pub prompt: String,
    /// The same in other words, for checks that compare.
    pub paraphrases: Vec<String>,
    /// Fields of the case that the controller is given too.
    pub params: Vec<String>,
    /// Output tokens an answer may have.
    pub max_tokens: u32,
    /// By parameter: what makes an answer good.
    pub checks: BTreeMap<Slug, Check>,
    /// Controllers of known quality, if the suite can make some.
    pub planted: Option<Planting>,
    /// The questions.
    pub cases: Vec<Case>,
}

/// A suite as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    prompt: String,
    #[serde(default)]
    paraphrases: Vec<String>,
    params: Vec<String>,
    max_tokens: u32,
    checks: BTreeMap<String, toml::Value>,
    planted: Option<Planting>,
    case: Vec<Case>,
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
    /// Cases, from the first on, in which it answers a paraphrase wrongly.
    #[serde(default)]
    pub unsteady: usize,
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

impl Field {
    fn as_json(&self) -> Value {
        match self {
            Self::One(text) => text.clone().into(),
            Self::Many(texts) => texts.clone().into(),
        }
    }
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
    pub fn param(&self, field: &str) -> Value {
        self.0.get(field).map_or(Value::Null, Field::as_json)
    }

    /// All fields.
    pub fn as_json(&self) -> Value {
        let fields = self.0.iter();
        fields
            .map(|(name, field)| (name.clone(), field.as_json()))
            .collect()
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
    /// Where the text is not one, by line; a check that cannot be made; or a field that a check
    /// needs and a case lacks.
    pub fn parse(text: &str) -> Result<Self> {
        let written: Written = toml::from_str(text).context("this is not an evaluation suite")?;
        let Written { name, checks, .. } = written;
        let check = |(parameter, rules): (String, toml::Value)| {
            let check = Check::read(rules, &name);
            let check = check.with_context(|| format!("suite {name}: checks.{parameter}"))?;
            let parameter = parameter
                .parse()
                .with_context(|| format!("checks.{parameter}"))?;
            Ok((parameter, check))
        };
        let suite = Self {
            checks: checks.into_iter().map(check).collect::<Result<_>>()?,
            name: name.parse().context("name")?,
            version: Digest(*blake3::hash(text.as_bytes()).as_bytes()),
            prompt: written.prompt,
            paraphrases: written.paraphrases,
            params: written.params,
            max_tokens: written.max_tokens,
            planted: written.planted,
            cases: written.case,
        };
        suite.check()?;
        Ok(suite)
    }

    fn check(&self) -> Result<()> {
        let name = &self.name;
        ensure!(!self.cases.is_empty(), "suite {name} has no cases");
        ensure!(!self.checks.is_empty(), "suite {name} checks nothing");
        let needed = self.checks.values().flat_map(Check::fields);
        for field in needed.chain(self.params.iter().map(String::as_str)) {
            let lacking = self
                .cases
                .iter()
                .position(|case| !case.0.contains_key(field));
            if let Some(at) = lacking {
                bail!("suite {name}: case {} has no field `{field}`", at + 1);
            }
        }
        for (parameter, check) in &self.checks {
            if check.compares_paraphrases() && self.paraphrases.is_empty() {
                bail!("suite {name}: checks.{parameter} compares paraphrases, and there are none");
            }
            if self.planted.is_some() && check.judges().next().is_some() {
                bail!(
                    "suite {name}: nothing can be planted where a model judges `{parameter}`: the truth would not be exact"
                );
            }
        }
        Ok(())
    }

    /// How often each case's question is put to the controller.
    pub fn wordings(&self) -> impl Iterator<Item = &str> {
        let compared = self.checks.values().any(Check::compares_paraphrases);
        let others = self.paraphrases.iter().filter(move |_| compared);
        std::iter::once(&self.prompt)
            .chain(others)
            .map(String::as_str)
    }

    /// Each parameter's score of these transcripts, one per case: their mean, in parts per
    /// million, rounded down.
    ///
    /// # Errors
    /// When a check that is a program does not answer.
    pub fn scores(&self, transcripts: &[Transcript]) -> Result<BTreeMap<Slug, u32>> {
        let score = |(parameter, check): (&Slug, &Check)| {
            let judged = self.cases.iter().zip(transcripts);
            let scores = judged.map(|(case, transcript)| {
                check
                    .score(parameter.as_str(), case, transcript)
                    .map(u64::from)
            });
            let sum: u64 = scores.sum::<Result<u64>>()?;
            let mean = sum.checked_div(transcripts.len() as u64).unwrap_or(0);
            Ok((parameter.clone(), u32::try_from(mean)?))
        };
        self.checks.iter().map(score).collect()
    }
}

#[cfg(test)]
mod tests;
