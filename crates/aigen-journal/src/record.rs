use crate::codec::{DecodeError, Wire, malformed};
use aigen_network::Command;
use aigen_types::{Digest, Timestamp};
use thiserror::Error;

/// The form that this version writes. Older ones stay readable.
pub const RECORD_VERSION: u16 = 1;

/// Bytes of contents from which on a record takes no further command. A record may exceed
/// it by one command, and holds at least one.
pub(crate) const RECORD_BODY_BYTES_MAX: usize = 1 << 20;

/// Where a journal ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tip {
    /// Number of the last record; zero before the first.
    pub seq: u64,
    /// Its hash; all zeros before the first.
    pub hash: Digest,
}

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
    /// The commands, serialised.
    pub body: Vec<u8>,
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
    #[error("its format version {0} is newer than this program; update aigen")]
    Version(u16),
    /// The contents are not commands.
    #[error(transparent)]
    Contents(#[from] DecodeError),
}

/// The serialised form of one command.
pub(crate) fn encode(command: &Command) -> Vec<u8> {
    let mut bytes = Vec::new();
    command.put(&mut bytes);
    bytes
}

impl Record {
    /// A record that continues `tip` and holds these serialised commands.
    #[must_use]
    pub(crate) fn after<'a>(
        tip: Tip,
        timestamp: Timestamp,
        commands: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let mut record = Self {
            version: RECORD_VERSION,
            seq: tip.seq + 1,
            timestamp,
            prev: tip.hash,
            count: 0,
            body: Vec::new(),
        };
        for command in commands {
            record.count += 1;
            record.body.extend_from_slice(command);
        }
        record
    }

    /// A record that continues `tip` and holds these commands.
    #[must_use]
    pub fn of(tip: Tip, timestamp: Timestamp, commands: &[Command]) -> Self {
        let bytes: Vec<_> = commands.iter().map(encode).collect();
        Self::after(tip, timestamp, bytes.iter().map(Vec::as_slice))
    }

    /// BLAKE3 over previous hash, header and contents.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.header());
        hasher.update(&self.body);
        Digest(*hasher.finalize().as_bytes())
    }

    /// Where the journal ends once this is its last record.
    #[must_use]
    pub fn tip(&self) -> Tip {
        Tip {
            seq: self.seq,
            hash: self.hash(),
        }
    }

    /// The commands inside.
    ///
    /// # Errors
    /// When the contents are not `count` commands of a known version.
    pub fn commands(&self) -> Result<Vec<Command>, RecordError> {
        if self.version > RECORD_VERSION {
            return Err(RecordError::Version(self.version));
        }
        let mut input = self.body.as_slice();
        let commands = (0..self.count)
            .map(|_| Command::take(&mut input))
            .collect::<Result<_, _>>()?;
        if input.is_empty() {
            Ok(commands)
        } else {
            Err(malformed::<()>("bytes are left over")
                .expect_err("made to be an error")
                .into())
        }
    }

    /// The stored form: header, contents, hash.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.extend_from_slice(&self.body);
        bytes.extend_from_slice(&self.hash().0);
        bytes
    }

    /// Reads the stored form and checks everything that one record can show.
    ///
    /// # Errors
    /// See [`RecordError`]; nothing of a record that fails is used.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut input = bytes;
        let (record, length) = Self::take_header(&mut input).map_err(|_| RecordError::Length)?;
        let (body, hash) = input
            .split_at_checked(length)
            .filter(|(_, hash)| hash.len() == 32)
            .ok_or(RecordError::Length)?;
        let record = Self {
            body: body.to_vec(),
            ..record
        };
        if record.hash().0.as_slice() == hash {
            Ok(record)
        } else {
            Err(RecordError::Hash)
        }
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
        let mut out = Vec::with_capacity(64 + self.body.len() + 32);
        self.prev.put(&mut out);
        self.version.put(&mut out);
        self.seq.put(&mut out);
        self.timestamp.put(&mut out);
        self.count.put(&mut out);
        u32::try_from(self.body.len())
            .expect("bodies are bounded")
            .put(&mut out);
        out
    }

    fn take_header(input: &mut &[u8]) -> Result<(Self, usize), DecodeError> {
        let prev = Digest::take(input)?;
        let version = u16::take(input)?;
        let seq = u64::take(input)?;
        let timestamp = Timestamp::take(input)?;
        let count = u32::take(input)?;
        let length = usize::try_from(u32::take(input)?).expect("32 bits fit");
        let record = Self {
            version,
            seq,
            timestamp,
            prev,
            count,
            body: Vec::new(),
        };
        Ok((record, length))
    }
}
