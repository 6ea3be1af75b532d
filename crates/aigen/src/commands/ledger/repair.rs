//! Goes on with what is left of a journal, and writes down what is not.

use crate::context::Context;
use crate::data_dir::DataDir;
use crate::failure::hinted;
use aigen_journal::{Loss, accept_loss};
use anyhow::Result;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// One line of `losses.jsonl`, and what `--json` prints.
#[derive(Debug, Serialize)]
struct Lost {
    /// When it was accepted, in seconds since 1970.
    accepted_at: u64,
    /// The last record there is.
    records: u64,
    /// Its hash.
    tip: String,
    /// The last record that was acknowledged: it and those behind `records` are lost.
    acknowledged: u64,
    /// Its hash.
    acknowledged_tip: String,
    /// Bytes of the log behind the last record that belong to no whole one.
    unfinished_bytes: u64,
    /// A copy of that log, in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

pub fn run(context: &Context) -> Result<()> {
    if context.config.journal.is_some() {
        return Err(hinted(
            "only a journal in a data folder is repaired",
            "one in a database is as whole as the database: restore that, or a backup of the journal",
        ));
    }
    let data_dir = DataDir::open(&context.config.data_dir)?;
    let _lock = data_dir.lock()?;
    let mut written = None;
    accept_loss(&data_dir.journal(), |loss| {
        written = Some(write_down(loss, &data_dir)?);
        Ok(())
    })?;
    let lost = written.ok_or_else(|| {
        hinted(
            "every acknowledged record is there: nothing to repair",
            "`aigen ledger verify` checks everything else; nothing was changed",
        )
    })?;
    context.output.data(&lost, || {
        format!(
            "the journal ends at record {} from now on; record {} was acknowledged\nwritten down in {}\n",
            lost.records,
            lost.acknowledged,
            data_dir.losses().display()
        )
    })
}

/// Safe on the medium before anything is forgotten.
fn write_down(loss: &Loss, data_dir: &DataDir) -> io::Result<Lost> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let lost = Lost {
        accepted_at: since.map_or(0, |since| since.as_secs()),
        records: loss.ends.seq,
        tip: loss.ends.hash.to_string(),
        acknowledged: loss.acknowledged.seq,
        acknowledged_tip: loss.acknowledged.hash.to_string(),
        unfinished_bytes: loss.unfinished.bytes,
        log: keep_log(loss, data_dir)?,
    };
    let mut file = File::options()
        .append(true)
        .create(true)
        .open(data_dir.losses())?;
    writeln!(file, "{}", serde_json::to_string(&lost)?)?;
    file.sync_all()?;
    Ok(lost)
}

/// Somebody may still read in it what SQLite does not.
fn keep_log(loss: &Loss, data_dir: &DataDir) -> io::Result<Option<String>> {
    if loss.unfinished.bytes == 0 {
        return Ok(None);
    }
    let name = format!("lost-after-{}.sqlite-wal", loss.ends.seq);
    let log = data_dir.path().join("journal.sqlite-wal");
    fs::copy(log, data_dir.path().join(&name))?;
    Ok(Some(name))
}
