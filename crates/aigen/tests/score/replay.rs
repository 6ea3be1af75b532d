//! `aigen epoch replay`: the worked examples of the specification, and what is refused.

use crate::inputs::{self, Dice};
use crate::naive;
use crate::support::Folder;
use crate::with_input;
use serde_json::{Value, json};

const EXAMPLES: &str = include_str!("../../../aigen-economy/tests/settlement_examples.json");

fn replay(folder: &Folder, input: &Value) -> std::process::Output {
    let mut command = folder.command(&["epoch", "replay", "-"]);
    with_input(&mut command, &input.to_string())
}

#[test]
fn worked_examples_come_out_exactly() {
    let folder = Folder::new();
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
    let examples = examples.as_object().unwrap().iter();
    let whole = examples.filter(|(_, example)| example.get("in").is_some());
    let mut settled = 0;
    for (name, example) in whole {
        let output = replay(&folder, &example["in"]);
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed, example["out"], "{name}");
        settled += 1;
    }
    assert!(settled >= 10, "the file has its examples");
}

#[test]
fn malformed_input_is_refused_with_the_path_of_the_bad_field() {
    let folder = Folder::new();
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
    let good = &examples["E3 three honest validators, stable score"]["in"];
    let rows: [(&str, Value, &str); 5] = [
        (
            "/parameters/0/weight",
            json!(999_999),
            "weights sum to 999999",
        ),
        ("/controllers/0/escrow", json!(-1), "controllers[0].escrow"),
        ("/reports/1/v", json!("nobody"), "reports[1].v"),
        ("/validators/0/skill", json!("high"), "validators[0].skill"),
        ("/controllers/0/state/quality", json!(1_000_001), "quality"),
    ];
    for (path, value, expected) in rows {
        let mut input = good.clone();
        *input.pointer_mut(path).unwrap() = value;
        let output = replay(&folder, &input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{path}: {said}");
        assert!(said.contains(expected), "{path}: {said}");
        assert!(output.stdout.is_empty(), "{path}");
    }
}

/// What the program prints for inputs at random is what the specification, followed by hand, says.
#[test]
fn random_inputs_settle_as_the_specification_says() {
    let folder = Folder::new();
    for seed in 0..60 {
        let input = inputs::input(&mut Dice(seed));
        let output = replay(&folder, &input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "seed {seed}: {said}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            printed,
            naive::settle(&input) + "\n",
            "seed {seed}: {input}"
        );
    }
}

/// The same input in another order of rows is the same bytes.
#[test]
fn the_output_is_the_same_bytes_in_any_order() {
    let folder = Folder::new();
    for seed in 0..10 {
        let mut input = inputs::input(&mut Dice(1_000 + seed));
        let once = replay(&folder, &input).stdout;
        for list in [
            "controllers",
            "validators",
            "assigned",
            "reports",
            "gold_reports",
            "audits",
        ] {
            input[list].as_array_mut().unwrap().reverse();
        }
        assert_eq!(replay(&folder, &input).stdout, once, "seed {seed}");
    }
}

/// Worked by hand: naive and production code could share a misunderstanding of the examples only.
#[test]
fn the_naive_model_agrees_with_the_worked_examples() {
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
    for (name, example) in examples.as_object().unwrap() {
        if example.get("in").is_some() {
            let settled: Value = serde_json::from_str(&naive::settle(&example["in"])).unwrap();
            assert_eq!(settled, example["out"], "{name}");
        }
    }
}
