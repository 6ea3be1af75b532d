use super::ApiError;
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt};

/// Choices OpenAI allows per request.
const CHOICES_MAX: u32 = 128;
/// Stop sequences OpenAI allows per request.
const STOPS_MAX: usize = 4;
/// Bytes of one of them, which a session here looks for at every token.
const STOP_BYTES_MAX: usize = 256;
/// Nothing is divided by 0, or by so little that everything else is nothing.
const REPETITION_PENALTY_MIN: f64 = 0.01;
/// Alternatives OpenAI allows per token.
pub(super) const TOP_LOGPROBS_MAX: u32 = 20;

/// How the next token is chosen and when to stop: what every completion request
/// has in common, whichever route it came by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Most tokens of one answer; `None`: as many as fit.
    pub max_tokens: Option<u32>,
    /// 0 to 2; 0 always takes the likeliest token.
    pub temperature: Option<f64>,
    /// 0 to 1: only the likeliest tokens of this total probability.
    pub top_p: Option<f64>,
    /// How many answers; 1 to 128.
    pub choices: u32,
    /// Texts that end the answer and are not part of it; at most 4, none empty.
    pub stop: Vec<String>,
    /// Same seed, model, request: same answer.
    pub seed: Option<i64>,
    /// −2 to 2: tokens that occurred become less likely.
    pub presence_penalty: Option<f64>,
    /// −2 to 2: the same, by how often they occurred.
    pub frequency_penalty: Option<f64>,
    /// Token id to what is added to its logit, −100 to 100.
    pub logit_bias: BTreeMap<u32, f64>,
    /// Only so many of the likeliest tokens, at least 1; `None`: all.
    pub top_k: Option<u32>,
    /// 0 to 1: only tokens at least this times as likely as the likeliest.
    pub min_p: Option<f64>,
    /// Above 0, at most 2: tokens that occurred become less likely by division, above 1.
    pub repetition_penalty: Option<f64>,
    /// Alternatives reported per token, 0 to 20; `None`: no log-probabilities.
    pub logprobs: Option<u32>,
}

impl Sampling {
    /// # Errors
    /// The first value that is out of its range.
    pub fn check(&self) -> Result<(), ApiError> {
        within("temperature", self.temperature, 0.0, 2.0)?;
        within("top_p", self.top_p, 0.0, 1.0)?;
        within("presence_penalty", self.presence_penalty, -2.0, 2.0)?;
        within("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?;
        within("min_p", self.min_p, 0.0, 1.0)?;
        within(
            "repetition_penalty",
            self.repetition_penalty,
            REPETITION_PENALTY_MIN,
            2.0,
        )?;
        if self.top_k == Some(0) {
            return Err(ApiError::invalid("top_k", "must be at least 1"));
        }
        for bias in self.logit_bias.values() {
            within("logit_bias", Some(*bias), -100.0, 100.0)?;
        }
        if self.max_tokens == Some(0) {
            return Err(ApiError::invalid("max_tokens", "must be at least 1"));
        }
        if self.choices == 0 || self.choices > CHOICES_MAX {
            return Err(ApiError::invalid("n", "must be between 1 and 128"));
        }
        if self.logprobs > Some(TOP_LOGPROBS_MAX) {
            return Err(ApiError::invalid("top_logprobs", "must be at most 20"));
        }
        self.check_stops("stop", STOPS_MAX)
    }

    /// # Errors
    /// More texts that end the answer than a route takes, an empty one, or one that is too long.
    pub(crate) fn check_stops(&self, param: &str, most: usize) -> Result<(), ApiError> {
        let wrong = |message: String| Err(ApiError::invalid(param, message));
        if self.stop.len() > most {
            return wrong(format!("takes at most {most} texts"));
        }
        if self.stop.iter().any(String::is_empty) {
            return wrong("an empty text would stop at once".to_owned());
        }
        if self.stop.iter().any(|stop| stop.len() > STOP_BYTES_MAX) {
            return wrong(format!("each text has at most {STOP_BYTES_MAX} bytes"));
        }
        Ok(())
    }
}

fn within(param: &str, value: Option<f64>, low: f64, high: f64) -> Result<(), ApiError> {
    match value {
        Some(value) if !(low..=high).contains(&value) => Err(ApiError::invalid(
            param,
            format!("must be between {low} and {high}, not {}", shortly(value)),
        )),
        _ => Ok(()),
    }
}

/// As people write it: a number of 300 digits says no more than its power of ten.
fn shortly(number: f64) -> String {
    match number.abs() < 1e9 {
        true => number.to_string(),
        false => format!("{number:e}"),
    }
}

/// `null`, one text, or a list of texts.
pub(super) fn none_one_or_many<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<String>, D::Error> {
    struct TextsVisitor;

    impl<'de> de::Visitor<'de> for TextsVisitor {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, texts: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(de::value::SeqAccessDeserializer::new(texts))
        }
    }

    from.deserialize_any(TextsVisitor)
}

/// `null` or a list.
pub(super) fn none_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
