//! The story with the real binary: a node, an app, two developers, three validator processes,
//! an epoch, and what everyone can check afterwards.

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use support::Folder;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    let field = &value[field];
    field.as_str().unwrap_or_else(|| panic!("{value}"))
}

/// Nano-AIGEN of an amount in AIGEN.
fn nano(aigen: &str) -> u128 {
    let amount: aigen_types::Amount = aigen.parse().unwrap();
    amount.nano()
}

#[test]
fn everyone_is_paid_and_everything_can_be_checked() {
    let folder = Folder::new();
    let data = folder.file("kept");
    let data = data.to_str().unwrap();
    let report = folder.json(&["demo", "--quiet", "--keep", data]);
    assert_eq!(report["verified"], true);

    // What a quotation-constrained controller states as a fact stands in the user's text, always.
    let usage = report["usage"][0].as_array().unwrap();
    let grounded = |tally: &&Value| text(tally, "controller").starts_with("ada/grounded-quiz");
    let grounded = usage.iter().find(grounded).unwrap();
    assert_eq!(grounded["facts_in_text"], grounded["calls"]);

    let statements = report["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 2);
    for statement in statements {
        let controllers = statement["controllers"].as_array().unwrap();
        assert_eq!(controllers.len(), 4, "planted controllers are not in it");
        for result in controllers {
            let escrow = nano(text(result, "payout")) + nano(text(result, "remainder"));
            let score = u128::from(result["score"].as_u64().unwrap());
            let earned = escrow * score / 1_000_000;
            assert_eq!(nano(text(result, "payout")), earned, "{result}");
        }
    }
    let statement = &statements[1];
    for result in statement["validators"].as_array().unwrap() {
        // Each epoch moves skill a fifth of the way to what was proven in it: 200,000, 360,000.
        assert_eq!(
            result["skill"], 360_000,
            "exactly right about hidden truths: {result}"
        );
        assert!(nano(text(result, "pay")) > 0);
    }
    let balances = report["balances"].as_array().unwrap().iter();
    let together: u128 = balances.map(|balance| nano(text(balance, "amount"))).sum();
    assert_eq!(
        together,
        nano(text(&report, "issued")),
        "nothing lost, nothing made"
    );

    // The journal that was kept says the same to anyone.
    let verified = folder.json(&["ledger", "verify", "--data-dir", data]);
    assert_eq!(verified["ok"], true);
    let shown = folder.json(&["epoch", "show", "--data-dir", data]);
    assert_eq!(shown["output"], statement["output"]);
    settles_to_the_same_bytes_anywhere(&folder, data, &shown);
    explains_every_payout(&folder, data);
}

fn settles_to_the_same_bytes_anywhere(folder: &Folder, data: &str, shown: &Value) {
    let exported = folder.run(&["epoch", "export", "--data-dir", data]);
    folder.write("epoch.json", &exported.stdout);
    let once = folder.run(&["epoch", "replay", "epoch.json"]);
    let again = folder.run(&["epoch", "replay", "epoch.json"]);
    assert_eq!(once.code, 0, "{once}");
    assert_eq!(once.stdout, again.stdout);
    let replayed: Value = serde_json::from_str(&once.stdout).unwrap();
    assert_eq!(replayed, shown["output"]);
}

fn explains_every_payout(folder: &Folder, data: &str) {
    let payouts = folder.json(&["explain", "payout", "--data-dir", data]);
    for payout in payouts["data"].as_array().unwrap() {
        let id = text(payout, "id");
        let explained = folder.json(&["explain", "payout", id, "--data-dir", data]);
        assert_eq!(explained["amount"], payout["amount"]);
        let formula = explained["formula"].as_array().unwrap();
        if text(payout, "kind") == "payout" {
            // The last number of the first line is the amount, with separators for people.
            let line = formula[0].as_str().unwrap();
            let result = line.rsplit("= ").next().unwrap().replace(',', "");
            assert_eq!(result, nano(text(payout, "amount")).to_string(), "{line}");
        }
    }
}

/// A validator that is asked nothing, or by nobody, says so instead of waiting in silence.
#[test]
fn a_validator_without_a_node_is_told_how_to_get_one() {
    let folder = Folder::new();
    let ran = folder.run(&[
        "validator",
        "run",
        "vera",
        "--url",
        "http://127.0.0.1:9",
        "--key",
        "k",
    ]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("hint: start it with `aigen serve`"),
        "{ran}"
    );
}

#[test]
fn an_epoch_that_is_not_settled_is_not_shown() {
    let folder = Folder::new();
    let node = folder.dev();
    let ran = folder.run(&["epoch", "show"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no epoch is settled yet"), "{ran}");
    assert!(ran.stderr.contains("hint:"), "{ran}");
    drop(node);
}
