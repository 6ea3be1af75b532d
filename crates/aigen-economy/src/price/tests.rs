use super::*;
use LineKind::{CachedInput, Discarded, Forced, Input, Output, Request};
use proptest::prelude::*;

fn price(input: u128, cached_input: u128, output: u128, request: u128) -> Price {
    let [input, cached_input, output, request] =
        [input, cached_input, output, request].map(Amount::from_nano);
    Price {
        input,
        cached_input,
        output,
        request,
    }
}

fn usage([prompt, cached, sampled, forced, discarded]: [u64; 5]) -> Usage {
    Usage {
        prompt_tokens: prompt,
        cached_prompt_tokens: cached,
        sampled_tokens: sampled,
        forced_tokens: forced,
        discarded_tokens: discarded,
    }
}

#[test]
fn every_line_is_rounded_up_once() {
    let check = |used, expected: &[(LineKind, u64, u128)]| {
        let charge = rate(&price(1_500_000, 100_000, 3_000_000, 7), &usage(used)).unwrap();
        let lines = charge.lines.iter();
        let lines: Vec<_> = lines
            .map(|l| (l.kind, l.quantity, l.amount.nano()))
            .collect();
        assert_eq!(lines, expected);
        let total: u128 = expected.iter().map(|line| line.2).sum();
        assert_eq!(charge.total.nano(), total);
    };
    check([0; 5], &[(Request, 1, 7)]);
    check([3, 0, 0, 0, 0], &[(Request, 1, 7), (Input, 3, 5)]);
    check(
        [3, 1, 2, 1, 4],
        &[
            (Request, 1, 7),
            (Input, 3, 5),
            (CachedInput, 1, 1),
            (Output, 2, 6),
            (Forced, 1, 2),
            (Discarded, 4, 12),
        ],
    );
}

#[test]
fn too_much_is_refused() {
    let dear = price(0, 0, u128::MAX, 0);
    let used = usage([0, 0, 2, 0, 0]);
    assert_eq!(rate(&dear, &used), Err(RatingError::Overflow));
    assert_eq!(cover(&dear, 0, 2), Err(RatingError::Overflow));
    assert_eq!(affordable_output(&dear, 0, Amount::from_nano(u128::MAX)), 1);
    assert_eq!(
        rate(&price(0, 0, 1_000_000, u128::MAX), &used),
        Err(RatingError::Overflow)
    );
    let most = usage([u64::MAX; 5]);
    assert_eq!(most.checked_add(usage([0, 0, 1, 0, 0])), None);
    assert_eq!(most.checked_add(Usage::default()), Some(most));
}

#[test]
fn cover_is_exact_when_a_token_has_a_whole_price() {
    let check = |price: Price, prompt, output, expected| {
        let cover = cover(&price, prompt, output).unwrap();
        assert_eq!(cover.nano(), expected, "{price:?} {prompt} {output}");
    };
    check(price(2_000_000, 0, 5_000_000, 3), 10, 4, 3 + 20 + 20);
    // Forced tokens may be dearer than sampled ones.
    check(price(9_000_000, 0, 5_000_000, 0), 0, 4, 36);
    // Half a nano per token: two, or three, lines may each round up.
    check(price(500_000, 500_000, 0, 0), 1, 0, 1);
    check(price(500_000, 500_000, 0, 0), 3, 0, 3);
    check(price(0, 0, 500_000, 0), 0, 3, 3);
}

#[test]
fn the_balance_is_spent_to_the_last_token() {
    let check = |price: Price, prompt, amount, expected| {
        let amount = Amount::from_nano(amount);
        assert_eq!(affordable_output(&price, prompt, amount), expected);
    };
    let plain = price(1_000_000, 0, 2_000_000, 5);
    check(plain, 10, 14, 0);
    check(plain, 10, 15, 0);
    check(plain, 10, 16, 0);
    check(plain, 10, 17, 1);
    check(plain, 10, 35, 10);
    check(price(1, 0, 0, 0), 0, 0, 0);
    check(price(0, 0, 0, 5), 10, 5, u64::MAX);
}

fn prices() -> impl Strategy<Value = Price> {
    let one = prop_oneof![
        0..3_000_000_u128,
        (0..5_u128).prop_map(|whole| whole * 1_000_000),
        0..10_u128.pow(18),
    ];
    [one.clone(), one.clone(), one.clone(), one]
        .prop_map(|[input, cached, output, request]| price(input, cached, output, request))
}

fn usages() -> impl Strategy<Value = Usage> {
    let one = prop_oneof![0..4_u64, 0..10_000_u64, 0..u64::from(u32::MAX)];
    [one.clone(), one.clone(), one.clone(), one.clone(), one].prop_map(usage)
}

fn tokens(usage: &Usage) -> (u64, u64) {
    let prompt = usage.prompt_tokens + usage.cached_prompt_tokens;
    let output = usage.sampled_tokens + usage.forced_tokens + usage.discarded_tokens;
    (prompt, output)
}

proptest! {
    #[test]
    fn no_usage_costs_more_than_its_cover(
        price in prices(),
        usage in usages(),
        spare in 0..3_u64,
    ) {
        let (prompt, output) = tokens(&usage);
        let charge = rate(&price, &usage).unwrap();
        prop_assert!(charge.total <= cover(&price, prompt + spare, output + spare).unwrap());
    }

    #[test]
    fn cover_is_at_most_three_above_the_dearest_usage(price in prices(), usage in usages()) {
        let (prompt, output) = tokens(&usage);
        let mut dearest = Usage::default();
        if price.input >= price.cached_input {
            dearest.prompt_tokens = prompt;
        } else {
            dearest.cached_prompt_tokens = prompt;
        }
        if price.output >= price.input {
            dearest.sampled_tokens = output;
        } else {
            dearest.forced_tokens = output;
        }
        let most = cover(&price, prompt, output).unwrap().nano();
        prop_assert!(most <= rate(&price, &dearest).unwrap().total.nano() + 3);
    }

    #[test]
    fn affordable_output_is_the_inverse_of_cover(
        price in prices(),
        prompt in 0..100_000_u64,
        amount in 0..10_u128.pow(24),
    ) {
        let amount = Amount::from_nano(amount);
        let tokens = affordable_output(&price, prompt, amount);
        let covered = |tokens| cover(&price, prompt, tokens).is_ok_and(|most| most <= amount);
        prop_assert!(tokens == 0 || covered(tokens));
        prop_assert!(tokens == u64::MAX || !covered(tokens + 1));
    }
}
