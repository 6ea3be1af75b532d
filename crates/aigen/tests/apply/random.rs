//! Random commands, answered as the naive model answers them.

use crate::apply;
use crate::commands::{Command, SECOND, commands};
use crate::model::Model;
use crate::{AccountRequest, TransferRequest};
use aigen_types::AccountId;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write;

/// Ids that [`commands`] draws from.
const ACCOUNT_IDS: std::ops::RangeInclusive<u128> = 1..=7;

proptest! {
    // Each case is a process.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn apply_answers_as_the_naive_model_does(commands in commands()) {
        let mut lines = String::new();
        let mut expected = Vec::new();
        let mut model = Model::default();
        for command in &commands {
            for line in table(command) {
                writeln!(lines, "{line}").unwrap();
            }
            expected.extend(answers(&mut model, command));
        }
        for id in ACCOUNT_IDS {
            writeln!(lines, "{}", json!({"lookup_account": id.to_string()})).unwrap();
        }
        for (transfer, _) in &model.transfers {
            writeln!(lines, "{}", json!({"lookup_transfer": transfer.id.0.to_string()})).unwrap();
        }
        let ran = apply(&lines);
        prop_assert_eq!(ran.code, 0, "{}", ran);
        let answers: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(answers.len(), lines.lines().count());
        let (statuses, records) = answers.split_at(expected.len());
        prop_assert_eq!(statuses.iter().map(|answer| &answer["status"]).collect::<Vec<_>>(), expected);
        let (accounts, transfers) = records.split_at(7);
        for (id, account) in ACCOUNT_IDS.zip(accounts) {
            assert_account(&model, AccountId(id), account);
        }
        for ((transfer, at), record) in model.transfers.iter().zip(transfers) {
            prop_assert_eq!(&record["amount"], &json!(transfer.amount.nano().to_string()));
            prop_assert_eq!(&record["timestamp"], &json!(at.to_string()));
        }
    }
}

fn assert_account(model: &Model, id: AccountId, record: &Value) {
    assert_eq!(
        record.is_null(),
        !model.exists(id),
        "account {id}: {record}"
    );
    if record.is_null() {
        return;
    }
    let fields = [
        "debits_pending",
        "debits_posted",
        "credits_pending",
        "credits_posted",
    ];
    let expected = model.counters(id).map(|counter| json!(counter.to_string()));
    assert_eq!(
        fields.map(|field| record[field].clone()),
        expected,
        "account {id}"
    );
    let flags = record["flags"].as_array().unwrap();
    assert_eq!(
        flags.contains(&json!("closed")),
        model.is_closed(id),
        "account {id}"
    );
}

/// A command as lines of a table.
fn table(command: &Command) -> Vec<Value> {
    let mut lines: Vec<_> = match command {
        Command::Accounts(batch) => batch.iter().map(account).collect(),
        Command::Transfers(batch) => batch.iter().map(transfer).collect(),
        Command::Tick(seconds) => return vec![json!({ "tick_seconds": seconds })],
    };
    lines.push(json!({ "commit": true }));
    lines
}

/// What the model says to a command, a status for each line.
fn answers(model: &mut Model, command: &Command) -> Vec<&'static str> {
    let mut answers = match command {
        Command::Accounts(batch) => {
            model.now += u64::from(!batch.is_empty());
            model.create_accounts(batch)
        }
        Command::Transfers(batch) => {
            model.now += u64::from(!batch.is_empty());
            model.create_transfers(batch)
        }
        Command::Tick(seconds) => {
            model.now += seconds * SECOND;
            return vec!["ticked"];
        }
    };
    answers.push("committed");
    answers
}

fn account(request: &AccountRequest) -> Value {
    json!({ "create_account": {
        "id": request.id.0.to_string(),
        "ledger": request.ledger,
        "code": request.code.to_string(),
        "limit": request.limit.nano().to_string(),
        "flags": request.flags.names().collect::<Vec<_>>(),
    } })
}

fn transfer(request: &TransferRequest) -> Value {
    json!({ "create_transfer": {
        "id": request.id.0.to_string(),
        "debit_account_id": request.debit_account_id.0.to_string(),
        "credit_account_id": request.credit_account_id.0.to_string(),
        "amount": request.amount.nano().to_string(),
        "pending_id": request.pending_id.0.to_string(),
        "timeout": request.timeout,
        "ledger": request.ledger.to_string(),
        "code": request.code,
        "user_data_64": request.user_data_64,
        "flags": request.flags.names().collect::<Vec<_>>(),
    } })
}
