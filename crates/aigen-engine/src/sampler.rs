//! From a row of logits to one token: penalties, temperature, truncation, chance.
//!
//! The order is bias, penalties, temperature, top-k, top-p, min-p. A logit of
//! `-inf` (a masked token) or NaN is never chosen. Ties go to the lower id, and
//! the same logits, parameters and [`Draw`] give the same token on every run.

mod logprobs;
mod random;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::TokenId;

pub use logprobs::{TokenLogprob, logprobs};
pub use random::Draw;

/// How tokens are chosen. The default is the distribution of the model itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits. 0 is greedy: the likeliest token, without chance.
    pub temperature: f32,
    /// Only this many of the likeliest tokens; 0 for all.
    pub top_k: u32,
    /// Only the likeliest tokens that together have this probability; 1 for all.
    pub top_p: f32,
    /// Only tokens at least this times as likely as the likeliest; 0 for all.
    pub min_p: f32,
    /// Names the stream of chance.
    pub seed: u64,
    /// Added to the logits of single tokens.
    pub bias: Vec<(TokenId, f32)>,
    /// Divides the positive and multiplies the negative logits of tokens sampled
    /// before; 1 for none.
    pub repetition_penalty: f32,
    /// Taken off the logit of every token sampled before; 0 for none.
    pub presence_penalty: f32,
    /// Taken off once for every time the token was sampled; 0 for none.
    pub frequency_penalty: f32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            seed: 0,
            bias: Vec::new(),
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
        }
    }
}

impl Sampling {
    /// The likeliest token every time.
    #[must_use]
    pub fn greedy() -> Self {
        Self {
            temperature: 0.0,
            ..Self::default()
        }
    }
}

/// The sampler of one branch: its parameters and what it has sampled. Clone it
/// when the branch forks.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    counts: BTreeMap<TokenId, u32>,
}

/// Every token is masked: nothing can be sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no token is allowed here")]
pub struct NothingAllowed;

/// Below e⁻³⁰ of the likeliest (10⁻¹³) a token is left out: even 200,000 of them
/// would be drawn once in 50 million draws, and carrying them costs time.
const NEGLIGIBLE: f32 = 30.0;

impl Sampler {
    /// A sampler that has sampled nothing yet.
    #[must_use]
    pub fn new(sampling: Sampling) -> Self {
        Self {
            sampling,
            counts: BTreeMap::new(),
        }
    }

    /// The parameters.
    #[must_use]
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Replaces the parameters; what was sampled stays counted.
    pub fn set_sampling(&mut self, sampling: Sampling) {
        self.sampling = sampling;
    }

    /// Chooses a token; `logits` are changed by bias and penalties. The choice is
    /// not counted until [`Sampler::accept`].
    ///
    /// # Errors
    /// [`NothingAllowed`] if every logit is `-inf` or NaN.
    pub fn sample(&self, logits: &mut [f32], draw: Draw) -> Result<TokenId, NothingAllowed> {
        self.adjust(logits);
        if self.sampling.temperature > 0.0 {
            let candidates = self.candidates(logits)?;
            return pick(&candidates, draw.uniform(self.sampling.seed)).ok_or(NothingAllowed);
        }
        best(logits).map(|(token, _)| token).ok_or(NothingAllowed)
    }

    /// Counts a sampled token for the penalties. Forced tokens are not counted.
    pub fn accept(&mut self, token: TokenId) {
        *self.counts.entry(token).or_insert(0) += 1;
    }

    /// Takes one [`Sampler::accept`] back, when the branch backtracks over it.
    pub fn retract(&mut self, token: TokenId) {
        if let Some(count) = self.counts.get_mut(&token) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&token);
            }
        }
    }

    fn adjust(&self, logits: &mut [f32]) {
        for &(token, bias) in &self.sampling.bias {
            if let Some(logit) = logits.get_mut(token as usize) {
                *logit += bias;
            }
        }
        for (&token, &count) in &self.counts {
            if let Some(logit) = logits.get_mut(token as usize) {
                *logit = self.penalised(*logit, count);
            }
        }
    }

    fn penalised(&self, logit: f32, count: u32) -> f32 {
        let Sampling {
            repetition_penalty,
            presence_penalty,
            frequency_penalty,
            ..
        } = self.sampling;
        let repeated = if logit > 0.0 {
            logit / repetition_penalty
        } else {
            logit * repetition_penalty
        };
        repeated - presence_penalty - frequency_penalty * count as f32
    }

    /// The tokens that may be drawn.
    fn candidates(&self, logits: &[f32]) -> Result<Vec<Candidate>, NothingAllowed> {
        let (_, top) = best(logits).ok_or(NothingAllowed)?;
        let sampling = &self.sampling;
        let scaled = |logit: f32| f64::from(logit - top) / f64::from(sampling.temperature);
        // An infinite logit is as likely as can be: it is the top, at distance 0.
        let weight = |logit: f32| {
            if logit == top {
                1.0
            } else {
                scaled(logit).exp()
            }
        };
        let floor = (-f64::from(NEGLIGIBLE))
            .exp()
            .max(f64::from(sampling.min_p))
            .min(1.0);
        let mut candidates: Vec<Candidate> = (0..)
            .zip(logits)
            .map(|(token, &logit)| (token, weight(logit)))
            .filter(|&(_, weight)| weight >= floor)
            .collect();
        if sampling.top_k > 0 {
            keep_likeliest(&mut candidates, sampling.top_k as usize);
        }
        if sampling.top_p < 1.0 {
            keep_nucleus(&mut candidates, f64::from(sampling.top_p));
        }
        Ok(candidates)
    }
}

/// A token and its weight: its probability but for a common factor.
type Candidate = (TokenId, f64);

/// The likelier first, among equals the lower id.
fn likelier(a: &Candidate, b: &Candidate) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// Keeps the `count` likeliest, in order.
fn keep_likeliest(candidates: &mut Vec<Candidate>, count: usize) {
    if count < candidates.len() {
        candidates.select_nth_unstable_by(count, likelier);
        candidates.truncate(count);
    }
    candidates.sort_unstable_by(likelier);
}

/// Keeps the likeliest that together reach the probability `top_p`; at least one.
/// Few do as a rule, so only as many are sorted as it takes.
fn keep_nucleus(candidates: &mut Vec<Candidate>, top_p: f64) {
    let enough = top_p * total(candidates);
    let mut sorted = 64;
    loop {
        let mut likeliest = candidates.clone();
        keep_likeliest(&mut likeliest, sorted);
        let mut sum = 0.0;
        let reached = likeliest.iter().position(|candidate| {
            sum += candidate.1;
            sum >= enough
        });
        if reached.is_some() || sorted >= candidates.len() {
            likeliest.truncate(reached.map_or(likeliest.len(), |last| last + 1));
            *candidates = likeliest;
            return;
        }
        sorted *= 8;
    }
}

fn total(candidates: &[Candidate]) -> f64 {
    candidates.iter().map(|candidate| candidate.1).sum()
}

/// The candidate at `chance` (0 ≤ chance < 1) of the summed weights.
fn pick(candidates: &[Candidate], chance: f64) -> Option<TokenId> {
    let mut left = chance * total(candidates);
    let drawn = candidates.iter().find(|candidate| {
        left -= candidate.1;
        left < 0.0
    });
    // Rounding may leave a crumb past the last candidate, which then takes it.
    drawn.or(candidates.last()).map(|candidate| candidate.0)
}

/// The largest logit that may be chosen, the lowest id among equals.
fn best(logits: &[f32]) -> Option<(TokenId, f32)> {
    let mut best: Option<(TokenId, f32)> = None;
    for (token, &logit) in (0..).zip(logits) {
        if logit > best.map_or(f32::NEG_INFINITY, |(_, top)| top) {
            best = Some((token, logit));
        }
    }
    best
}

#[cfg(test)]
mod tests;
