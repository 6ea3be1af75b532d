use crate::record::{Record, RecordError, Tip};
use std::error::Error as StdError;
use thiserror::Error;

/// Where records are kept: compare-and-append, durable on `Ok`, read in order.
/// Small enough to fake on one screen; one conformance suite serves every implementation.
pub trait Store: Send {
    /// Appends one record if it continues the stored tip. On `Ok` it survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else has appended; [`StoreError::Io`] when
    /// durability is unknown: the caller must stop, never retry.
    fn append(&mut self, record: &Record) -> Result<(), StoreError>;

    /// Where the stored journal ends.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tip(&self) -> Result<Tip, StoreError>;

    /// Gives every record after `seq` to `visit`, in order, whole and chained.
    ///
    /// # Errors
    /// The first record that cannot be trusted, by number; or what `visit` returned.
    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

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
    /// The world failed.
    #[error("the journal's storage failed: {0}")]
    Io(Box<dyn StdError + Send + Sync>),
    /// It is not a journal of AiGen, or one of another version.
    #[error("{0}")]
    Foreign(String),
}
