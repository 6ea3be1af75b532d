use std::collections::HashMap;

use aigen_types::Digest;

/// What came of the most recently used sources, by their digests.
pub(super) struct Cache<T> {
    capacity: usize,
    uses: u64,
    kept: HashMap<Digest, (u64, T)>,
}

impl<T: Clone> Cache<T> {
    pub fn new(capacity: usize) -> Self {
        let (uses, kept) = (0, HashMap::new());
        Self {
            capacity,
            uses,
            kept,
        }
    }

    pub fn get(&mut self, digest: &Digest) -> Option<T> {
        self.uses += 1;
        let (used, value) = self.kept.get_mut(digest)?;
        *used = self.uses;
        Some(value.clone())
    }

    /// Keeps the value, and forgets the one unused the longest when full.
    pub fn put(&mut self, digest: Digest, value: T) {
        self.uses += 1;
        if self.kept.len() >= self.capacity {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(digest) = oldest.map(|(digest, _)| *digest) {
                self.kept.remove(&digest);
            }
        }
        self.kept.insert(digest, (self.uses, value));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.kept.len()
    }
}
