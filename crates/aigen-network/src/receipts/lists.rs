use super::{List, Place};
use crate::calls::Receipt;
use aigen_types::{Address, CallId, Digest, Epoch};
use alloc::collections::{BTreeMap, BTreeSet};

/// Receipts in memory, in the order of the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lists {
    all: BTreeSet<Place>,
    paid_by: BTreeMap<Address, BTreeSet<Place>>,
    through: BTreeMap<(Epoch, Digest), BTreeSet<Place>>,
}

impl Lists {
    pub fn of(&self, list: List<'_>) -> Option<&BTreeSet<Place>> {
        match list {
            List::All => Some(&self.all),
            List::PaidBy(payer) => self.paid_by.get(payer),
            List::Through(epoch, controller) => self.through.get(&(epoch, controller)),
        }
    }

    /// Every one of them.
    pub fn iter(&self) -> impl Iterator<Item = (List<'_>, &BTreeSet<Place>)> {
        let paid_by = self.paid_by.iter();
        let paid_by = paid_by.map(|(payer, places)| (List::PaidBy(payer), places));
        let through = self.through.iter();
        let through =
            through.map(|((epoch, digest), places)| (List::Through(*epoch, *digest), places));
        core::iter::once((List::All, &self.all))
            .chain(paid_by)
            .chain(through)
    }

    pub fn oldest(&self) -> Option<Place> {
        self.all.first().copied()
    }

    pub fn add(&mut self, id: CallId, receipt: &Receipt) {
        let place = (receipt.record, id);
        self.all.insert(place);
        let paid_by = self.paid_by.entry(receipt.call.payer.clone());
        paid_by.or_default().insert(place);
        if let Some(controller) = receipt.call.controller {
            let through = self.through.entry((receipt.epoch, controller));
            through.or_default().insert(place);
        }
    }

    pub fn remove(&mut self, id: CallId, receipt: &Receipt) {
        let place = (receipt.record, id);
        self.all.remove(&place);
        remove(&mut self.paid_by, &receipt.call.payer, place);
        if let Some(controller) = receipt.call.controller {
            remove(&mut self.through, &(receipt.epoch, controller), place);
        }
    }
}

/// A list that is empty is none.
fn remove<K: Ord>(lists: &mut BTreeMap<K, BTreeSet<Place>>, key: &K, place: Place) {
    if let Some(list) = lists.get_mut(key) {
        list.remove(&place);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}
