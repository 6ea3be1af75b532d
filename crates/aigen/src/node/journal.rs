//! Which store keeps the journal, and who else writes to it.

mod transport;

use super::snapshots::Open;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::failure::told;
use aigen_journal::cluster::{Candidate, Membership, RealTime, Timing};
use aigen_journal::{
    Found, Journal, PostgresElection, PostgresStore, Recovery, SqliteStore, StoreError, Unfinished,
};
use aigen_node::{random_digest, random_node_id};
use aigen_types::{NodeId, Timestamp};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use transport::Http;

/// The journal, and the id that it knows this node by.
pub struct Opened {
    pub journal: Journal,
    pub node: NodeId,
    /// For whoever saves snapshots.
    pub beside: Open,
    /// Commands that the last snapshot has taken in.
    pub saved: u64,
}

/// Recovers the state and starts the writer: alone on the data folder's own journal, or with
/// other nodes on the database that the configuration names.
///
/// # Errors
/// A journal that cannot be read or trusted: it names the record, and nothing is changed.
pub async fn open(config: &Config, data_dir: &DataDir, address: SocketAddr) -> Result<Opened> {
    let node = random_node_id();
    let (journal, recovery) = match &config.journal {
        None => alone(data_dir)?,
        Some(url) => shared(url, node, config, data_dir, address).await?,
    };
    for (seq, error) in &recovery.refused {
        tracing::warn!(record = seq, %error, "a snapshot was passed over; an older state was replayed instead");
    }
    let tip = journal.tip();
    tracing::info!(
        records = tip.seq,
        tip = %tip.hash,
        snapshot = recovery.snapshot,
        replayed = recovery.replayed,
        "journal recovered"
    );
    let beside = beside(config, data_dir);
    Ok(Opened {
        journal,
        node,
        beside,
        saved: recovery.saved,
    })
}

fn beside(config: &Config, data_dir: &DataDir) -> Open {
    match config.journal.clone() {
        Some(url) => {
            let room = data_dir.path().to_owned();
            Arc::new(move || {
                let store = PostgresStore::open_existing(&url)?;
                Ok(Box::new(store.with_room_in(&room)))
            })
        }
        None => {
            let path = data_dir.journal();
            Arc::new(move || Ok(Box::new(SqliteStore::open_beside(&path)?)))
        }
    }
}

fn alone(data_dir: &DataDir) -> Result<(Journal, Recovery)> {
    let path = data_dir.journal();
    let cannot = || format!("cannot start from the journal {}", path.display());
    let (store, found) = SqliteStore::open_with_tip(&path).with_context(cannot)?;
    data_dir.keep_journal_private().with_context(cannot)?;
    tell(&found);
    Journal::start(Box::new(store), now, end_process).with_context(cannot)
}

/// Nothing of it is an error: a process was killed, or the power went.
fn tell(found: &Found) {
    let Unfinished { bytes, frames } = found.unfinished;
    if bytes > 0 {
        tracing::warn!(
            bytes,
            frames,
            "dropped what stood behind the journal's last record: it was begun and never finished"
        );
    }
    if found.is_tip_unreadable() {
        tracing::warn!("the file journal.tip could not be read and was made anew");
    }
}

async fn shared(
    url: &str,
    node: NodeId,
    config: &Config,
    data_dir: &DataDir,
    address: SocketAddr,
) -> Result<(Journal, Recovery)> {
    let me = Candidate {
        node,
        url: match &config.advertise {
            Some(advertised) => advertised.clone(),
            None => super::url(address, config.tls.is_some()),
        },
        secret: random_digest().to_string(),
    };
    let timing = Timing {
        lease: Duration::from_secs(config.lease_seconds),
        ..Timing::default()
    };
    let transport = Box::new(Http::new()?);
    let (url, room) = (url.to_owned(), data_dir.path().to_owned());
    // Connecting waits for another machine, on a thread where waiting disturbs nobody.
    let opening = tokio::task::spawn_blocking(move || {
        let membership = Membership {
            me,
            election: Box::new(PostgresElection::open(&url)?),
            transport,
            timing,
            pace: Box::new(RealTime),
        };
        let store = Box::new(PostgresStore::open(&url)?.with_room_in(&room));
        Journal::join(store, membership, now, end_process)
    });
    opening
        .await?
        .context("cannot start from the journal's database")
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
    let (because, hint) = told(&error.into());
    tracing::error!(
        because,
        hint,
        "a record could not be made durable; the process ends here"
    );
    std::process::abort();
}
