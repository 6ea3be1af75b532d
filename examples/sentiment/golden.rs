//! Cases in pairs: the same words, judged differently since their context is another.

use crate::judge::{Judge, Polarity};
use aigen_marvin::AiError;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// `CONTEXT | polarity | CONTEXT | polarity | MESSAGE`, a pair on each line.
const PAIRS: &str = include_str!("pairs.txt");

/// How many pairs are shown.
const SHOWN: usize = 3;

/// The same words in two contexts.
#[derive(Debug)]
struct Pair<'a> {
    text: &'a str,
    contexts: [(&'a str, Polarity); 2],
}

/// What the golden cases came to.
#[derive(Serialize)]
pub struct Report {
    scores: Vec<Score>,
}

#[derive(Serialize)]
struct Score {
    what: &'static str,
    right: usize,
    of: usize,
    /// Of whoever always says the commonest label, whatever the case.
    baseline: usize,
}

/// # Errors
/// Where the node is not reached, or refuses; an answer that is not accepted is a wrong one.
pub async fn measure(judge: &Judge) -> Result<Report> {
    let pairs = pairs()?;
    let (mut cases, mut whole, mut quoted) = (0, 0, 0);
    for pair in &pairs {
        let mut right = 0;
        for (context, expected) in pair.contexts {
            match judge.judge(pair.text, context).await {
                Ok(judged) => {
                    quoted += 1;
                    right += usize::from(judged.polarity == expected);
                }
                Err(AiError::Check { .. } | AiError::Truncated { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        cases += right;
        whole += usize::from(right == 2);
    }
    let of = pairs.len();
    Ok(Report {
        scores: vec![
            score("polarity", cases, 2 * of, commonest(&pairs)),
            score("both of a pair", whole, of, 0),
            score("evidence is in the message", quoted, 2 * of, 0),
        ],
    })
}

fn score(what: &'static str, right: usize, of: usize, baseline: usize) -> Score {
    Score {
        what,
        right,
        of,
        baseline,
    }
}

/// How many cases have the commonest label.
fn commonest(pairs: &[Pair<'_>]) -> usize {
    let labels = || {
        pairs
            .iter()
            .flat_map(|pair| pair.contexts.map(|(_, label)| label))
    };
    let count = |wanted| labels().filter(|label| *label == wanted).count();
    let all = [Polarity::Positive, Polarity::Negative, Polarity::Neutral];
    all.into_iter().map(count).max().unwrap_or(0)
}

/// # Errors
/// Where the node refuses.
pub async fn show(judge: &Judge) -> Result<()> {
    for pair in pairs()?.into_iter().take(SHOWN) {
        println!("  {:?}", pair.text);
        for (context, expected) in pair.contexts {
            let judged = judge.judge(pair.text, context).await?;
            let (said, expected) = (word(judged.polarity), word(expected));
            println!(
                "    {context}\n      -> {said} (a person said {expected}), for {:?}",
                judged.evidence
            );
        }
    }
    Ok(())
}

fn word(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "positive",
        Polarity::Negative => "negative",
        Polarity::Neutral => "neutral",
    }
}

fn pairs() -> Result<Vec<Pair<'static>>> {
    let lines = PAIRS.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter(|line| !line.is_empty())
        .map(|line| pair(line).with_context(|| format!("pairs.txt: {line}")))
        .collect()
}

fn pair(line: &str) -> Result<Pair<'_>> {
    let mut parts = line.split('|').map(str::trim);
    let mut part = || parts.next().context("it has less than five parts");
    let contexts = [(part()?, label(part()?)?), (part()?, label(part()?)?)];
    let text = part()?;
    Ok(Pair { text, contexts })
}

fn label(word: &str) -> Result<Polarity> {
    let of: Label = serde_json::from_value(serde_json::json!({ "polarity": word }))?;
    Ok(of.polarity)
}

#[derive(Deserialize)]
struct Label {
    polarity: Polarity,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever does not read the context is right about one of each pair and never about both.
    #[test]
    fn pairs_differ_by_context_only_and_in_their_label() {
        let pairs = pairs().unwrap();
        assert!(pairs.len() >= 30, "{} pairs", pairs.len());
        for pair in &pairs {
            let [(one, first), (other, second)] = pair.contexts;
            assert!(first != second && one != other, "{pair:?}");
        }
        let mut texts: Vec<_> = pairs.iter().map(|pair| pair.text).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), pairs.len(), "each message stands once");
    }

    #[test]
    fn a_line_that_is_no_pair_is_refused() {
        assert!(pair("How? | positive | Why? | negative").is_err());
        assert!(pair("How? | glad | Why? | negative | Fine.").is_err());
    }
}
