//! A snapshot's bytes while one is read: as long as the history, and so not in memory where a store has room
//! elsewhere.

use crate::codec::{DecodeError, Wire};
use crate::shelf::Heap;
use crate::store::{Store, StoreError};
use aigen_ledger::Shelf;
use std::sync::Arc;

/// Bytes that wait in memory to be written or decoded, by and large.
pub(crate) const PART_BYTES: usize = 1 << 20;

/// Bytes one after the other.
#[derive(Debug)]
pub(crate) struct Spool {
    shelf: Arc<dyn Shelf>,
    len: u64,
}

impl Default for Spool {
    fn default() -> Self {
        let shelf = Arc::<Heap>::default();
        Self { shelf, len: 0 }
    }
}

impl Spool {
    /// An empty one, where this store has room.
    ///
    /// # Errors
    /// When there is none.
    pub fn beside(store: &dyn Store) -> Result<Self, StoreError> {
        let spool = Self::default();
        Ok(match store.shelf()? {
            Some(shelf) => Self { shelf, ..spool },
            None => spool,
        })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.shelf.write(self.len, bytes);
        self.len += bytes.len() as u64;
    }

    /// As many bytes from a place on, all of which are there.
    pub fn bytes(&self, at: u64, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.shelf.read(at, &mut bytes);
        bytes
    }

    /// The bytes before a place, in parts of at most so many.
    pub fn parts(&self, end: u64, part_bytes: usize) -> impl Iterator<Item = Vec<u8>> {
        (0..end).step_by(part_bytes).map(move |at| {
            let count = usize::try_from(end - at).map_or(part_bytes, |left| left.min(part_bytes));
            self.bytes(at, count)
        })
    }

    /// BLAKE3 of the bytes before a place.
    pub fn hash(&self, end: u64) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for part in self.parts(end, PART_BYTES) {
            hasher.update(&part);
        }
        hasher.finalize()
    }
}

/// Values on their way out of a spool.
#[derive(Debug)]
pub(crate) struct Inlet<'a> {
    spool: &'a Spool,
    end: u64,
    /// Read and not yet decoded, from `used` on.
    waiting: Vec<u8>,
    used: usize,
    /// Where the spool is read next.
    at: u64,
}

impl<'a> Inlet<'a> {
    /// Of the bytes of a spool between two places.
    pub fn between(spool: &'a Spool, at: u64, end: u64) -> Self {
        Self {
            spool,
            end,
            waiting: Vec::new(),
            used: 0,
            at,
        }
    }

    /// Where the next value begins.
    pub fn place(&self) -> u64 {
        self.at - (self.waiting.len() - self.used) as u64
    }

    /// The next value. One that is cut off by the end of what waits is tried again with more.
    ///
    /// # Errors
    /// When it is none.
    pub fn take<T: Wire>(&mut self) -> Result<T, DecodeError> {
        self.take_with(T::take)
    }

    /// The next value, where `take` takes it.
    ///
    /// # Errors
    /// As [`Inlet::take`].
    pub fn take_with<T>(
        &mut self,
        take: impl Fn(&mut &[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        loop {
            let mut rest = &self.waiting[self.used..];
            match take(&mut rest) {
                Ok(value) => {
                    self.used = self.waiting.len() - rest.len();
                    return Ok(value);
                }
                Err(error) if self.at == self.end => return Err(error),
                Err(_) => self.read_more(),
            }
        }
    }

    /// So many values that `take` takes, up to the first that is none: why, `cut` tells then.
    pub fn take_all<T>(
        &mut self,
        count: u64,
        take: impl Fn(&mut &[u8]) -> Result<T, DecodeError>,
        cut: &mut Option<DecodeError>,
    ) -> impl Iterator<Item = T> {
        (0..count).map_while(move |_| {
            let value = self.take_with(&take);
            value.map_err(|error| *cut = Some(error)).ok()
        })
    }

    fn read_more(&mut self) {
        self.waiting.drain(..self.used);
        self.used = 0;
        let wanted = self.waiting.len().max(PART_BYTES);
        let count = usize::try_from(self.end - self.at).map_or(wanted, |left| left.min(wanted));
        self.waiting.extend(self.spool.bytes(self.at, count));
        self.at += count as u64;
    }
}
