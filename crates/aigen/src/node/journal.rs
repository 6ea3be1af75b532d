use crate::data_dir::DataDir;
use aigen_journal::{Journal, SqliteStore, StoreError};
use aigen_types::Timestamp;
use anyhow::{Context, Result};
use std::time::{SystemTime, UNIX_EPOCH};

/// Replays the journal and starts its writer.
///
/// # Errors
/// A journal that cannot be read or trusted: it names the record, and nothing is changed.
pub fn open(data_dir: &DataDir) -> Result<Journal> {
    let path = data_dir.journal();
    let cannot = || format!("cannot start from the journal {}", path.display());
    let store = SqliteStore::open(&path).with_context(cannot)?;
    let (journal, _) = Journal::start(Box::new(store), now, end_process).with_context(cannot)?;
    let tip = journal.tip();
    tracing::info!(records = tip.seq, tip = %tip.hash, "journal replayed");
    Ok(journal)
}

/// Nanoseconds since 1970; ledger time never runs backwards, whatever this clock does.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    Timestamp(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What was applied but not recorded must not be seen, and a failed sync is never retried:
/// the pages that failed may be gone, and a second sync would say that they are safe.
fn end_process(error: StoreError) {
    tracing::error!(%error, "a record could not be made durable; the process ends here");
    std::process::abort();
}
