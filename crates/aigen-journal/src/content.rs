//! Content beside the journal, by its SHA-256: what is too large for a record, which names it by
//! that. Whoever records a digest stores its content first.

use crate::store::StoreError;
use aigen_types::Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Bytes of a part: no append waits for more than one of them, and nobody holds more in memory.
pub(crate) const PART_BYTES: u64 = 1 << 20;

/// Where content is kept, in parts. A store need not keep any.
pub trait ContentStore {
    /// Keeps what `bytes` gives under its digest, durable on `Ok`, and whole or not at all. Storing
    /// it again changes nothing. `false` where the bytes have another digest; nothing is kept then.
    ///
    /// # Errors
    /// When it cannot be read or written.
    fn save_content(&mut self, _digest: Digest, _bytes: &mut dyn Read) -> Result<bool, StoreError> {
        Err(StoreError::Foreign("this store keeps no content".into()))
    }

    /// The digests under which something is kept, in order.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn contents(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(Vec::new())
    }

    /// A part of what is kept under a digest, from 0; nobody has looked into it. `None` beyond the
    /// last.
    ///
    /// # Errors
    /// When it cannot be read.
    fn content_part(&self, _digest: Digest, _part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    /// Gives every part of a content to `visit`, in order. `false` where there is none, or what was
    /// given is not what the digest says.
    ///
    /// # Errors
    /// When it cannot be read; or what `visit` returned.
    fn read_parts(
        &self,
        digest: Digest,
        visit: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let mut hash = Sha256::new();
        for number in 0.. {
            let Some(part) = self.content_part(digest, number)? else {
                break;
            };
            hash.update(&part);
            visit(&part)?;
        }
        Ok(Digest(hash.finalize().into()) == digest)
    }

    /// Whether the content of a digest is here, whole.
    ///
    /// # Errors
    /// When it cannot be read.
    fn has_content(&self, digest: Digest) -> Result<bool, StoreError> {
        self.read_parts(digest, &mut |_| Ok(()))
    }

    /// The content of a digest, `None` where there is none or it is damaged.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read_content(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = Vec::new();
        let whole = self.read_parts(digest, &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        Ok(whole.then_some(bytes))
    }
}

/// What was to be stored cannot be read.
pub(crate) fn unread(error: io::Error) -> StoreError {
    StoreError::Io(error.into())
}

/// Divides what is read into parts, and hashes them.
pub(crate) struct Parts<'a> {
    bytes: &'a mut dyn Read,
    hash: Sha256,
}

impl<'a> Parts<'a> {
    pub fn of(bytes: &'a mut dyn Read) -> Self {
        let hash = Sha256::new();
        Self { bytes, hash }
    }

    /// The next part; `None` after the last.
    pub fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut part = Vec::new();
        Read::take(&mut *self.bytes, PART_BYTES).read_to_end(&mut part)?;
        self.hash.update(&part);
        Ok((!part.is_empty()).then_some(part))
    }

    pub fn digest(self) -> Digest {
        Digest(self.hash.finalize().into())
    }
}

/// Reads a content that another store keeps.
pub(crate) struct Stored<'a, S: ContentStore + ?Sized> {
    store: &'a S,
    digest: Digest,
    next: u32,
    part: io::Cursor<Vec<u8>>,
}

impl<'a, S: ContentStore + ?Sized> Stored<'a, S> {
    pub fn new(store: &'a S, digest: Digest) -> Self {
        Self {
            store,
            digest,
            next: 0,
            part: io::Cursor::default(),
        }
    }
}

impl<S: ContentStore + ?Sized> Read for Stored<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(into)?;
        if read > 0 || into.is_empty() {
            return Ok(read);
        }
        let part = self.store.content_part(self.digest, self.next);
        let Some(part) = part.map_err(io::Error::other)? else {
            return Ok(0);
        };
        self.next += 1;
        self.part = io::Cursor::new(part);
        self.part.read(into)
    }
}
