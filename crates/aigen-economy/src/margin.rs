use aigen_types::{Amount, PPM, Ppm};

/// An app's margin on what the platform charges: `charge × margin / PPM`, rounded up once. Stops
/// at `u128::MAX` nano-AIGEN.
#[must_use]
pub fn margin_on(charge: Amount, margin: Ppm) -> Amount {
    let (whole, parts) = (u128::from(PPM), u128::from(margin.parts()));
    // The whole millions first, so that no product leaves `u128`: a margin is at most one whole.
    let millions = charge.nano().div_euclid(whole).saturating_mul(parts);
    let rest = charge.nano().rem_euclid(whole).saturating_mul(parts);
    Amount::from_nano(millions.saturating_add(rest.div_ceil(whole)))
}

/// The largest charge that comes to at most `total` together with its margin.
#[must_use]
pub fn before_margin(total: Amount, margin: Ppm) -> Amount {
    // charge + ceil(charge × m / 10⁶) <= total  ⟺  charge <= total × 10⁶ / (10⁶ + m), rounded down.
    let whole = u128::from(PPM);
    let with_margin = whole.saturating_add(u128::from(margin.parts()));
    let groups = total.nano().div_euclid(with_margin).saturating_mul(whole);
    let rest = total.nano().rem_euclid(with_margin).saturating_mul(whole);
    Amount::from_nano(groups.saturating_add(rest.div_euclid(with_margin)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_margin_is_rounded_up_once() {
        for (charge, margin, expected) in [
            (0, 100_000, 0),
            (1, 0, 0),
            (1, 1, 1),
            (10, 100_000, 1),
            (11, 100_000, 2),
            (1_000_001, 500_000, 500_001),
            (7, 1_000_000, 7),
        ] {
            let on = margin_on(Amount::from_nano(charge), Ppm::new(margin).unwrap());
            assert_eq!(on, Amount::from_nano(expected), "{charge} at {margin} ppm");
        }
    }

    proptest! {
        /// `before_margin` is the largest charge that fits: one nano-AIGEN more does not.
        #[test]
        fn the_largest_charge_that_fits(total in 0..=u128::MAX >> 1, ppm in 0..=1_000_000_u32) {
            let margin = Ppm::new(ppm).unwrap();
            let with = |charge: Amount| charge.checked_add(margin_on(charge, margin));
            let total = Amount::from_nano(total);
            let charge = before_margin(total, margin);
            prop_assert!(with(charge).is_some_and(|sum| sum <= total));
            let more = charge.checked_add(Amount::from_nano(1)).unwrap();
            prop_assert!(with(more).is_none_or(|sum| sum > total));
        }
    }
}
