use crate::codec::{DecodeError, Wire};
use crate::record::Tip;
use crate::sessions::Sessions;
use crate::state::{asked, reads, steered, take_before_releases};
use aigen_network::{Datasets, Governance, Keyring, Network};
use aigen_types::{Digest, Timestamp};
use std::collections::BTreeMap;
use thiserror::Error;

/// The newest form. Older ones stay readable, and what one of them can say is still written in it.
const SNAPSHOT_VERSION: u16 = 6;

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
        let mut state = Vec::new();
        self.put_state(&mut state);
        Digest(*blake3::hash(&state).as_bytes())
    }

    /// The stored form: what it is, state, hash of both.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        self.version().put(&mut bytes);
        self.tip.put(&mut bytes);
        self.timestamp.put(&mut bytes);
        self.put_state(&mut bytes);
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    fn put_state(&self, out: &mut Vec<u8>) {
        self.sessions.put(out);
        self.network.put(out);
        let version = self.version();
        if version > WITHOUT_GOVERNANCE {
            self.network.governance().put(out);
        }
        if version > WITHOUT_KEYRING {
            self.network.keyring().put(out);
            steered(&self.network).put(out);
        }
        if version > WITHOUT_SUB_CALLS {
            asked(&self.network).put(out);
            self.network.within().parents().put(out);
        }
        if version > WITHOUT_DATASETS {
            self.network.dataset_state().put(out);
            reads(&self.network).put(out);
        }
    }

    fn version(&self) -> u16 {
        let is_plain = *self.network.keyring() == Keyring::default();
        let is_alone = self.network.within().parents().is_empty();
        if *self.network.dataset_state() != Datasets::default() {
            SNAPSHOT_VERSION
        } else if !is_alone || !asked(&self.network).is_empty() {
            WITHOUT_DATASETS
        } else if !is_plain || !steered(&self.network).is_empty() {
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
        let whole = bytes.len().checked_sub(HASH_BYTES);
        let (input, hash) = bytes.split_at(whole.ok_or(SnapshotError::Foreign)?);
        let mut input = input.strip_prefix(MAGIC).ok_or(SnapshotError::Foreign)?;
        if blake3::hash(&bytes[..bytes.len() - HASH_BYTES]).as_bytes() != hash {
            return Err(SnapshotError::Hash);
        }
        let version = u16::take(&mut input)?;
        if version > SNAPSHOT_VERSION {
            return Err(SnapshotError::Version(version));
        }
        Ok(Self {
            tip: Tip::take(&mut input)?,
            timestamp: Timestamp::take(&mut input)?,
            sessions: Sessions::take(&mut input)?,
            network: take_network(version, &mut input)?,
        })
    }
}

fn take_governed(input: &mut &[u8]) -> Result<Network, DecodeError> {
    Ok(Network::take(input)?.with_governance(Governance::take(input)?))
}

fn take_steered(input: &mut &[u8]) -> Result<Network, DecodeError> {
    Ok(take_governed(input)?
        .with_keyring(Keyring::take(input)?)
        .with_steered(BTreeMap::take(input)?))
}

fn take_within(input: &mut &[u8]) -> Result<Network, DecodeError> {
    Ok(take_steered(input)?
        .with_asked(BTreeMap::take(input)?)
        .with_sub_calls(BTreeMap::take(input)?))
}

fn take_network(version: u16, input: &mut &[u8]) -> Result<Network, DecodeError> {
    match version {
        ..=BEFORE_RELEASES => take_before_releases(input),
        WITHOUT_GOVERNANCE => Network::take(input),
        WITHOUT_KEYRING => take_governed(input),
        WITHOUT_SUB_CALLS => take_steered(input),
        WITHOUT_DATASETS => take_within(input),
        _ => {
            let network = take_within(input)?;
            let datasets = Datasets::take(input)?;
            Ok(network.with_datasets(datasets, BTreeMap::take(input)?))
        }
    }
}
