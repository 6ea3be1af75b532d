//! Backup, restore and snapshot: the journal as a whole.

use super::store::{filling, reading, writing};
use crate::context::Context;
use crate::failure::hinted;
use aigen_journal::{SqliteStore, Store, StoreError, Tip, copy, take_snapshot, verify};
use anyhow::Result;
use serde::Serialize;
use std::path::Path;

/// Where a copy or a snapshot ends, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Kept {
    /// Records in it.
    records: u64,
    /// Hash of the last one.
    tip: String,
}

pub fn backup(file: &Path, context: &Context) -> Result<()> {
    let tip = reading(context, |from| {
        let mut to = SqliteStore::open(file)?;
        copied(from, &mut to, context).map_err(|error| another_journal(error, file))
    })?;
    say(tip, &format!("backed up into {}", file.display()), context)
}

pub fn restore(file: &Path, context: &Context) -> Result<()> {
    let from = SqliteStore::open_read_only(file)?;
    // A backup that does not verify is no backup: better to know it now.
    verify(&from, |_| {})??;
    let tip = filling(context, |to| {
        if to.tip()? != Tip::default() {
            return Err(hinted(
                "there is a journal already",
                "restore into a new data folder or database; nothing was changed",
            ));
        }
        Ok(copied(&from, to, context)?)
    })?;
    say(tip, &format!("restored from {}", file.display()), context)
}

pub fn snapshot(context: &Context) -> Result<()> {
    let tip = writing(context, |store| Ok(take_snapshot(store)?))?;
    say(tip, "saved the state", context)
}

fn copied(from: &dyn Store, to: &mut dyn Store, context: &Context) -> Result<Tip, StoreError> {
    let bar = context.output.progress(None, "records");
    let tip = copy(from, to, |seq| bar.set_position(seq));
    bar.finish_and_clear();
    tip
}

fn another_journal(error: StoreError, file: &Path) -> anyhow::Error {
    match error {
        StoreError::Conflict(_) => hinted(
            format!("{} is a backup of another journal", file.display()),
            "name a new file; nothing was changed",
        ),
        other => other.into(),
    }
}

fn say(tip: Tip, what: &str, context: &Context) -> Result<()> {
    let kept = Kept {
        records: tip.seq,
        tip: tip.hash.to_string(),
    };
    context.output.data(&kept, || {
        format!("{what}: {} records, the last one {}\n", tip.seq, tip.hash)
    })
}
