//! What makes an answer good in one parameter: rules, each turning one transcript into a score.

use super::plugin::{Plugin, Question};
use super::suite::Case;
use super::transcript::{ANSWER, Transcript, paraphrase, verdict};
use aigen_functions::holds;
use aigen_types::PPM;
use anyhow::{Context, Result, bail, ensure};
use jsonschema::{PatternOptions, Validator};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// One parameter's rules and what each weighs.
#[derive(Debug)]
pub struct Check {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    weight: u32,
    extract: Option<Regex>,
    rule: Rule,
}

/// What makes an answer pass.
#[derive(Debug)]
pub enum Rule {
    /// The part is one of the values in the case's field.
    Equals(String),
    /// The part is the case's label, of these labels.
    Label {
        /// The field with the right label.
        field: String,
        /// All labels; an answer that is none of them is wrong.
        labels: Vec<String>,
    },
    /// The part stands in the case's field, word for word.
    Within(String),
    /// The part has a form.
    Matches(Regex),
    /// None of the values in the case's field occurs in the part.
    Forbids(String),
    /// The part is JSON that holds what the case's field, as JSON, expects.
    Holds(String),
    /// The part is JSON that satisfies a schema.
    Schema(Box<Validator>),
    /// The part is the same however the question is put.
    Agrees,
    /// Another model finds the answer at least as good as the one in the case's field.
    Judge(Judge),
    /// A program says.
    Command(Plugin),
}

/// See [`Rule::Judge`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    /// The model that judges.
    pub model: String,
    /// The field with the answer to compare with.
    pub against: String,
    /// What it is asked. `{first}` and `{second}` are the two answers, `{question}` the prompt,
    /// and the case's fields are filled in as everywhere.
    pub prompt: String,
}

/// A part as a suite's file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "one")]
    weight: u32,
    extract: Option<String>,
    equals: Option<String>,
    label: Option<String>,
    labels: Option<Vec<String>>,
    within: Option<String>,
    matches: Option<String>,
    forbids: Option<String>,
    holds: Option<String>,
    schema: Option<Value>,
    agrees: Option<bool>,
    judge: Option<Judge>,
    command: Option<Vec<String>>,
}

fn one() -> u32 {
    1
}

impl Check {
    /// Reads one rule, or a list of them.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn read(value: toml::Value, suite: &str) -> Result<Self> {
        let parts = match value {
            toml::Value::Array(parts) => parts,
            part => vec![part],
        };
        let read = |(at, part): (usize, toml::Value)| {
            let written: Written = part.try_into()?;
            written
                .part(suite)
                .with_context(|| format!("rule {}", at + 1))
        };
        let parts: Vec<_> = parts
            .into_iter()
            .enumerate()
            .map(read)
            .collect::<Result<_>>()?;
        ensure!(
            parts.iter().any(|part| part.weight > 0),
            "no rule has a weight"
        );
        Ok(Self { parts })
    }

    /// Fields that a case must have.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.rule.field())
    }

    /// Whether the question has to be put in other words, too.
    pub fn compares_paraphrases(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part.rule, Rule::Agrees))
    }

    /// The judges among the rules, with their places.
    pub fn judges(&self) -> impl Iterator<Item = (usize, &Judge)> {
        let parts = self.parts.iter().enumerate();
        parts.filter_map(|(at, part)| match &part.rule {
            Rule::Judge(judge) => Some((at, judge)),
            _ => None,
        })
    }

    /// How good a transcript is, in parts per million, rounded down: the weighted mean of its
    /// rules.
    ///
    /// # Errors
    /// When a program that should say so does not.
    pub fn score(&self, parameter: &str, case: &Case, transcript: &Transcript) -> Result<u32> {
        let (mut sum, mut weights) = (0_u64, 0_u64);
        for (at, part) in self.parts.iter().enumerate() {
            let score = part.score((parameter, at), case, transcript)?;
            sum += u64::from(score) * u64::from(part.weight);
            weights += u64::from(part.weight);
        }
        Ok(u32::try_from(sum / weights.max(1))?)
    }
}

impl Part {
    fn score(&self, place: (&str, usize), case: &Case, transcript: &Transcript) -> Result<u32> {
        let answer = transcript.text(ANSWER);
        Ok(match &self.rule {
            Rule::Agrees => self.agreement(answer, transcript),
            Rule::Judge(_) => {
                let won = |order| transcript.text(&verdict(place, order)) == FAVOURABLE[order];
                let won = u64::from(won(0)) + u64::from(won(1));
                ppm(won, 2)
            }
            Rule::Command(plugin) => plugin.ask(&Question {
                parameter: place.0,
                case: case.as_json(),
                answer,
                part: self.part_of(answer),
            })?,
            rule => ppm(u64::from(self.passes(rule, case, answer)), 1),
        })
    }

    fn passes(&self, rule: &Rule, case: &Case, answer: &str) -> bool {
        let Some(part) = self.part_of(answer) else {
            return false;
        };
        let is = |value: &String| plain(value) == plain(part);
        match rule {
            Rule::Equals(field) => case.values(field).iter().any(is),
            Rule::Label { field, labels } => {
                labels.iter().any(is) && case.values(field).iter().any(is)
            }
            Rule::Within(field) => {
                let part = plain(part);
                let fields = case.values(field).iter();
                !part.is_empty()
                    && fields
                        .into_iter()
                        .any(|text| has_words(&plain(text), &part))
            }
            Rule::Matches(pattern) => pattern.is_match(part),
            Rule::Forbids(field) => !case.values(field).iter().any(|value| part.contains(value)),
            Rule::Holds(field) => {
                let value = serde_json::from_str(part);
                let expected = serde_json::from_str(case.first(field));
                value.is_ok_and(|value| expected.is_ok_and(|expected| holds(&expected, &value)))
            }
            Rule::Schema(schema) => {
                serde_json::from_str(part).is_ok_and(|value| schema.is_valid(&value))
            }
            Rule::Agrees | Rule::Judge(_) | Rule::Command(_) => false,
        }
    }

    /// The share of paraphrases whose answer comes to the same.
    fn agreement(&self, answer: &str, transcript: &Transcript) -> u32 {
        let Some(part) = self.part_of(answer) else {
            return 0;
        };
        let others = (0..).map_while(|at| transcript.find(&paraphrase(at)));
        let same = |other: &str| {
            self.part_of(other)
                .is_some_and(|other| plain(other) == plain(part))
        };
        let (count, agreeing) = others.fold((0, 0), |(count, agreeing), other| {
            (count + 1, agreeing + u64::from(same(other)))
        });
        ppm(agreeing, count)
    }

    /// What the rule is about: the whole answer, or the first group of `extract`.
    fn part_of<'a>(&self, answer: &'a str) -> Option<&'a str> {
        match &self.extract {
            None => Some(answer),
            Some(extract) => Some(extract.captures(answer)?.get(1)?.as_str()),
        }
    }
}

impl Rule {
    fn field(&self) -> Option<&str> {
        match self {
            Self::Equals(field)
            | Self::Within(field)
            | Self::Forbids(field)
            | Self::Holds(field) => Some(field),
            Self::Label { field, .. } => Some(field),
            Self::Judge(judge) => Some(&judge.against),
            Self::Matches(_) | Self::Schema(_) | Self::Agrees | Self::Command(_) => None,
        }
    }
}

impl Written {
    fn part(self, suite: &str) -> Result<Part> {
        let extract = self
            .extract
            .map(|pattern| Regex::new(&pattern))
            .transpose()?;
        let matches = self
            .matches
            .map(|pattern| Regex::new(&pattern))
            .transpose()?;
        let label = match (self.label, self.labels) {
            (Some(field), Some(labels)) => Some(Rule::Label { field, labels }),
            (None, None) => None,
            _ => bail!("`label` names the case's field, `labels` all there are: give both"),
        };
        let command = self
            .command
            .map(|command| Plugin::new(suite, command))
            .transpose()?;
        let rules = [
            self.equals.map(Rule::Equals),
            label,
            self.within.map(Rule::Within),
            matches.map(Rule::Matches),
            self.forbids.map(Rule::Forbids),
            self.holds.map(Rule::Holds),
            self.schema.map(|schema| compiled(&schema)).transpose()?,
            self.agrees.filter(|agrees| *agrees).map(|_| Rule::Agrees),
            self.judge.map(Rule::Judge),
            command.map(Rule::Command),
        ];
        let mut rules: Vec<_> = rules.into_iter().flatten().collect();
        let (Some(rule), true) = (rules.pop(), rules.is_empty()) else {
            bail!(
                "say exactly one of equals, label, within, matches, forbids, holds, schema, agrees, judge, command"
            )
        };
        let weight = self.weight;
        Ok(Part {
            weight,
            extract,
            rule,
        })
    }
}

/// A schema, or the JSON text of one: TOML has no `null`.
fn compiled(schema: &Value) -> Result<Rule> {
    let read = schema.as_str().map(serde_json::from_str::<Value>);
    let read = read.transpose().context("schema")?;
    let schema = read.as_ref().unwrap_or(schema);
    // Its patterns are a stranger's: only such as take linear time. Nothing is fetched.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let schema = options.build(schema);
    let schema = schema.map_err(|error| anyhow::anyhow!("schema: {error}"))?;
    Ok(Rule::Schema(Box::new(schema)))
}

/// What a judge says in favour of the answer: it is the first in the first order, the second in
/// the second, so that a judge that always names the same place favours nobody.
pub const FAVOURABLE: [&str; 2] = ["first", "second"];

/// A share in parts per million, rounded down; of nothing, none.
pub fn ppm(part: u64, whole: u64) -> u32 {
    let parts = (part * PPM).checked_div(whole).unwrap_or(0);
    u32::try_from(parts).expect("at most one whole")
}

/// Case, blanks and a final full stop do not make an answer wrong.
fn plain(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_lowercase()
}

/// Whole words: `Ann` does not stand in `Anna`.
fn has_words(text: &str, words: &str) -> bool {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    text.match_indices(words).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !is_word(before) && !is_word(after)
    })
}
