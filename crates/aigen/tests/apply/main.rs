//! `aigen ledger apply`: the real binary, fed with tables, and against the naive model that the
//! ledger's own tests have.

#[allow(dead_code)]
#[path = "../../../aigen-ledger/src/tests/commands.rs"]
mod commands;
#[allow(dead_code)]
#[path = "../../../aigen-ledger/src/tests/model.rs"]
mod model;
mod random;
#[path = "../support/mod.rs"]
mod support;
mod table;

// What those two files name as their crate's.
use aigen_ledger::{AccountFlags, AccountRequest, PendingStatus, TransferFlags, TransferRequest};

use std::fs::File;
use std::process::Stdio;
use support::{Folder, Ran};

/// Applies these lines, read from standard input.
fn apply(lines: &str) -> Ran {
    let folder = Folder::new();
    let table = folder.write("table.jsonl", lines);
    let stdin = Stdio::from(File::open(table).unwrap());
    let ran = folder.ran(folder.command(&["ledger", "apply", "-"]).stdin(stdin));
    assert!(!folder.file(".aigen").exists(), "a data folder was made");
    ran
}
