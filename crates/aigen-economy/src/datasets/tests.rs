use super::*;
use crate::price::{Price, Usage, rate};
use proptest::prelude::*;

fn amount(nano: u128) -> Amount {
    Amount::from_nano(nano)
}

#[test]
fn a_fee_is_its_units_times_their_price() {
    let price = DatasetPrice {
        row: amount(2_000),
        hit: amount(500),
        download: amount(1_000_000),
    };
    for (rows, hits, downloads, fee) in [
        (0, 0, 0, 0),
        (1, 0, 0, 2_000),
        (3, 3, 0, 7_500),
        (3, 1, 0, 6_500),
        (0, 0, 1, 1_000_000),
    ] {
        let usage = ReadUsage {
            rows,
            hits,
            downloads,
        };
        let charge = rate_read(&price, &usage).unwrap();
        assert_eq!(charge.total, amount(fee), "{usage:?}");
        let lines: Amount = charge.lines.iter().map(|line| line.amount).sum();
        assert_eq!(lines, charge.total);
    }
    let dear = DatasetPrice {
        row: amount(u128::MAX),
        ..price
    };
    let two = ReadUsage {
        rows: 2,
        ..ReadUsage::default()
    };
    assert_eq!(rate_read(&dear, &two), Err(RatingError::Overflow));
}

/// Model charge | fees -> what each provider of data is paid | the protocol's part.
#[test]
fn fees_and_the_data_share_go_to_whoever_was_read() {
    // 65 % provider, 5 % data, 20 % controller, 4 % validators, 6 % protocol.
    for (charged, fees, earned, protocol) in [
        (1_000, &[][..], &[][..], 60),
        (0, &[100], &[94], 6),
        (1_000, &[100], &[94 + 50], 66),
        (1_000, &[300, 100], &[282 + 38, 94 + 12], 84),
        // Free data still earns the data share, equally.
        (1_000, &[0, 0, 0], &[17, 17, 16], 60),
        // The dust of every fee is the protocol's.
        (0, &[1, 1, 33], &[0, 0, 31], 4),
    ] {
        let charge = Charge {
            lines: Vec::new(),
            total: amount(charged),
        };
        let fees: Vec<_> = fees.iter().copied().map(amount).collect();
        let (split, paid) = split_with_reads(&charge, &fees, &Shares::default(), true);
        let earned: Vec<_> = earned.iter().copied().map(amount).collect();
        assert_eq!(
            (paid, split.protocol),
            (earned, amount(protocol)),
            "{charged}, {fees:?}"
        );
    }
}

fn shares() -> impl Strategy<Value = Shares> {
    let part = 0..=250_000_u32;
    (part.clone(), part.clone(), part.clone(), 0..=249_999_u32).prop_map(|(a, b, c, d)| {
        let [a, b, c, d] = [a, b, c, d].map(|part| Ppm::new(part).unwrap());
        Shares::new(a, b, c, d).unwrap()
    })
}

proptest! {
    /// Whatever is read: not a nano-AIGEN more or less is paid out than was charged, the
    /// protocol has its share of everything, and providers of data have their parts in order.
    #[test]
    fn nothing_is_lost(
        shares in shares(),
        output in 0..1_000_000_u64,
        price in 0..1_u128 << 50,
        fees in prop::collection::vec(0..1_u128 << 58, 0..8),
        with_controller: bool,
    ) {
        let price = Price { output: amount(price), ..Price::default() };
        let charge = rate(&price, &Usage { sampled_tokens: output, ..Usage::default() }).unwrap();
        let fees: Vec<_> = fees.into_iter().map(amount).collect();
        let (split, earned) = split_with_reads(&charge, &fees, &shares, with_controller);
        let parts = [split.provider, split.data, split.controller, split.validator, split.protocol];
        let fee_sum: Amount = fees.iter().copied().sum();
        prop_assert_eq!(parts.into_iter().sum::<Amount>(), charge.total.saturating_add(fee_sum));
        prop_assert_eq!(earned.iter().copied().sum::<Amount>(), split.data);
        let kept = of_floor(charge.total.saturating_add(fee_sum), shares.protocol());
        prop_assert!(split.protocol.nano() >= kept.saturating_sub(fees.len() as u128 + 4));
        for (one, other) in fees.iter().zip(&earned).flat_map(|one| fees.iter().zip(&earned).map(move |other| (one, other))) {
            prop_assert!(one.0 <= other.0 || one.1 >= other.1 || one.1.nano() + 1 >= other.1.nano());
        }
    }

    /// No part of an apportioned amount is a whole unit away from its exact share.
    #[test]
    fn no_part_is_a_whole_unit_off(total in 0..1_u128 << 60, weights in prop::collection::vec(0..1_u128 << 58, 1..8)) {
        let amounts: Vec<_> = weights.iter().copied().map(amount).collect();
        let parts = apportion(amount(total), &amounts);
        prop_assert_eq!(parts.iter().copied().sum::<Amount>(), amount(total));
        let sum: u128 = weights.iter().sum();
        if sum > 0 {
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((part.nano() * sum).abs_diff(total * weight) < sum);
            }
        }
    }
}
