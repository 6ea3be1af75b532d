use crate::codec::DecodeError;
use crate::record::Tip;
use crate::said::{Said, with_readable};
use crate::sessions::Sessions;
use crate::spool::{Inlet, Outlet, Spool};
use crate::state::{put_network, take_ledger, take_parts};
use aigen_network::{Datasets, Governance, Keyring, Network};
use aigen_types::{Digest, Timestamp};
use thiserror::Error;

/// The newest form. Older ones stay readable, and what one of them can say is still written in it.
const SNAPSHOT_VERSION: u16 = 7;

/// A network whose receipts do not say who counted, and whose keys may read every dataset.
const WITHOUT_COUNTERS: u16 = 6;

/// A network without datasets.
const WITHOUT_DATASETS: u16 = 5;

/// A network whose calls asked nothing of the outside, and made no calls within themselves.
const WITHOUT_SUB_CALLS: u16 = 4;

/// A network whose keys have no limits, and whose calls were steered by nothing that leaves more
/// than tokens behind.
const WITHOUT_KEYRING: u16 = 3;

/// A network without rules, bonds, windows and held payouts of its own.
const WITHOUT_GOVERNANCE: u16 = 2;

/// The first form, which knew of no releases.
const BEFORE_RELEASES: u16 = 1;

/// What a snapshot begins with, so that nothing else is taken for one.
const MAGIC: &[u8; 8] = b"AiGnSnap";

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
        let mut out = Outlet::default();
        self.put_state(&Said::by(&self.network), &mut out);
        let state = out.finish();
        Digest(*state.hash(state.len()).as_bytes())
    }

    /// The stored form: what it is, state, hash of both.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let spool = self.to_spool(Spool::default());
        spool.parts(spool.len(), usize::MAX).flatten().collect()
    }

    /// The same, in this spool.
    pub(crate) fn to_spool(&self, spool: Spool) -> Spool {
        let said = Said::by(&self.network);
        let mut out = Outlet::into(spool);
        MAGIC.iter().for_each(|byte| out.put(byte));
        out.put(&self.version(&said));
        out.put(&self.tip);
        out.put(&self.timestamp);
        self.put_state(&said, &mut out);
        let mut spool = out.finish();
        let hash = spool.hash(spool.len());
        spool.push(hash.as_bytes());
        spool
    }

    fn put_state(&self, said: &Said, out: &mut Outlet) {
        let version = self.version(said);
        out.put(&self.sessions);
        put_network(&self.network, version > WITHOUT_COUNTERS, out);
        if version > WITHOUT_GOVERNANCE {
            out.put(self.network.governance());
        }
        if version > WITHOUT_KEYRING {
            out.put(self.network.keyring());
            out.put(&said.steered);
        }
        if version > WITHOUT_SUB_CALLS {
            out.put(&said.asked);
            out.put(self.network.within().parents());
        }
        if version > WITHOUT_DATASETS {
            out.put(self.network.dataset_state());
            out.put(&said.reads);
        }
        if version > WITHOUT_COUNTERS {
            out.put(&said.readable);
        }
    }

    fn version(&self, said: &Said) -> u16 {
        let is_plain = *self.network.keyring() == Keyring::default();
        let is_alone = self.network.within().parents().is_empty();
        if said.counters || !said.readable.is_empty() {
            SNAPSHOT_VERSION
        } else if *self.network.dataset_state() != Datasets::default() {
            WITHOUT_COUNTERS
        } else if !is_alone || !said.asked.is_empty() {
            WITHOUT_DATASETS
        } else if !is_plain || !said.steered.is_empty() {
            WITHOUT_SUB_CALLS
        } else if *self.network.governance() != Governance::default() {
            WITHOUT_KEYRING
        } else {
            WITHOUT_GOVERNANCE
        }
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
    let ledger = take_ledger(ledger, input)?;
    let (parts, ended) = take_parts(
        receipts,
        version > WITHOUT_COUNTERS,
        version > BEFORE_RELEASES,
        input,
    )?;
    let mut network = Network::from_parts(parts, ledger);
    let mut said = Said::default();
    if version > WITHOUT_GOVERNANCE {
        network = network.with_governance(input.take()?);
    }
    if version > WITHOUT_KEYRING {
        network = network.with_keyring(input.take()?);
        said.steered = input.take()?;
    }
    if version > WITHOUT_SUB_CALLS {
        said.asked = input.take()?;
        network = network.with_sub_calls(input.take()?);
    }
    if version > WITHOUT_DATASETS {
        let datasets: Datasets = input.take()?;
        said.reads = input.take()?;
        network = network.with_datasets(datasets, &said.reads);
    }
    if version > WITHOUT_COUNTERS {
        network = with_readable(network, input.take()?);
    }
    Ok(network.with_receipts(ended.in_order(spool, &said)))
}
