use crate::codec::{DecodeError, Wire, malformed, record};
use aigen_network::Command;
use aigen_types::{Digest, NodeId, Timestamp};
use thiserror::Error;

/// The form that this version writes. Older ones stay readable.
pub const RECORD_VERSION: u16 = 2;

/// The first version whose header lists [`Record::origins`].
const VERSION_WITH_ORIGINS: u16 = 2;

/// Bytes of contents from which on a record takes no further command. A record may exceed
/// it by one command, and holds at least one.
pub(crate) const RECORD_BODY_BYTES_MAX: usize = 1 << 20;

const HASH_BYTES: usize = 32;

/// Where a journal ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tip {
    /// Number of the last record; zero before the first.
    pub seq: u64,
    /// Its hash; all zeros before the first.
    pub hash: Digest,
}

record!(Tip { seq, hash });

/// Whose batch stands in a record: how a node that lost its leader learns what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The node that asked.
    pub node: NodeId,
    /// Its own count of batches, from 1.
    pub batch: u64,
    /// Commands of the batch.
    pub count: u32,
}

record!(Origin { node, batch, count });

/// One journal entry: a batch of commands, chained to the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Serialised form of the contents.
    pub version: u16,
    /// One more than the record before.
    pub seq: u64,
    /// Ledger time of every command inside.
    pub timestamp: Timestamp,
    /// Hash of the record before.
    pub prev: Digest,
    /// Commands inside.
    pub count: u32,
    /// Whose commands they are, in their order; empty where one process writes alone.
    pub origins: Vec<Origin>,
    /// The commands, serialised.
    pub body: Vec<u8>,
    /// Of all of the above; made once, because a body may be a megabyte.
    hash: Digest,
}

/// Why a stored record cannot be trusted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// Bytes are missing or left over.
    #[error("its length is wrong")]
    Length,
    /// The stored hash is not the hash of what is stored.
    #[error("its hash does not match its contents")]
    Hash,
    /// It names another predecessor than the record before it.
    #[error("it does not continue the record before it")]
    Chain,
    /// It has another number than its place.
    #[error("its number is {found}, not {expected}")]
    Seq {
        /// The number its place demands.
        expected: u64,
        /// The number it carries.
        found: u64,
    },
    /// Written by a newer version.
    #[error("its format version is {0}, this program reads {RECORD_VERSION} and older")]
    Version(u16),
    /// The contents are not commands.
    #[error(transparent)]
    Contents(#[from] DecodeError),
}

/// `count` commands and nothing else.
pub(crate) fn decode(count: u32, mut body: &[u8]) -> Result<Vec<Command>, DecodeError> {
    let commands = (0..count).map(|_| Command::take(&mut body));
    let commands = commands.collect::<Result<_, _>>()?;
    if body.is_empty() {
        Ok(commands)
    } else {
        malformed("bytes are left over")
    }
}

impl Record {
    /// A record that continues `tip` and holds these serialised commands.
    #[must_use]
    pub(crate) fn after(
        tip: Tip,
        timestamp: Timestamp,
        origins: Vec<Origin>,
        count: u32,
        body: Vec<u8>,
    ) -> Self {
        let mut record = Self {
            version: RECORD_VERSION,
            seq: tip.seq + 1,
            timestamp,
            prev: tip.hash,
            count,
            origins,
            body,
            hash: Digest::ZERO,
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&record.header());
        hasher.update(&record.body);
        record.hash = Digest(*hasher.finalize().as_bytes());
        record
    }

    /// A record that continues `tip` and holds these commands.
    #[must_use]
    pub fn of(tip: Tip, timestamp: Timestamp, commands: &[Command]) -> Self {
        let mut body = Vec::new();
        commands.iter().for_each(|command| command.put(&mut body));
        let count = u32::try_from(commands.len()).expect("batches are bounded");
        Self::after(tip, timestamp, Vec::new(), count, body)
    }

    /// BLAKE3 over previous hash, header and contents.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Where the journal ends once this is its last record.
    #[must_use]
    pub fn tip(&self) -> Tip {
        Tip {
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// The commands inside.
    ///
    /// # Errors
    /// When the contents are not `count` commands of a known version.
    pub fn commands(&self) -> Result<Vec<Command>, RecordError> {
        Ok(decode(self.count, &self.body)?)
    }

    /// The stored form: header, contents, hash.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.reserve_exact(self.body.len() + HASH_BYTES);
        bytes.extend_from_slice(&self.body);
        bytes.extend_from_slice(&self.hash.0);
        bytes
    }

    /// Reads the stored form and checks everything that one record can show.
    ///
    /// # Errors
    /// See [`RecordError`]; nothing of a record that fails is used.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let whole = bytes.len().checked_sub(HASH_BYTES);
        let (mut input, hash) = bytes.split_at(whole.ok_or(RecordError::Length)?);
        // Every version ends in the hash of all before it, so that of a newer one is checked too.
        let found = blake3::hash(input);
        if found.as_bytes().as_slice() != hash {
            return Err(RecordError::Hash);
        }
        let record = Self::take_header(&mut input, Digest(*found.as_bytes()))?;
        Ok(Self {
            body: input.to_vec(),
            ..record
        })
    }

    /// Checks that this record continues `tip`.
    ///
    /// # Errors
    /// When its number or its predecessor's hash says otherwise.
    pub fn check_follows(&self, tip: Tip) -> Result<(), RecordError> {
        if self.seq != tip.seq + 1 {
            return Err(RecordError::Seq {
                expected: tip.seq + 1,
                found: self.seq,
            });
        }
        if self.prev == tip.hash {
            Ok(())
        } else {
            Err(RecordError::Chain)
        }
    }

    fn header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        self.prev.put(&mut out);
        self.version.put(&mut out);
        self.seq.put(&mut out);
        self.timestamp.put(&mut out);
        self.count.put(&mut out);
        if self.version >= VERSION_WITH_ORIGINS {
            self.origins.put(&mut out);
        }
        u32::try_from(self.body.len())
            .expect("bodies are bounded")
            .put(&mut out);
        out
    }

    /// Everything but the body, which is what is left of the input.
    fn take_header(input: &mut &[u8], hash: Digest) -> Result<Self, RecordError> {
        let prev = Digest::take(input)?;
        let version = u16::take(input)?;
        if version > RECORD_VERSION {
            return Err(RecordError::Version(version));
        }
        let seq = u64::take(input)?;
        let timestamp = Timestamp::take(input)?;
        let count = u32::take(input)?;
        let origins = match version {
            VERSION_WITH_ORIGINS.. => Vec::take(input)?,
            _ => Vec::new(),
        };
        if usize::try_from(u32::take(input)?).ok() != Some(input.len()) {
            return Err(RecordError::Length);
        }
        Ok(Self {
            version,
            seq,
            timestamp,
            prev,
            count,
            origins,
            body: Vec::new(),
            hash,
        })
    }
}
