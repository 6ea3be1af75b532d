//! From logits to weights: what a token's probability is but for a common factor.

/// Below e⁻³⁰ of the likeliest (10⁻¹³) a token is left out: even 200,000 of them
/// would be drawn once in 50 million draws, and carrying them costs time.
const NEGLIGIBLE: f32 = -30.0;

/// The weight of every token: 1 for the likeliest, whose logit is `top`, and 0 for
/// one that is masked, NaN, negligible, or less than `floor` times as likely.
///
/// Every token of the vocabulary passes through here for every token that is
/// sampled, so the loop has no branch and calls no library, and the compiler does
/// several tokens at once.
pub(super) fn weights(logits: &[f32], top: f32, temperature: f32, floor: f32) -> Vec<f32> {
    let weight = |&logit: &f32| {
        let weight = exp((logit - top) / temperature);
        let kept = if weight >= floor { weight } else { 0.0 };
        // An infinite logit is as likely as can be, and so is every top at a
        // temperature so low that the distance to it is no number.
        if logit == top { 1.0 } else { kept }
    };
    logits.iter().map(weight).collect()
}

/// In f64: over 200,000 terms f32 would lose the fourth digit. In eight sums,
/// because an addition takes four cycles and the next one need not wait for it.
pub(super) fn sum(weights: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    for eight in weights.chunks(sums.len()) {
        for (sum, &weight) in sums.iter_mut().zip(eight) {
            *sum += f64::from(weight);
        }
    }
    sums.iter().sum()
}

/// The largest logit; `-inf` where none may be chosen. In eight, as [`sum`].
pub(super) fn largest(logits: &[f32]) -> f32 {
    let mut largest = [f32::NEG_INFINITY; 8];
    for eight in logits.chunks(largest.len()) {
        for (largest, &logit) in largest.iter_mut().zip(eight) {
            // NaN is larger than nothing.
            *largest = if logit > *largest { logit } else { *largest };
        }
    }
    largest.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// e to the power of `x`, for [`NEGLIGIBLE`] ≤ x ≤ 0 within two units of the last
/// place; 0 below that and for NaN, and 1 above.
///
/// e^x = 2^n · e^r with |r| ≤ ln 2 / 2, and e^r by the polynomial of Cephes'
/// `expf` (Moshier 1989). The same on every processor, which the C library's is not.
#[allow(clippy::excessive_precision, clippy::approx_constant)] // As published.
fn exp(x: f32) -> f32 {
    // 1.5 · 2^23: a sum with it is rounded to a whole number, which stands in the sum's last bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_375;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x > 0.0 { 0.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let series =
        ((((1.987_569_15e-4 * r + 1.398_199_95e-3) * r + 8.333_451_9e-3) * r + 4.166_579_6e-2) * r
            + 1.666_666_55e-1)
            * r
            + 5.000_000_1e-1;
    // The bits of 2^n: its exponent is kept 127 too large. (A cast of `n` to an integer would
    // have to look for what does not fit.)
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits());
    let power = f32::from_bits(exponent.wrapping_add(127) << 23);
    let result = (series * r * r + r + 1.0) * power;
    if x >= NEGLIGIBLE { result } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_exponential_function() {
        for step in 0..=3_000_000 {
            let x = step as f32 * -1e-5;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(x < NEGLIGIBLE || error < 2.4e-7, "{x}: {error}");
        }
        for x in [-30.1, -1e9, f32::NEG_INFINITY, f32::NAN] {
            assert_eq!(exp(x), 0.0, "{x}");
        }
        assert_eq!([exp(0.0), exp(1.0), exp(f32::INFINITY)], [1.0; 3]);
    }
}
