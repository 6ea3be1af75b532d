use super::*;
use crate::from_json;
use aigen_types::{Amount, Digest};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

fn round_trip<T: DeserializeOwned + Serialize>(json: Value) -> T {
    let value: T = from_json(json.to_string().as_bytes()).expect("the example is well formed");
    assert_eq!(serde_json::to_value(&value).unwrap(), json);
    value
}

#[track_caller]
fn refuses<T: DeserializeOwned + Debug>(json: Value, says: &str) {
    let error = from_json::<T>(json.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains(says), "{json}: {error}");
}

#[test]
fn an_account_shows_every_amount_twice() {
    let account: Account = round_trip(json!({
        "address": "user:ada",
        "available_nano": "1500000000", "available": "1.50",
        "held_nano": "0", "held": "0.00",
        "posted_nano": "1500000000", "posted": "1.50"
    }));
    assert_eq!(account.available, Amount::from_nano(1_500_000_000));
}

#[test]
fn the_exact_amount_decides() {
    let account = |nano: Value| json!({"address": "user:ada", "available_nano": nano, "held_nano": "0", "posted_nano": "1"});
    let text = account(json!("7")).to_string();
    let read: Account = from_json(text.as_bytes()).unwrap();
    assert_eq!(read.available, Amount::from_nano(7));
    for bad in [json!(7), json!("+7"), json!("-7"), json!("0.7"), json!("")] {
        refuses::<Account>(account(bad), "a");
    }
}

#[test]
fn a_receipt_survives_unchanged() {
    let digest = Digest([0xab; 32]).to_string();
    round_trip::<Receipt>(json!({
        "id": "0000000000000000000000000000002a", "model": "aigen-tiny", "model_digest": digest,
        "controller": "ada/quiz@1.0.0", "controller_digest": digest,
        "usage": {"prompt_tokens": 10, "cached_prompt_tokens": 0, "sampled_tokens": 5, "forced_tokens": 1, "discarded_tokens": 2},
        "lines": [{"kind": "input", "quantity": 10, "unit_price_nano": "1000000", "unit_price": "0.001",
                   "amount_nano": "10", "amount": "0.00000001"}],
        "total_nano": "10", "total": "0.00000001", "margin_nano": "1", "margin": "0.000000001",
        "payer": "user:ada", "spender": "app:tutor:user:42", "budgets": ["app:tutor:user:42", "user:ada -> app:tutor"],
        "corrections": [{"call": "0000000000000000000000000000002a", "id": "00000000000000000000000000000001",
            "kind": "refund", "reason": "service_failure", "amount_nano": "5", "amount": "0.000000005",
            "at": 1_700_000_000_000_000_001_u64, "journal_seq": 9}],
        "split": [{"to": "provider:acme", "role": "provider", "amount_nano": "10", "amount": "0.00000001"}],
        "finish": "stop",
        "steering": {
            "fuel": 0, "controller_micros": 0, "decisions": "0".repeat(64),
            "hidden_tokens": 0, "unkept_tokens": 0, "branches": 0
        },
        "replayable": false, "created": 1_700_000_000_000_000_000_u64, "journal_seq": 7
    }));
}

#[test]
fn requests_refuse_what_they_do_not_know() {
    refuses::<Fund>(
        json!({"to": "user:ada", "amount": "5", "memo": ""}),
        "memo: unknown field `memo`",
    );
    refuses::<Fund>(json!({"to": "user:ada", "amount": 5}), "amount: ");
    refuses::<Fund>(
        json!({"to": "User Ada", "amount": "5"}),
        "is not an address",
    );
    refuses::<NewKey>(json!({"account": "user:ada", "role": "king"}), "role: ");
    refuses::<PublishController>(
        json!({"reference": "ada/quiz", "kind": "grammar", "source": "a"}),
        "write it as owner/name@1.2.3",
    );
    refuses::<RevealRequest>(
        json!({"epoch": 1, "validator": "v", "salt": "00", "reports": []}),
        "salt: a digest is 64 hexadecimal digits",
    );
}

#[test]
fn requests_need_only_what_has_no_default() {
    let key: NewKey = from_json(br#"{"account": "user:ada"}"#).unwrap();
    assert_eq!((key.name, key.role), (None, KeyRole::Customer));
    let publish: PublishController =
        from_json(br#"{"reference": "a/b@1.0.0", "kind": "grammar", "source": "start: \"a\""}"#)
            .unwrap();
    assert!(publish.listed);
    let fund: Fund = from_json(br#"{"to": "user:ada", "amount": "0.25"}"#).unwrap();
    assert_eq!(fund.amount, Amount::from_nano(250_000_000));
}

#[test]
fn a_printed_key_is_not_the_key() {
    let created: KeyCreated = round_trip(
        json!({"name": "k1", "key": "ag-secret", "account": "user:ada", "spender": "user:ada", "role": "customer"}),
    );
    assert!(!format!("{created:?}").contains("secret"));
}

#[test]
fn epochs_and_the_journal_survive_unchanged() {
    let digest = Digest([1; 32]).to_string();
    let cell =
        json!({"validator": "v0", "controller": digest, "parameter": "quality", "suite": "quiz"});
    round_trip::<EpochState>(
        json!({"network": "testnet", "epoch": 3, "phase": "commit", "panel_seed": digest, "panel": 3, "assignments": [cell],
        "committed": ["v0"], "revealed": []}),
    );
    round_trip::<AssignRequest>(json!({"cells": [cell], "gold": [digest]}));
    round_trip::<CloseRequest>(json!({"gold": [
        {"controller": digest, "parameter": "quality", "truth": 700_000, "salt": digest}
    ], "audits": []}));
    round_trip::<CommitRequest>(json!({"epoch": 3, "validator": "v0", "commitment": digest}));
    round_trip::<RevealRequest>(
        json!({"epoch": 3, "validator": "v0", "salt": digest, "reports": [
            {"controller": digest, "parameter": "quality", "score": 800_000}
        ]}),
    );
    round_trip::<Verification>(json!({"ok": false, "tip": {"seq": 6, "hash": digest},
        "records": 6, "transfers": 40, "fault": {"seq": 7, "reason": "hash"}}));
    round_trip::<Validator>(json!({"name": "v0", "owner": "eve",
        "stake_nano": "5000000000", "stake": "5.00",
        "active_stake_nano": "4000000000", "active_stake": "4.00", "skill": -250}));
}
