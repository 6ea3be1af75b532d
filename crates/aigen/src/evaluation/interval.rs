//! How sure a share is.

/// The 95 % confidence interval of a share (Wilson's), in parts per million.
///
/// For `cases` answers whose mean is `score`; of nothing, everything is possible.
pub fn confidence(score: u32, cases: usize) -> (u32, u32) {
    /// Standard deviations that 95 % of a normal distribution lie within.
    const Z: f64 = 1.96;
    if cases == 0 {
        return (0, 1_000_000);
    }
    let count = f64::from(u32::try_from(cases).unwrap_or(u32::MAX));
    let share = f64::from(score) / 1e6;
    let squared = Z * Z;
    let middle = share + squared / (2.0 * count);
    let spread = Z * (share * (1.0 - share) / count + squared / (4.0 * count * count)).sqrt();
    let scale = 1.0 + squared / count;
    (
        parts((middle - spread) / scale),
        parts((middle + spread) / scale),
    )
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and one million"
)]
fn parts(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1e6).round() as u32
}

#[cfg(test)]
mod tests {
    use super::confidence;

    /// Values of Wilson's interval as tables print them.
    #[test]
    fn intervals_are_wilsons() {
        for (score, cases, low, high) in [
            (500_000, 10, 236_589, 763_411),
            (0, 10, 0, 277_539),
            (1_000_000, 20, 838_868, 1_000_000),
            (900_000, 100, 825_632, 944_772),
            (0, 0, 0, 1_000_000),
        ] {
            let (found_low, found_high) = confidence(score, cases);
            assert!(
                found_low.abs_diff(low) < 100,
                "{score} of {cases}: {found_low}"
            );
            assert!(
                found_high.abs_diff(high) < 100,
                "{score} of {cases}: {found_high}"
            );
        }
    }
}
