use super::*;
use crate::price::{Price, Usage, rate};
use proptest::prelude::*;

fn ppm(parts: u32) -> Ppm {
    Ppm::new(parts).unwrap()
}

fn shares() -> impl Strategy<Value = Shares> {
    let parts = 0..=1_000_000_u32;
    [parts.clone(), parts.clone(), parts.clone(), parts]
        .prop_map(|parts| {
            // Scaled down to what leaves the protocol at least one part.
            let sum = parts.iter().sum::<u32>().max(1_000_000) + 1;
            let scaled = |part| ppm((u64::from(part) * 1_000_000 / u64::from(sum)) as u32);
            let [provider, data, controller, validator] = parts.map(scaled);
            Shares::new(provider, data, controller, validator)
        })
        .prop_filter_map("leaves the protocol nothing", Result::ok)
}

fn sum(split: &Split) -> Option<Amount> {
    [
        split.data,
        split.controller,
        split.validator,
        split.protocol,
    ]
    .into_iter()
    .try_fold(split.provider, Amount::checked_add)
}

#[test]
fn the_protocol_always_keeps_something() {
    for (parts, expected) in [
        ([650_000, 50_000, 200_000, 40_000], Ok(())),
        ([999_999, 0, 0, 0], Ok(())),
        ([1_000_000, 0, 0, 0], Err(1_000_000)),
        ([650_000, 150_000, 150_000, 50_000], Err(1_000_000)),
        ([1_000_000; 4], Err(4_000_000)),
    ] {
        let [provider, data, controller, validator] = parts.map(ppm);
        let result = Shares::new(provider, data, controller, validator);
        assert_eq!(result.map(drop).map_err(|error| error.sum), expected);
    }
}

#[test]
fn absent_shares_go_to_the_provider() {
    let check = |with_controller, with_data, expected: [u128; 5]| {
        let amount = Amount::from_nano(1_000_003);
        let split = split(amount, &Shares::default(), with_controller, with_data);
        let parts = [
            split.provider,
            split.data,
            split.controller,
            split.validator,
            split.protocol,
        ];
        assert_eq!(parts.map(Amount::nano), expected);
    };
    check(true, true, [650_001, 50_000, 200_000, 40_000, 60_002]);
    check(true, false, [700_001, 0, 200_000, 40_000, 60_002]);
    check(false, true, [890_001, 50_000, 0, 0, 60_002]);
    check(false, false, [940_001, 0, 0, 0, 60_002]);
}

#[test]
fn discarded_tokens_earn_the_controller_nothing() {
    let price = Price {
        output: Amount::from_nano(1_000_000_000_000),
        ..Price::default()
    };
    let usage = |sampled_tokens, discarded_tokens| Usage {
        sampled_tokens,
        discarded_tokens,
        ..Usage::default()
    };
    let split = |usage| {
        split_charge(
            &rate(&price, &usage).unwrap(),
            &Shares::default(),
            true,
            true,
        )
    };
    let kept = split(usage(10, 0));
    let with_discarded = split(usage(10, 5));
    assert_eq!(kept.controller, Amount::from_nano(2_000_000));
    assert_eq!(with_discarded.controller, kept.controller);
    assert_eq!(with_discarded.validator, kept.validator);
    assert_eq!(
        with_discarded.provider,
        Amount::from_nano(6_500_000 + 4_450_000)
    );
    assert_eq!(sum(&with_discarded), Some(Amount::from_nano(15_000_000)));
}

proptest! {
    #[test]
    fn the_parts_sum_to_the_amount(
        amount in prop_oneof![0..1_000_u128, any::<u128>()],
        shares in shares(),
        with_controller: bool,
        with_data: bool,
    ) {
        let amount = Amount::from_nano(amount);
        let split = split(amount, &shares, with_controller, with_data);
        prop_assert_eq!(sum(&split), Some(amount));
    }

    /// Whoever owns everybody else still loses the protocol's share of what is spent.
    #[test]
    fn a_wash_trade_loses_the_protocols_share(
        amount in 0..u128::from(u64::MAX),
        shares in shares(),
        with_controller: bool,
        with_data: bool,
    ) {
        let split = split(Amount::from_nano(amount), &shares, with_controller, with_data);
        let taken = [shares.provider(), shares.data(), shares.controller(), shares.validator()];
        let protocol = 1_000_000 - taken.iter().map(|share| share.parts()).sum::<u32>();
        prop_assert!(protocol > 0);
        prop_assert!(split.protocol.nano() >= amount * u128::from(protocol) / 1_000_000);
        prop_assert!(split.protocol.nano() <= amount * u128::from(protocol) / 1_000_000 + 4);
    }
}
