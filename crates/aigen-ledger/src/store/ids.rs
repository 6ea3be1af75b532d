use super::catalogue::Catalogue;
use super::index::Index;
use crate::Shelf;
use alloc::sync::Arc;

/// From id to place: the newest ids in memory, the others on a shelf, if there is one.
#[derive(Debug, Default)]
pub struct Ids {
    recent: Index,
    shelved: Option<Catalogue>,
}

impl Ids {
    /// Of these ids, each at its place in the row.
    #[must_use]
    pub fn of(key: u128, ids: impl Iterator<Item = u128>) -> Self {
        Self {
            recent: Index::of(key, ids),
            shelved: None,
        }
    }

    /// The same, with room for those that are to leave memory.
    #[must_use]
    pub fn on(self, shelf: Arc<dyn Shelf>) -> Self {
        Self {
            shelved: Some(Catalogue::on(shelf)),
            ..self
        }
    }

    /// The same ids in memory, each at its place in the row.
    pub(super) fn again(&self, ids: impl Iterator<Item = u128>) -> Self {
        Self::of(self.recent.key(), ids)
    }

    /// The place of `id`, where `has_id` says whether a place holds it.
    pub fn find(&self, id: u128, has_id: impl Fn(usize) -> bool) -> Option<usize> {
        let shelved = || {
            let shelved = self.shelved.as_ref()?;
            shelved.find(self.recent.hash(id), &has_id)
        };
        self.recent.find(id, &has_id).or_else(shelved)
    }

    /// Adds an id that is not there yet.
    pub fn insert(&mut self, id: u128, place: usize) {
        self.recent.insert(id, place);
    }

    /// Takes out one of the newest.
    pub fn remove(&mut self, id: u128, place: usize) {
        self.recent.remove(id, place);
    }

    /// Adds an id that is not there yet, outside of memory where there is room for it.
    pub fn insert_shelved(&mut self, id: u128, place: usize) {
        match &mut self.shelved {
            Some(shelved) => shelved.insert(self.recent.hash(id), place),
            None => self.recent.insert(id, place),
        }
    }

    /// Moves an id out of memory.
    pub fn shelve(&mut self, id: u128, place: usize) {
        if let Some(shelved) = &mut self.shelved {
            self.recent.remove(id, place);
            shelved.insert(self.recent.hash(id), place);
        }
    }
}
