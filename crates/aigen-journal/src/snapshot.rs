mod older;

use crate::checkpoint::Checkpoint;
use crate::codec::{DecodeError, Wire, malformed};
use crate::record::Tip;
use crate::said::with_readable;
use crate::sessions::Sessions;
use crate::shelf::take_receipt;
use crate::spool::{Inlet, Spool};
use crate::state::{take_ledger, take_parts};
use aigen_ledger::Ledger;
use aigen_network::{Network, Receipts};
use aigen_types::{CallId, Digest, Timestamp};
use thiserror::Error;

/// The form that is written. Older ones stay readable.
pub(crate) const SNAPSHOT_VERSION: u16 = 8;

/// What a snapshot begins with, so that nothing else is taken for one.
pub(crate) const MAGIC: &[u8; 8] = b"AiGnSnap";

const HASH_BYTES: usize = 32;

/// The state after one record: what recovery starts from instead of the first record.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The record.
    pub tip: Tip,
    /// Its ledger time.
    pub timestamp: Timestamp,
    /// What every node has had written.
    pub sessions: Sessions,
    /// The network.
    pub network: Network,
}

/// Why bytes are not a snapshot to start from.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SnapshotError {
    /// It begins like something else, or ends too early.
    #[error("it is not a snapshot")]
    Foreign,
    /// The stored hash is not the hash of what is stored.
    #[error("its hash does not match its contents")]
    Hash,
    /// Written by a newer version.
    #[error("its format version {0} is newer than this program; update aigen")]
    Version(u16),
    /// The contents are not a state.
    #[error(transparent)]
    Contents(#[from] DecodeError),
    /// The journal has another record in this place.
    #[error("the journal has another record {0}")]
    OtherJournal(u64),
}

impl Snapshot {
    /// Hash of the state alone: nodes that hold the same journal agree on it.
    #[must_use]
    pub fn state_hash(&self) -> Digest {
        self.checkpoint().state_hash()
    }

    /// The stored form: what it is, state, hash of both.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.checkpoint().bytes().flatten().collect()
    }

    /// To be saved.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::of(self.tip, self.timestamp, &self.sessions, &self.network)
    }

    /// Reads the stored form, of this version or an older one, and checks it: its hash, and
    /// every law of the ledger inside.
    ///
    /// # Errors
    /// See [`SnapshotError`]; nothing of one that fails is used.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut spool = Spool::default();
        spool.push(bytes);
        Self::from_spool(&spool, Network::new())
    }

    /// The same of what a spool has, into a network that is empty and may be on shelves.
    ///
    /// # Errors
    /// As [`Snapshot::from_bytes`].
    pub(crate) fn from_spool(spool: &Spool, empty: Network) -> Result<Self, SnapshotError> {
        let begins = |_| SnapshotError::Foreign;
        let end = spool.len().checked_sub(HASH_BYTES as u64);
        let end = end.ok_or(SnapshotError::Foreign)?;
        let mut input = Inlet::between(spool, 0, end);
        let magic: u64 = input.take().map_err(begins)?;
        if magic != u64::from_le_bytes(*MAGIC) {
            return Err(SnapshotError::Foreign);
        }
        if spool.hash(end).as_bytes().as_slice() != spool.bytes(end, HASH_BYTES) {
            return Err(SnapshotError::Hash);
        }
        let version: u16 = input.take()?;
        if version > SNAPSHOT_VERSION {
            return Err(SnapshotError::Version(version));
        }
        Ok(Self {
            tip: input.take()?,
            timestamp: input.take()?,
            sessions: input.take()?,
            network: take_network(version, empty, spool, &mut input)?,
        })
    }
}

fn take_network(
    version: u16,
    empty: Network,
    spool: &Spool,
    input: &mut Inlet<'_>,
) -> Result<Network, DecodeError> {
    let (receipts, ledger) = empty.into_past();
    if version <= older::NEWEST {
        return older::take_network(version, receipts, ledger, spool, input);
    }
    let ledger = take_ledger(ledger, |input| input.take(), input)?;
    let network = take_standing(receipts, ledger, input)?;
    let count: u64 = input.take()?;
    let (mut cut, mut last) = (None, None);
    let take = |bytes: &mut &[u8]| Ok((CallId::take(bytes)?, take_receipt(bytes)?));
    let receipts = input.take_all(count, take, &mut cut);
    let network = network.with_receipts(receipts.map_while(|(id, receipt)| {
        let place = Some((receipt.record, id));
        (std::mem::replace(&mut last, place) < place).then_some((id, receipt))
    }));
    match cut {
        Some(error) => Err(error),
        None if network.receipt_count() as u64 != count => malformed("receipts out of order"),
        None => Ok(network),
    }
}

/// All but its receipts.
fn take_standing(
    empty: Receipts,
    ledger: Ledger,
    input: &mut Inlet<'_>,
) -> Result<Network, DecodeError> {
    let network = Network::from_parts(take_parts(empty, input)?, ledger)
        .with_governance(input.take()?)
        .with_keyring(input.take()?);
    let network = with_readable(network, input.take()?).with_sub_calls(input.take()?);
    let (datasets, reads) = (input.take()?, input.take()?);
    Ok(network.with_datasets(datasets, &reads))
}
