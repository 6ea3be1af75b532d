use std::collections::HashMap;

use aigen_types::Digest;

use super::Grammar;

/// The most recently used grammars by the digest of their source.
pub(super) struct Cache {
    capacity: usize,
    uses: u64,
    grammars: HashMap<Digest, (u64, Grammar)>,
}

impl Cache {
    pub fn new(capacity: usize) -> Self {
        let (uses, grammars) = (0, HashMap::new());
        Self {
            capacity,
            uses,
            grammars,
        }
    }

    pub fn get(&mut self, digest: &Digest) -> Option<Grammar> {
        self.uses += 1;
        let (used, grammar) = self.grammars.get_mut(digest)?;
        *used = self.uses;
        Some(grammar.clone())
    }

    /// Keeps the grammar, and forgets the one unused the longest when full.
    pub fn put(&mut self, grammar: Grammar) {
        self.uses += 1;
        if self.grammars.len() >= self.capacity {
            let oldest = self.grammars.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(digest) = oldest.map(|(digest, _)| *digest) {
                self.grammars.remove(&digest);
            }
        }
        self.grammars.insert(grammar.digest(), (self.uses, grammar));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.grammars.len()
    }
}
