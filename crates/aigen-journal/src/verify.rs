use crate::replay::{Replayed, read_snapshot};
use crate::snapshot::SnapshotError;
use crate::store::{Store, StoreError};
use aigen_economy::settlement::settle;
use aigen_network::{
    ControllerKind, Network, ReadReceipt, Receipt, SettledEpoch, settled_call, settled_read,
};
use aigen_types::{Amount, CallId, Digest, Epoch};
use std::collections::BTreeSet;

/// What a journal that verifies amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Records read, each hash and each link of the chain checked.
    pub records: u64,
    /// Hash of the last one.
    pub tip: Digest,
    /// Commands applied.
    pub commands: u64,
    /// Accounts and transfers in the ledger.
    pub accounts: usize,
    /// Transfers in the ledger.
    pub transfers: usize,
    /// Everything ever issued.
    pub issued: Amount,
    /// What all other accounts hold together; equal to `issued`.
    pub balances: Amount,
    /// Receipts, each rated again from its usage.
    pub receipts: usize,
    /// Calls that are still running.
    pub open_calls: usize,
    /// Settled epochs, each settled again from its input.
    pub epochs: usize,
    /// Components of releases and rows of datasets, each compared with its digest.
    pub contents: usize,
    /// Snapshots, each the state that replaying the records before it leads to.
    pub snapshots: usize,
}

/// Why a journal whose records are whole is still not right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An invariant of the ledger does not hold.
    #[error("the ledger breaks its own rule: {0}")]
    Ledger(String),
    /// Balances and issued money differ.
    #[error("{issued} AIGEN were issued, but all balances together are {balances} AIGEN")]
    Balances {
        /// What was issued.
        issued: Amount,
        /// What there is.
        balances: Amount,
    },
    /// A receipt's charge does not follow from its usage and prices.
    #[error("receipt {0} does not follow from its usage and prices")]
    Receipt(CallId),
    /// A snapshot is damaged, or is not the state that its records lead to.
    #[error(
        "the snapshot after record {seq} cannot be trusted: {reason}\n  hint: the records are whole, and a node that starts passes it over; `aigen ledger snapshot` makes a new one"
    )]
    Snapshot {
        /// The record.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A snapshot was made by a newer version.
    #[error(
        "the snapshot after record {seq} has format version {version}, which is newer than this program\n  hint: update aigen; until then a node that starts passes it over and replays the records"
    )]
    SnapshotNewer {
        /// The record.
        seq: u64,
        /// The version of its format.
        version: u16,
    },
    /// Content that a release names is missing or damaged.
    #[error(
        "the component of {0} is missing or damaged\n  hint: restore the journal from a backup, or publish the same component again"
    )]
    Content(String),
    /// The rows of a dataset are damaged.
    #[error(
        "the rows of {0} in the journal's store are damaged\n  hint: restore the journal from a backup, or publish the same rows again"
    )]
    Rows(String),
    /// An epoch's payouts do not follow from its input.
    #[error("the payouts of epoch {0} do not follow from its input")]
    Epoch(Epoch),
}

/// Replays everything and checks everything that was ever promised. `progress` is told each
/// record's number.
///
/// # Errors
/// A record that cannot be trusted, by number, or the first fault of the state it leads to.
pub fn verify(
    store: &dyn Store,
    mut progress: impl FnMut(u64),
) -> Result<Result<Verification, Fault>, StoreError> {
    let snapshots = store.snapshots()?;
    let mut wrong = None;
    let mut replayed = Replayed::beside(store)?;
    replayed.follow(store, |state, record, _| {
        progress(record.seq);
        if wrong.is_none() && snapshots.contains(&record.seq) {
            wrong = wrong_snapshot(store, record.seq, state)?;
        }
        Ok(())
    })?;
    let beyond = snapshots.iter().find(|seq| **seq > replayed.tip.seq);
    let wrong = wrong.or_else(|| beyond.map(|seq| lost_tail(*seq)));
    if let Some(fault) = wrong {
        return Ok(Err(fault));
    }
    let network = &replayed.network;
    let contents = match check_contents(store, network)? {
        Ok(contents) => contents,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(check(network).map(|(issued, balances)| Verification {
        records: replayed.tip.seq,
        tip: replayed.tip.hash,
        commands: network.commands(),
        accounts: network.ledger().accounts().count(),
        transfers: network.ledger().transfer_count(),
        issued,
        balances,
        receipts: network.receipt_count(),
        open_calls: network.calls().count(),
        epochs: network.settled_epochs().count(),
        contents,
        snapshots: snapshots.len(),
    }))
}

/// How many components there are, all of them whole.
fn check_contents(
    store: &dyn Store,
    network: &Network,
) -> Result<Result<usize, Fault>, StoreError> {
    let mut whole = 0;
    for (digest, release) in network.releases() {
        let Some(controller) = network.controller(digest) else {
            continue;
        };
        if controller.published.kind != ControllerKind::Wasm {
            continue;
        }
        if !store.has_content(release.content)? {
            let reference = controller.published.reference.to_string();
            return Ok(Err(Fault::Content(reference)));
        }
        whole += 1;
    }
    check_rows(store, network, whole)
}

/// As [`check_contents`], of the rows that are kept here: a node alone keeps them in a folder of its own.
fn check_rows(
    store: &dyn Store,
    network: &Network,
    mut whole: usize,
) -> Result<Result<usize, Fault>, StoreError> {
    let mut kept: BTreeSet<Digest> = store.contents()?.into_iter().collect();
    for dataset in network.datasets() {
        let new = &dataset.published;
        // Versions may have the same rows.
        if !kept.remove(&new.content) {
            continue;
        }
        if !store.has_content(new.content)? {
            return Ok(Err(Fault::Rows(new.reference.to_string())));
        }
        whole += 1;
    }
    Ok(Ok(whole))
}

/// Records were there when the snapshot was made.
fn lost_tail(seq: u64) -> Fault {
    let reason = "the journal ends before it: records are missing".to_owned();
    Fault::Snapshot { seq, reason }
}

/// What is wrong with the snapshot after this record, where `state` is what it should say.
fn wrong_snapshot(
    store: &dyn Store,
    seq: u64,
    state: &Replayed,
) -> Result<Option<Fault>, StoreError> {
    let reason = match read_snapshot(store, seq)? {
        Ok(snapshot) => {
            if Replayed::from(snapshot) == *state {
                return Ok(None);
            }
            "it is not the state that its records lead to".to_owned()
        }
        Err(SnapshotError::Version(version)) => {
            return Ok(Some(Fault::SnapshotNewer { seq, version }));
        }
        Err(error) => error.to_string(),
    };
    Ok(Some(Fault::Snapshot { seq, reason }))
}

fn check(network: &Network) -> Result<(Amount, Amount), Fault> {
    network
        .check()
        .map_err(|violation| Fault::Ledger(violation.to_string()))?;
    let (issued, balances) = (network.issued(), network.total_balances());
    if issued != balances {
        return Err(Fault::Balances { issued, balances });
    }
    let wrong = network
        .receipts()
        .find(|(_, receipt)| !follows(network, receipt));
    if let Some((call, _)) = wrong {
        return Err(Fault::Receipt(call));
    }
    let wrong = network
        .read_receipts()
        .find(|(_, receipt)| !read_follows(network, receipt));
    if let Some((read, _)) = wrong {
        return Err(Fault::Receipt(read));
    }
    let wrong = network
        .settled_epochs()
        .find(|(_, settled)| !settles(settled));
    match wrong {
        Some((epoch, _)) => Err(Fault::Epoch(epoch)),
        None => Ok((issued, balances)),
    }
}

fn follows(network: &Network, receipt: &Receipt) -> bool {
    let Some(found) = network.founded() else {
        return false;
    };
    let shares = &found.settings.shares;
    settled_call(&receipt.call, receipt.outcome, shares).is_ok_and(|settled| {
        settled.charge == receipt.charge
            && settled.split == receipt.split
            && settled.reads == receipt.call.reads
    })
}

fn read_follows(network: &Network, receipt: &ReadReceipt) -> bool {
    let Some(found) = network.founded() else {
        return false;
    };
    let read = &receipt.read;
    let settled = settled_read(read, &found.settings.shares);
    settled == (read.earned, receipt.protocol)
        && read.charge().is_ok_and(|charge| charge.total == read.fee)
}

fn settles(settled: &SettledEpoch) -> bool {
    settle(&settled.input) == settled.output
}
