use crate::content::ContentStore;
use crate::record::{Record, RecordError, Tip};
use crate::spool::PART_BYTES;
use aigen_ledger::Shelf;
use std::error::Error as StdError;
use std::sync::Arc;
use thiserror::Error;

/// Where records are kept: compare-and-append, durable on `Ok`, read in order.
/// Small enough to fake on one screen; one conformance suite serves every implementation.
pub trait Store: ContentStore + Send {
    /// Appends one record if it continues the stored tip. On `Ok` it survives a power cut.
    /// Appending the record that is the tip already is `Ok` too, so that an append whose outcome
    /// is unknown can be asked for again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else has appended; [`StoreError::Unreachable`] when
    /// the outcome is unknown and the same append may be tried again; [`StoreError::Io`] when
    /// durability is unknown for good: the caller must stop, never retry.
    fn append(&mut self, record: &Record) -> Result<(), StoreError>;

    /// Where the stored journal ends.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tip(&self) -> Result<Tip, StoreError>;

    /// Number and hash of one stored record; `None` if there is none of this number.
    ///
    /// # Errors
    /// When it cannot be read or trusted.
    fn tip_at(&self, seq: u64) -> Result<Option<Tip>, StoreError> {
        let mut found = None;
        self.read_after(Tip::default(), &mut |record| {
            found = found.or((record.seq == seq).then(|| record.tip()));
            Ok(())
        })?;
        Ok(found)
    }

    /// Gives every record after `tip` to `visit`, in order, whole and chained.
    ///
    /// # Errors
    /// The first record that cannot be trusted, by number; or what `visit` returned.
    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Keeps a snapshot of the state after record `seq`, which comes in parts of at most 1 MiB, and forgets all
    /// but the newest two. A store need not keep any.
    ///
    /// # Errors
    /// When it cannot be written. The journal is as good as before.
    fn save_snapshot_parts(
        &mut self,
        _seq: u64,
        _parts: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        Err(StoreError::Foreign("this store keeps no snapshots".into()))
    }

    /// The same of one that is in memory.
    ///
    /// # Errors
    /// As [`Store::save_snapshot_parts`].
    fn save_snapshot(&mut self, seq: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let parts = bytes.chunks(PART_BYTES);
        self.save_snapshot_parts(seq, &mut parts.map(<[u8]>::to_vec))
    }

    /// The records after which snapshots are kept, newest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        Ok(Vec::new())
    }

    /// Gives the parts of a snapshot to `visit`, in their order, as they were saved; nobody has looked into
    /// them.
    ///
    /// # Errors
    /// When it cannot be read.
    fn visit_snapshot(&self, _seq: u64, _visit: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        Err(StoreError::Foreign("this store keeps no snapshots".into()))
    }

    /// All of one.
    ///
    /// # Errors
    /// As [`Store::visit_snapshot`].
    fn read_snapshot(&self, seq: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.visit_snapshot(seq, &mut |part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// A shelf for the past of a state that is rebuilt from this store, empty and of its own; `None` where
    /// such a state is all in memory. Nothing of the journal depends on it.
    ///
    /// # Errors
    /// When there is no room for one.
    fn shelf(&self) -> Result<Option<Arc<dyn Shelf>>, StoreError> {
        Ok(None)
    }
}

/// Snapshots a store keeps: a second one, should the newest turn out to be damaged.
pub(crate) const SNAPSHOTS_KEPT: usize = 2;

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The stored tip is another one: a second writer is at work.
    #[error("another writer has appended to this journal (it ends at record {0})")]
    Conflict(u64),
    /// A stored record cannot be trusted.
    #[error(
        "journal record {seq} is damaged: {error}\n  hint: nothing was changed; restore this data directory from a backup, or look at it with `aigen ledger verify`"
    )]
    Damaged {
        /// Its number, or the number its place demands.
        seq: u64,
        /// What is wrong with it.
        error: RecordError,
    },
    /// Whole, and written by a program that knows more than this one.
    #[error("{0}\n  hint: update aigen; nothing was changed")]
    Newer(String),
    /// Records that were acknowledged are gone.
    #[error(
        "the journal {what}, but record {acknowledged} was acknowledged: records from {seq} on are lost\n  hint: nothing was changed; restore a backup into a new data directory, or go on without them: `aigen ledger repair --accept-loss`"
    )]
    Lost {
        /// The first record that is missing, or another than it was.
        seq: u64,
        /// The last record that is known to have been acknowledged.
        acknowledged: u64,
        /// What is there instead, after the words "the journal".
        what: String,
    },
    /// The machine that keeps the journal does not answer.
    #[error("the journal's storage cannot be reached: {0}")]
    Unreachable(Box<dyn StdError + Send + Sync>),
    /// The world failed.
    #[error("the journal's storage failed: {0}")]
    Io(Box<dyn StdError + Send + Sync>),
    /// It is not a journal of AiGen.
    #[error("{0}")]
    Foreign(String),
}

impl StoreError {
    /// What is wrong with record `seq`, told apart from a form that is not known here.
    #[must_use]
    pub fn of_record(seq: u64, error: RecordError) -> Self {
        match error {
            RecordError::Version(_) => Self::Newer(format!("journal record {seq}: {error}")),
            error => Self::Damaged { seq, error },
        }
    }
}
