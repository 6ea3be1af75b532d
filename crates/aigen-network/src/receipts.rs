//! What calls came to, in the order of the journal: the newest in memory, the others on shelves, if there
//! are any. Lists of them are kept beside: they decide nothing, and follow from the receipts.

mod lists;
mod past;

use crate::calls::Receipt;
use aigen_ledger::Shelf;
use aigen_types::{Address, CallId, Digest, Epoch};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use lists::Lists;
use past::{Past, Rows};

/// How a receipt is written where it leaves memory. What one writes the other reads.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptForm {
    /// All of it.
    pub write: fn(&Receipt) -> Vec<u8>,
    /// `None` for what is no receipt.
    pub read: fn(&[u8]) -> Option<Receipt>,
}

/// The place of a receipt in the order of the journal. Of one record they go by their ids.
pub(crate) type Place = (u64, CallId);

/// Behind every receipt.
const END: Place = (u64::MAX, CallId(u128::MAX));

/// Which receipts a list has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List<'a> {
    All,
    /// Those that an address paid for.
    PaidBy(&'a Address),
    /// Those of calls through a controller, by the epoch that they count in.
    Through(Epoch, Digest),
}

impl List<'_> {
    fn has(self, receipt: &Receipt) -> bool {
        match self {
            Self::All => true,
            Self::PaidBy(payer) => receipt.call.payer == *payer,
            Self::Through(epoch, controller) => {
                receipt.epoch == epoch && receipt.call.controller == Some(controller)
            }
        }
    }
}

/// Receipts that stay in memory beside shelves: 1.4 MB.
const RECENT: usize = if cfg!(test) { 3 } else { 1024 };

/// Receipts that go to the shelves together.
const TOGETHER: usize = if cfg!(test) { 2 } else { 64 };

/// Every receipt of a network.
#[derive(Debug, Default)]
pub struct Receipts {
    /// In memory. Apart from the map, which is a third air and moves what it holds: a receipt is
    /// some 900 bytes.
    recent: BTreeMap<CallId, Arc<Receipt>>,
    lists: Lists,
    past: Option<Past>,
}

impl Receipts {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        let past = self.past.as_ref().map_or(0, |past| past.rows.len());
        self.recent.len().saturating_add(past)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every one, by its id. Takes 24 bytes of memory for each meanwhile.
    pub fn iter(&self) -> impl Iterator<Item = (CallId, Arc<Receipt>)> {
        let recent = self.recent.keys().map(|id| (*id, None));
        let past = self.past.iter().flat_map(|past| past.rows.places());
        let past = past.map(|(id, at)| (id, Some(at)));
        let mut all: Vec<_> = past.chain(recent).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter()
            .filter_map(|(id, at)| match (at, &self.past) {
                (Some(at), Some(past)) => Some((id, past.rows.receipt_at(at))),
                _ => Some((id, Arc::clone(self.recent.get(&id)?))),
            })
    }

    /// Every one, in the order of the journal.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (CallId, Arc<Receipt>)> {
        let past = self.past.iter().flat_map(|past| past.rows.in_order());
        past.chain(self.recent_in_order())
    }

    fn recent_in_order(&self) -> impl Iterator<Item = (CallId, Arc<Receipt>)> {
        let recent = self.lists.of(List::All).into_iter().flatten();
        recent.filter_map(|(_, id)| Some((*id, Arc::clone(self.recent.get(id)?))))
    }

    /// Those that there are now, to be read while others are added and these corrected: takes no longer than
    /// copying where the newest are.
    #[must_use]
    pub fn so_far(&self) -> ReceiptsSoFar {
        ReceiptsSoFar {
            past: self.past.as_ref().map(|past| past.rows.clone()),
            recent: self.recent_in_order().collect(),
        }
    }

    pub(crate) fn get(&self, id: CallId) -> Option<Arc<Receipt>> {
        let recent = self.recent.get(&id).cloned();
        recent.or_else(|| {
            let past = self.past.as_ref()?;
            past.find(id).map(|at| past.rows.receipt_at(at))
        })
    }

    pub(crate) fn contains(&self, id: CallId) -> bool {
        let is_past = || {
            self.past
                .as_ref()
                .is_some_and(|past| past.find(id).is_some())
        };
        self.recent.contains_key(&id) || is_past()
    }

    /// Those of a list, newest first; only those before the receipt of `before`, where that is given.
    /// One that does not exist has none before it.
    pub(crate) fn newest_first(
        &self,
        list: List<'_>,
        before: Option<CallId>,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        let end = before.map_or(Some(END), |id| Some((self.get(id)?.record, id)));
        let recent = self.lists.of(list).zip(end).into_iter();
        let recent = recent.flat_map(|(ids, end)| ids.range(..end).rev());
        let recent = recent.filter_map(|(_, id)| Some((*id, Arc::clone(self.recent.get(id)?))));
        let past = self.past.as_ref().zip(end);
        let past = past.map(|(past, end)| past.newest_first(list, end));
        recent.chain(past.into_iter().flatten())
    }

    /// The receipts that count in an epoch, newest first. Takes time in proportion to those and the newer
    /// ones.
    pub(crate) fn of_epoch(
        &self,
        epoch: Epoch,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        // In one record calls of two epochs can end, and stand there in the order of their ids.
        let mut last_record = 0;
        let newest_first = self.newest_first(List::All, None);
        let recent_enough = newest_first.take_while(move |(_, receipt)| {
            let goes_on = receipt.record >= last_record;
            if receipt.epoch < epoch {
                last_record = receipt.record;
            }
            goes_on
        });
        recent_enough.filter(move |(_, receipt)| receipt.epoch == epoch)
    }

    /// Adds the receipt of a call that has just ended.
    pub(crate) fn insert(&mut self, id: CallId, receipt: Arc<Receipt>) {
        let now = receipt.record;
        self.lists.add(id, &receipt);
        self.recent.insert(id, receipt);
        self.shelve(now);
    }

    /// Changes what was given back of a call since.
    pub(crate) fn correct(&mut self, id: CallId, correct: impl FnOnce(&mut Receipt)) {
        match (self.recent.get_mut(&id), &mut self.past) {
            (Some(receipt), _) => correct(Arc::make_mut(receipt)),
            (None, Some(past)) => past.correct(id, correct),
            (None, None) => {}
        }
    }

    /// Whether every receipt is found by its id and stands in its lists, and nothing else does.
    pub(crate) fn are_listed(&self) -> bool {
        let mut lists = Lists::default();
        for (id, receipt) in self.in_order() {
            if !self.contains(id) {
                return false;
            }
            lists.add(id, &receipt);
        }
        let is_so = |(list, places): (List<'_>, &BTreeSet<Place>)| {
            let listed = self.newest_first(list, None);
            let listed = listed.map(|(id, receipt)| (receipt.record, id));
            listed.eq(places.iter().rev().copied())
        };
        lists.iter().all(is_so)
    }

    /// Forges a receipt, which is in memory.
    #[cfg(test)]
    pub(crate) fn forge(&mut self, id: CallId, forge: impl FnOnce(&mut Receipt)) {
        if let Some(receipt) = self.recent.get_mut(&id) {
            forge(Arc::make_mut(receipt));
        }
    }

    /// The same receipts, of which those before the newest are not in memory.
    #[must_use]
    pub(crate) fn on_shelves(
        &self,
        form: ReceiptForm,
        rows: Arc<dyn Shelf>,
        ids: Arc<dyn Shelf>,
    ) -> Self {
        let mut shelved = Self {
            past: Some(Past::on(form, rows, ids)),
            ..Self::default()
        };
        for (id, receipt) in self.in_order() {
            shelved.insert(id, receipt);
        }
        shelved
    }

    /// Moves the oldest of those in memory to the shelves, once there are enough. Those of the record that
    /// is being filled stay, since others of it may come before them.
    fn shelve(&mut self, now: u64) {
        let Some(past) = &mut self.past else { return };
        if self.recent.len() < RECENT.saturating_add(TOGETHER) {
            return;
        }
        let mut oldest_first = Vec::new();
        for _ in 0..TOGETHER {
            let oldest = self.lists.oldest().filter(|(record, _)| *record < now);
            let Some((_, id)) = oldest else { break };
            if let Some(receipt) = self.recent.remove(&id) {
                self.lists.remove(id, &receipt);
                oldest_first.push((id, receipt));
            }
        }
        past.push_all(&oldest_first);
    }
}

/// The receipts that there were at one moment, as they were then, in the order of the journal.
#[derive(Debug)]
pub struct ReceiptsSoFar {
    past: Option<Rows>,
    recent: Vec<(CallId, Arc<Receipt>)>,
}

impl ReceiptsSoFar {
    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        let past = self.past.as_ref().map_or(0, Rows::len);
        past.saturating_add(self.recent.len())
    }

    /// Every one as `write` writes it, which is how those outside of memory were written: they are not read.
    pub fn written(
        &self,
        write: fn(&Receipt) -> Vec<u8>,
    ) -> impl Iterator<Item = (CallId, Vec<u8>)> {
        let past = self.past.iter().flat_map(Rows::written);
        let recent = self.recent.iter();
        past.chain(recent.map(move |(id, receipt)| (*id, write(receipt))))
    }
}

/// A copy is in memory.
impl Clone for Receipts {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        for (id, receipt) in self.in_order() {
            copy.insert(id, receipt);
        }
        copy
    }
}

/// Equal in content, wherever it is.
impl PartialEq for Receipts {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.in_order().eq(other.in_order())
    }
}
