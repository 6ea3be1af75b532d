//! The worked examples, compared integer by integer.

use crate::json;
use aigen_economy::settlement::{settle, settle_explained, supported};
use aigen_economy::{Shares, split};
use aigen_types::Amount;
use serde_json::Value;

fn examples() -> serde_json::Map<String, Value> {
    let text = include_str!("../settlement_examples.json");
    serde_json::from_str(text).unwrap()
}

fn example(name: &str) -> Value {
    let mut examples = examples();
    let key = examples.keys().find(|key| key.starts_with(name)).unwrap();
    let key = key.clone();
    examples.remove(&key).unwrap()
}

#[test]
fn e1_charge_split() {
    let example = example("E1 ");
    let share = |name: &str| json::ppm(&example["split"][name]);
    let shares = Shares::new(
        share("provider"),
        share("data"),
        share("controller"),
        share("validator"),
    );
    let split = split(json::amount(&example["x"]), &shares.unwrap(), true, true);
    for (name, part) in [
        ("provider", split.provider),
        ("data", split.data),
        ("controller", split.controller),
        ("validator", split.validator),
        ("protocol", split.protocol),
    ] {
        assert_eq!(part, json::amount(&example["out"][name]), "{name}");
    }
}

#[test]
fn e2_strict_majority() {
    for row in example("E2 ").as_array().unwrap() {
        let reports = row["reports"].as_array().unwrap().iter();
        let reports: Vec<_> = reports
            .map(|report| (json::ppm(&report[0]), json::amount(&report[1])))
            .collect();
        let expected = Some(json::ppm(&row["out"]));
        assert_eq!(supported(&reports, json::ppm(&row["support"])), expected);
    }
}

#[test]
fn e3_to_e12() {
    let mut settled = 0;
    for (name, example) in examples() {
        let (Some(input), Some(expected)) = (example.get("in"), example.get("out")) else {
            continue;
        };
        let input = json::input(input);
        assert_eq!(input.check(), Ok(()), "{name}");
        assert_eq!(&json::output(&settle(&input)), expected, "{name}");
        settled += 1;
    }
    assert_eq!(settled, 11);
}

#[test]
fn a_payout_is_printed_as_its_formula() {
    let check = |name: &str, escrow: u64, expected: &[&str]| {
        let mut input = json::input(&example(name)["in"]);
        input.controllers[0].escrow = Amount::from_nano(escrow.into());
        let (_, working) = settle_explained(&input);
        assert_eq!(working.controllers[0].lines(), expected, "{name}");
    };
    check(
        "E4b",
        12_345_678,
        &[
            "payout = escrow × score // PPM = 12,345,678 × 870,000 // 1,000,000 = 10,740,739",
            "remainder = escrow − payout = 12,345,678 − 10,740,739 = 1,604,939",
            "score = Σ weight × state // PPM = (1,000,000 × 870,000) // 1,000,000 = 870,000",
            "  quality: state = old = 900,000 (no value this epoch)",
            "  quality: state = state − (state − prior) × alpha_stale × leak // PPM² \
             = 900,000 − (900,000 − 300,000) × 50,000 × 1,000,000 // 1,000,000,000,000 = 870,000",
        ],
    );
    check(
        "E12",
        1_000_000,
        &[
            "payout = escrow × score // PPM = 1,000,000 × 421,415 // 1,000,000 = 421,415",
            "remainder = escrow − payout = 1,000,000 − 421,415 = 578,585",
            "score = Σ weight × state // PPM = (400,000 × 900,000 + 200,000 × 870,000 + \
             100,000 × 395,000 + 200,000 × 1,000,000 + 100,000 × 800,000) // 1,000,000 = 853,500",
            "score = score × open // PPM = 853,500 × 493,750 // 1,000,000 = 421,415 (gate: safety)",
            "  quality: state = old + (m − old) × alpha × cov // PPM² \
             = 900,000 + (900,000 − 900,000) × 200,000 × 1,000,000 // 1,000,000,000,000 = 900,000",
            "  conformance: state = old = 900,000 (no value this epoch)",
            "  conformance: state = state − (state − prior) × alpha_stale × leak // PPM² \
             = 900,000 − (900,000 − 300,000) × 50,000 × 1,000,000 // 1,000,000,000,000 = 870,000",
            "  safety: state = old = 400,000 (no value this epoch)",
            "  safety: state = state − (state − prior) × alpha_stale × leak // PPM² \
             = 400,000 − (400,000 − 300,000) × 50,000 × 1,000,000 // 1,000,000,000,000 = 395,000",
            "  reliability: state = old + (m − old) × alpha × cov // PPM² = 1,000,000 + \
             (1,000,000 − 1,000,000) × 200,000 × 1,000,000 // 1,000,000,000,000 = 1,000,000",
            "  latency: state = old + (m − old) × alpha × cov // PPM² \
             = 800,000 + (800,000 − 800,000) × 200,000 × 1,000,000 // 1,000,000,000,000 = 800,000",
        ],
    );
}

#[test]
fn a_validators_pay_is_printed_as_its_formula() {
    let check = |name: &str, row: usize, expected: &[&str]| {
        let input = json::input(&example(name)["in"]);
        let (_, working) = settle_explained(&input);
        assert_eq!(working.validators[row].lines(), expected, "{name}");
    };
    check(
        "E7",
        0,
        &[
            "skill = 700,000 (too little gold to judge by)",
            "pay = Σ reports = 21,112",
            "  c quality: M × G × f // PPM² = 22,500 × 1,000,000 × 938,333 // 1,000,000,000,000 \
             = 21,112 (r 400,000, ref 420,000)",
            "slash = 0, at most stake × slash_cap // PPM = 100 × 50,000 // 1,000,000 = 5",
        ],
    );
    check(
        "E6",
        3,
        &[
            "skill = skill + (x − skill) × alpha_gold // PPM = 0 + (−1,000,000 − 0) × 200,000 \
             // 1,000,000 = −200,000, x = (ref − loss) × PPM // ref = (1,000,000 − 2,000,000) \
             × 1,000,000 // 1,000,000 = −1,000,000 within ±1,000,000",
            "pay = Σ reports = 0",
            "  c quality: M × G × f // PPM² = 22,500 × 0 × 1,000,000 // 1,000,000,000,000 = 0 \
             (r 800,000, ref 800,000)",
            "slash = 1, at most stake × slash_cap // PPM = 1,000 × 50,000 // 1,000,000 = 50",
            "  skill below the floor: 1",
        ],
    );
}
