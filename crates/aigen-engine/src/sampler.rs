//! From a row of logits to one token: penalties, temperature, truncation, chance.
//!
//! The order is bias, penalties, temperature, top-k, top-p, min-p. A logit of
//! `-inf` (a masked token) or NaN is never chosen. Ties go to the lower id, and
//! the same logits, parameters and [`Draw`] give the same token on every run.

mod logprobs;
mod random;
mod weights;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::TokenId;

pub use logprobs::{TokenLogprob, logprobs};
pub use random::Draw;
use weights::{largest, sum, weights};

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
        let (likeliest, top) = best(logits).ok_or(NothingAllowed)?;
        if self.sampling.temperature > 0.0 {
            let chance = draw.uniform(self.sampling.seed);
            return self.draw(logits, top, chance).ok_or(NothingAllowed);
        }
        Ok(likeliest)
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

    /// The token at `chance` (0 ≤ chance < 1) of the summed weights.
    fn draw(&self, logits: &[f32], top: f32, chance: f64) -> Option<TokenId> {
        let Sampling {
            temperature,
            top_k,
            top_p,
            min_p,
            ..
        } = self.sampling;
        let weights = weights(logits, top, temperature, min_p.min(1.0));
        if top_k == 0 && top_p >= 1.0 {
            return pick(weighted(&weights), chance * sum(&weights));
        }
        let mut candidates: Vec<Candidate> = weighted(&weights).collect();
        if top_k > 0 {
            keep_likeliest(&mut candidates, top_k as usize);
        }
        if top_p < 1.0 {
            keep_nucleus(&mut candidates, f64::from(top_p));
        }
        let all = total(&candidates);
        pick(candidates.into_iter(), chance * all)
    }
}

/// A token and its weight.
type Candidate = (TokenId, f32);

/// The tokens that may be drawn.
fn weighted(weights: &[f32]) -> impl Iterator<Item = Candidate> {
    let all = (0..).zip(weights.iter().copied());
    all.filter(|&(_, weight)| weight > 0.0)
}

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
            sum += f64::from(candidate.1);
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
    let weights = candidates.iter().map(|candidate| f64::from(candidate.1));
    weights.sum()
}

/// The candidate that covers `left` of the summed weights.
fn pick(candidates: impl Iterator<Item = Candidate>, mut left: f64) -> Option<TokenId> {
    let mut last = None;
    for (token, weight) in candidates {
        left -= f64::from(weight);
        if left < 0.0 {
            return Some(token);
        }
        last = Some(token);
    }
    // Rounding may leave a crumb past the last candidate, which then takes it.
    last
}

/// The largest logit that may be chosen, the lowest id among equals.
fn best(logits: &[f32]) -> Option<(TokenId, f32)> {
    let top = largest(logits);
    let mut all = (0..).zip(logits.iter().copied());
    all.find(|&(_, logit)| logit == top && top > f32::NEG_INFINITY)
}

#[cfg(test)]
mod tests;
