//! How likely each label is, from the one answer that chose among them.

use crate::AiError;
use aigen_api::openai::{ChatResponse, TokenLogprob};
use serde_json::Value;

/// Alternatives that are asked for: as many as OpenAI's API gives.
pub(crate) const TOP: u32 = 20;

/// The labels of a type's schema; `None` if it is no choice of texts.
pub(crate) fn labels(schema: &Value) -> Option<Vec<String>> {
    if let Some(label) = schema.get("const") {
        return Some(vec![label.as_str()?.to_owned()]);
    }
    if let Some(labels) = schema.get("enum") {
        let labels = labels.as_array()?.iter();
        return labels
            .map(|label| Some(label.as_str()?.to_owned()))
            .collect();
    }
    let choices = schema.get("anyOf").or_else(|| schema.get("oneOf"))?;
    let choices: Option<Vec<_>> = choices.as_array()?.iter().map(labels).collect();
    Some(choices?.concat())
}

/// Each label's share of what the model gave to all of them, in their order. A label that is not
/// among the likeliest tokens has none.
pub(crate) fn shares(reply: &ChatResponse, labels: &[String]) -> Result<Vec<f64>, AiError> {
    let written: Vec<String> = labels
        .iter()
        .map(|label| Value::from(&**label).to_string())
        .collect();
    let choice = reply.choices.first();
    let tokens = choice.and_then(|choice| choice.logprobs.as_ref()?.content.as_deref());
    let missing = || {
        AiError::refused(
            "the model's server tells no probabilities\nhint: ask a model of control level `token`",
        )
    };
    let tokens = tokens.ok_or_else(missing)?;
    let mut shares = vec![0.0; labels.len()];
    let all: Vec<usize> = (0..labels.len()).collect();
    split(&written, reply.text(), tokens, &all, 0, 1.0, &mut shares)?;
    Ok(shares)
}

/// Gives `mass` to the labels that are left, by the first token that tells them apart. What was not
/// sampled has no entry: it is what all of them begin with.
fn split(
    labels: &[String],
    answer: &str,
    tokens: &[TokenLogprob],
    left: &[usize],
    from: usize,
    mass: f64,
    shares: &mut [f64],
) -> Result<(), AiError> {
    if let [only] = left {
        shares[*only] += mass;
        return Ok(());
    }
    let common = common(labels, left);
    let place = |token: &TokenLogprob| {
        let places = (from..=common).filter(|at| answer.is_char_boundary(*at));
        places
            .into_iter()
            .find(|at| answer[*at..].starts_with(&token.token))
    };
    let found = tokens.iter().enumerate();
    let mut found = found.filter_map(|(at, token)| Some((at, token, place(token)?)));
    let Some((at, token, place)) =
        found.find(|(_, token, place)| place + token.token.len() > common)
    else {
        return Err(AiError::refused("no token tells the labels apart"));
    };
    let (mut groups, mut sum) = (Vec::new(), 0.0);
    for (text, logprob) in alternatives(token) {
        let fits = |label: &&usize| {
            let rest = &labels[**label][place..];
            rest.starts_with(text) || text.starts_with(rest)
        };
        let group: Vec<usize> = left.iter().filter(fits).copied().collect();
        // What all of them begin with tells nothing.
        if place + text.len() > common && !group.is_empty() {
            sum += logprob.exp();
            groups.push((text, group, logprob.exp()));
        }
    }
    for (text, group, probability) in groups {
        let share = if sum > 0.0 {
            mass * probability / sum
        } else {
            0.0
        };
        if text == token.token || group.len() == 1 {
            let next = place + text.len();
            split(
                labels,
                answer,
                &tokens[at + 1..],
                &group,
                next,
                share,
                shares,
            )?;
        } else {
            let names: Vec<_> = group.iter().map(|label| labels[*label].as_str()).collect();
            return Err(AiError::refused(format!(
                "{} begin with the same token, and one pass does not tell them apart\nhint: rename all but one",
                names.join(" and ")
            )));
        }
    }
    Ok(())
}

/// What might have come at a token's place, itself among it.
fn alternatives(token: &TokenLogprob) -> Vec<(&str, f64)> {
    let others = token.top_logprobs.iter();
    let others = others.map(|other| (other.token.as_str(), other.logprob));
    let mut all: Vec<_> = others.filter(|(text, _)| *text != token.token).collect();
    all.push((token.token.as_str(), token.logprob));
    all
}

/// Bytes that all labels begin with.
fn common(labels: &[String], left: &[usize]) -> usize {
    let first = &labels[left[0]];
    let same = |length: &usize| {
        let begin = first.as_bytes().get(..*length);
        left.iter()
            .all(|label| labels[*label].as_bytes().get(..*length) == begin)
    };
    let lengths = (0..=first.len()).take_while(same);
    lengths
        .filter(|length| first.is_char_boundary(*length))
        .last()
        .unwrap_or(0)
}
