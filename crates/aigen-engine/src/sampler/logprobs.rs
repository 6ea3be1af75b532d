use super::weights::{sum, weights};
use crate::TokenId;

/// A token and the natural logarithm of its probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLogprob {
    /// The token.
    pub token: TokenId,
    /// At most 0; `-inf` for a token that cannot occur.
    pub logprob: f32,
}

/// The log-probability of `token` and those of the `top` likeliest tokens, best
/// first, under the model itself: call it before masks, bias or penalties change
/// the logits. NaN counts as impossible.
#[must_use]
pub fn logprobs(logits: &[f32], token: TokenId, top: usize) -> (TokenLogprob, Vec<TokenLogprob>) {
    let normaliser = log_sum_exp(logits);
    let of = |token: TokenId| {
        let logit = logits.get(token as usize).copied().unwrap_or(f32::NAN);
        let logprob = (f64::from(logit) - normaliser).min(0.0) as f32;
        let logprob = if logit.is_nan() {
            f32::NEG_INFINITY
        } else {
            logprob
        };
        TokenLogprob { token, logprob }
    };
    (
        of(token),
        likeliest(logits, top).into_iter().map(of).collect(),
    )
}

fn log_sum_exp(logits: &[f32]) -> f64 {
    let top = logits
        .iter()
        .copied()
        .filter(|logit| logit.is_finite())
        .fold(f32::MIN, f32::max);
    f64::from(top) + sum(&weights(logits, top, 1.0, 0.0)).ln()
}

/// The `top` largest, best first, the lower id first among equals.
fn likeliest(logits: &[f32], top: usize) -> Vec<TokenId> {
    let order = |a: &(TokenId, f32), b: &(TokenId, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let mut all: Vec<(TokenId, f32)> = (0..).zip(logits.iter().copied()).collect();
    all.retain(|(_, logit)| !logit.is_nan());
    if top < all.len() {
        all.select_nth_unstable_by(top, order);
        all.truncate(top);
    }
    all.sort_unstable_by(order);
    all.into_iter().map(|(token, _)| token).collect()
}
