//! The journal, read beside a running node and without one.

use crate::support::Folder;
use serde_json::Value;

/// All balances together, in nano-AIGEN.
fn together(folder: &Folder) -> u128 {
    let accounts = folder.json(&["ledger", "balance"]);
    let posted = |account: &Value| {
        account["posted_nano"]
            .as_str()
            .unwrap()
            .parse::<u128>()
            .unwrap()
    };
    accounts["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(posted)
        .sum()
}

#[test]
fn what_everyone_has_is_what_was_issued() {
    let folder = Folder::new();
    let node = folder.dev();
    for question in ["Hello!", "What is a ledger?"] {
        let ran = folder.run(&["chat", question]);
        assert_eq!(ran.code, 0, "{ran}");
    }
    // Beside the running node, and after its end.
    for node in [Some(node), None] {
        let verified = folder.json(&["ledger", "verify"]);
        assert_eq!(verified["ok"], true, "{verified}");
        assert_eq!(verified["issued"], "10.00");
        assert_eq!(verified["balances"], "10.00");
        assert_eq!(together(&folder), 10_000_000_000);
        let ran = folder.run(&["ledger", "verify"]);
        assert!(ran.stdout.ends_with("\nledger verified\n"), "{ran}");
        drop(node);
    }
}

#[test]
fn transfers_are_newest_first_and_as_many_as_asked_for() {
    let folder = Folder::new();
    let _node = folder.dev();
    folder.run(&["chat", "Hello!"]);
    let transfers = |args: &[&str]| {
        let list = folder.json(&[&["ledger", "transfers"], args].concat());
        let reasons = list["data"].as_array().unwrap().iter();
        let reasons = reasons.map(|transfer| transfer["reason"].as_str().unwrap().to_owned());
        reasons.collect::<Vec<_>>()
    };
    assert_eq!(transfers(&["--limit", "1"]).len(), 1);
    assert_eq!(transfers(&[]).last().unwrap(), "issue");
    assert_eq!(transfers(&["--account", "operator"]), Vec::<String>::new());
    assert!(!transfers(&["--account", "provider:aigen"]).is_empty());
}

/// The headline: an answer ends at the last token that the balance covers.
#[test]
fn an_answer_ends_exactly_where_the_money_does() {
    let folder = Folder::new();
    let _node = folder.dev();
    folder.json(&["fund", "user:poor", "0.0051"]);
    let key = folder.json(&["key", "create", "user:poor"]);
    let key = key["key"].as_str().unwrap();
    let pattern = "pattern=[a-z ]{4000}";
    let args = ["--controller", "regex", "--param", pattern, "--key", key];
    let answer = folder.json(&[&["chat", "Tell me a story."], &args[..]].concat());
    assert_eq!(answer["finish_reason"], "length", "{answer}");
    assert_eq!(answer["aigen"]["stop"], "budget", "{answer}");
    let nano = |field: &str| {
        let balance = folder.json(&["ledger", "balance", "user:poor"]);
        balance["data"][0][field]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let output_token_nano = 60_000;
    assert!(
        nano("available_nano") < output_token_nano,
        "another token was affordable"
    );
    assert_eq!(nano("held_nano"), 0);
    let ran = folder.run(&[&["chat", "Go on."], &args[..]].concat());
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.stderr
            .contains("hint: ask the operator: aigen fund user:poor"),
        "{ran}"
    );
}
