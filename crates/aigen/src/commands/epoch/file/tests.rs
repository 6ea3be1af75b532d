//! Inputs that somebody has meddled with: settled exactly or refused by name, and never a panic.

// The generator and the model of the tests of the real binary, of which these use a part.
#[path = "../../../../tests/score/inputs.rs"]
#[allow(dead_code)]
mod inputs;
#[path = "../../../../tests/score/naive.rs"]
mod naive;

use super::settled;
use inputs::{Dice, input};
use serde_json::{Value, json};

/// Anything that may stand where something else should.
fn intruder(dice: &mut Dice) -> Value {
    let intruders = [
        Value::Null,
        true.into(),
        json!(-1),
        json!(0),
        json!(1),
        json!(1_000_000),
        json!(1_000_001),
        json!(0.5),
        json!(1e300),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!("p0"),
        json!("v1"),
        json!("nobody"),
        json!(""),
        json!([]),
        json!({}),
        json!([{}]),
    ];
    let at = dice.below(intruders.len() as u64);
    intruders[usize::try_from(at).unwrap()].clone()
}

/// Changes one thing somewhere below `value`.
fn meddle(dice: &mut Dice, value: &mut Value) {
    let count = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    let here = dice.below(4) == 0;
    if count == 0 || (here && !value.is_object()) {
        *value = intruder(dice);
        return;
    }
    let at = usize::try_from(dice.below(count as u64)).unwrap();
    match value {
        Value::Array(items) => match dice.below(8) {
            0 => items.push(items[at].clone()),
            1 => drop(items.remove(at)),
            _ => meddle(dice, &mut items[at]),
        },
        Value::Object(fields) => {
            let name = fields.keys().nth(at).unwrap().clone();
            match dice.below(12) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(format!("{name}_"), json!(1))),
                2 => drop(fields.insert(name, intruder(dice))),
                _ => meddle(dice, &mut fields[&name]),
            }
        }
        _ => {}
    }
}

/// What is not refused comes out as the specification says. An input can stay well formed when an
/// amount, a score or a row of it is another one.
#[test]
fn meddled_inputs_are_refused_by_their_field_or_settled_exactly() {
    let (mut refused, mut well) = (0, 0);
    for seed in 0..3_000 {
        let mut dice = Dice(seed);
        let mut changed = input(&mut dice);
        for _ in 0..=dice.below(2) {
            meddle(&mut dice, &mut changed);
        }
        match settled(changed.to_string().as_bytes()) {
            Ok(output) => {
                well += 1;
                let output = serde_json::to_string_pretty(&output).unwrap();
                assert_eq!(output, naive::settle(&changed), "seed {seed}: {changed}");
            }
            Err(error) => {
                refused += 1;
                names_a_field(&format!("{error:#}"), &changed, seed);
            }
        }
    }
    assert!(
        refused > 1_000 && well > 100,
        "{refused} refused, {well} settled"
    );
}

/// Each message names one of the ten lists, or a field that should not be there.
fn names_a_field(message: &str, changed: &Value, seed: u64) {
    const LISTS: [&str; 10] = [
        "params",
        "parameters",
        "controllers",
        "validators",
        "assigned",
        "reports",
        "gold",
        "gold_assigned",
        "gold_reports",
        "audits",
    ];
    let not_an_object = !changed.is_object();
    let named = LISTS.iter().any(|list| message.contains(list));
    assert!(named || not_an_object, "seed {seed}: {message}");
}

/// Text that is cut, doubled or sprinkled with other bytes.
#[test]
fn broken_text_never_panics() {
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let mut text = input(&mut dice).to_string().into_bytes();
        let at = usize::try_from(dice.below(text.len() as u64)).unwrap();
        match dice.below(4) {
            0 => text.truncate(at),
            1 => text[at] = b"{}[],:\"0-9.eE\\x"[usize::try_from(dice.below(15)).unwrap()],
            2 => text.insert(at, b"\xff9-\"{[ "[usize::try_from(dice.below(7)).unwrap()]),
            _ => text.extend_from_within(at..),
        }
        // Either is right: a digit more may be another amount.
        let _ = settled(&text);
    }
}

#[test]
fn numbers_too_deep_and_too_long_are_refused() {
    let deep = "[".repeat(100_000);
    for text in ["", "null", "[]", "1", "{}", &deep, "{\"params\":{}"] {
        assert!(
            settled(text.as_bytes()).is_err(),
            "{}",
            &text[..text.len().min(20)]
        );
    }
    let input = input(&mut Dice(1)).to_string();
    for number in [
        "1e3",
        "1.0",
        "99999999999999999999999",
        "-0.0",
        "0x10",
        "01",
        "+1",
    ] {
        let changed = input.replacen(
            "\"scored_epochs\":",
            &format!("\"scored_epochs\":{number},\"x\":"),
            1,
        );
        assert_ne!(changed, input, "there is a controller");
        assert!(settled(changed.as_bytes()).is_err(), "{number}");
    }
}
