//! Where the state lives: records in order of creation, found by id. The rules are elsewhere; this
//! module only keeps its indexes in step with its records, and undoes what an open chain has done.

mod catalogue;
mod ids;
mod index;
mod link;
mod records;

use crate::{Account, PendingStatus, Shelf, Transfer};
use aigen_types::{AccountId, Timestamp, TransferId};
use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};
use core::ops::Range;
pub use ids::Ids;
use index::Index;
use link::Link;
pub(crate) use records::Record;
use records::Records;
pub use records::TransfersSoFar;

/// The place of an account, in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountSlot(usize);

impl AccountSlot {
    /// From 0.
    pub fn place(self) -> usize {
        self.0
    }
}

/// The place of a transfer, in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TransferSlot(usize);

impl TransferSlot {
    /// From 0.
    pub fn place(self) -> usize {
        self.0
    }
}

/// The accounts of a transfer: debit, then credit.
pub(crate) type PartySlots = [AccountSlot; 2];

/// One step back.
#[derive(Clone, Debug)]
enum Undo {
    ForgetAccount,
    RestoreAccount(AccountSlot, Account),
    ForgetTransfer(PartySlots),
    ReviveHold(TransferSlot),
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    now: Timestamp,
    accounts: Vec<Account>,
    accounts_by_id: Index,
    /// By account: its newest transfer, from which the others are found backwards.
    newest: Vec<Link>,
    records: Records,
    records_by_id: Ids,
    burnt: Vec<TransferId>,
    burnt_by_id: Index,
    /// Live holds with a timeout. Of two that expire together the older goes first.
    expiries: BTreeSet<(Timestamp, TransferSlot)>,
    /// Newest last; empty unless a chain is open.
    undo_log: Vec<Undo>,
    chain_open: bool,
}

impl Store {
    /// The same in memory, under another index key; see [`Index`].
    pub fn with_index_key(self, key: u128) -> Self {
        let mut store = self.clone();
        store.accounts_by_id = Index::of(key, store.accounts.iter().map(|account| account.id.0));
        store.records_by_id = Ids::of(key, transfer_ids(&store.records));
        store.burnt_by_id = Index::of(key, store.burnt.iter().map(|id| id.0));
        store
    }

    /// The same, which keeps only its newest transfers in memory.
    pub fn on_shelves(self, rows: Arc<dyn Shelf>, ids: Arc<dyn Shelf>) -> Self {
        let mut store = Self {
            records: Records::on(rows),
            records_by_id: Ids::default().on(ids),
            ..self.clone()
        };
        for record in self.records.iter() {
            let place = store.records.len();
            store.records_by_id.insert(record.transfer.id.0, place);
            store.records.push(record);
            store.shelve();
        }
        store
    }

    /// Nothing of an open chain leaves memory, so that whatever is undone is there.
    fn shelve(&mut self) {
        if !self.chain_open {
            let ids = &mut self.records_by_id;
            self.records.shelve(|id, place| ids.shelve(id.0, place));
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Time never goes back.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    pub fn find_account(&self, id: AccountId) -> Option<AccountSlot> {
        let has_id = |slot: usize| self.accounts[slot].id == id;
        self.accounts_by_id.find(id.0, has_id).map(AccountSlot)
    }

    pub fn account(&self, slot: AccountSlot) -> &Account {
        &self.accounts[slot.0]
    }

    /// In order of creation, and so of time.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub fn insert_account(&mut self, account: Account) {
        self.accounts_by_id
            .insert(account.id.0, self.accounts.len());
        push(&mut self.accounts, account);
        push(&mut self.newest, Link::NONE);
        self.log(Undo::ForgetAccount);
    }

    pub fn set_account(&mut self, slot: AccountSlot, account: Account) {
        let before = core::mem::replace(&mut self.accounts[slot.0], account);
        self.log(Undo::RestoreAccount(slot, before));
    }

    pub fn find_record(&self, id: TransferId) -> Option<(TransferSlot, Record)> {
        let has_id = |place: usize| self.records.get(place).transfer.id == id;
        let place = self.records_by_id.find(id.0, has_id)?;
        Some((TransferSlot(place), self.records.get(place)))
    }

    pub fn is_burnt(&self, id: TransferId) -> bool {
        let has_id = |slot: usize| self.burnt[slot] == id;
        self.burnt_by_id.find(id.0, has_id).is_some()
    }

    pub fn record(&self, slot: TransferSlot) -> Record {
        self.records.get(slot.0)
    }

    /// From 0.
    pub fn record_at(&self, place: usize) -> Record {
        self.records.get(place)
    }

    /// In order of creation, and so of time.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record> {
        self.records.iter()
    }

    /// Those of these places, in order.
    pub fn records_in(&self, places: Range<usize>) -> impl DoubleEndedIterator<Item = Record> {
        self.records.range(places)
    }

    /// How many transfers there are.
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// The transfers there are now.
    pub fn transfers_so_far(&self) -> TransfersSoFar {
        self.records.so_far()
    }

    /// The transfers of an account, newest first.
    pub fn records_of(&self, account: AccountSlot) -> impl Iterator<Item = Record> {
        self.records_from(account, self.newest[account.0])
    }

    /// The transfers of an account before this one, which is of the account too, newest first.
    pub fn records_before(
        &self,
        account: AccountSlot,
        transfer: TransferSlot,
    ) -> impl Iterator<Item = Record> {
        let before = self.record(transfer).before_of(self.account(account).id);
        self.records_from(account, before)
    }

    fn records_from(&self, account: AccountSlot, from: Link) -> impl Iterator<Item = Record> {
        let id = self.accounts[account.0].id;
        let mut next = from;
        core::iter::from_fn(move || {
            let record = self.records.get(next.slot()?);
            next = record.before_of(id);
            Some(record)
        })
    }

    pub fn slots(&self) -> impl Iterator<Item = TransferSlot> + use<> {
        (0..self.records.len()).map(TransferSlot)
    }

    /// In order of burning.
    pub fn burnt(&self) -> &[TransferId] {
        &self.burnt
    }

    /// Adds a transfer between these accounts; a hold is live from here on.
    pub fn insert_transfer(&mut self, transfer: Transfer, parties: PartySlots) {
        let slot = TransferSlot(self.records.len());
        self.records_by_id.insert(transfer.id.0, slot.0);
        let record = Record {
            transfer,
            pending: transfer.is_hold().then_some(PendingStatus::Pending),
            before: parties.map(|party| self.newest[party.0]),
        };
        self.records.push(record);
        self.set_newest(parties, [Link::to(slot.0); 2]);
        self.watch(slot, &transfer);
        self.log(Undo::ForgetTransfer(parties));
        self.shelve();
    }

    /// Ends a live hold.
    pub fn end_hold(&mut self, slot: TransferSlot, status: PendingStatus) {
        let hold = self.set_pending(slot, status);
        self.unwatch(slot, &hold);
        self.log(Undo::ReviveHold(slot));
    }

    /// The first live hold whose time has come.
    pub fn first_due(&self) -> Option<TransferSlot> {
        let (expires_at, slot) = self.expiries.first()?;
        (*expires_at <= self.now).then_some(*slot)
    }

    pub fn expiries(&self) -> &BTreeSet<(Timestamp, TransferSlot)> {
        &self.expiries
    }

    /// For ever; a chain's end does not undo it.
    pub fn burn(&mut self, id: TransferId) {
        self.burnt_by_id.insert(id.0, self.burnt.len());
        push(&mut self.burnt, id);
    }

    pub fn open_chain(&mut self) {
        self.chain_open = true;
    }

    pub fn keep_chain(&mut self) {
        self.chain_open = false;
        self.undo_log.clear();
        self.shelve();
    }

    pub fn undo_chain(&mut self) {
        self.chain_open = false;
        while let Some(step) = self.undo_log.pop() {
            self.undo(step);
        }
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::ForgetAccount => {
                self.newest.pop();
                if let Some(account) = self.accounts.pop() {
                    self.accounts_by_id
                        .remove(account.id.0, self.accounts.len());
                }
            }
            Undo::RestoreAccount(slot, before) => self.accounts[slot.0] = before,
            Undo::ForgetTransfer(parties) => {
                if let Some(Record {
                    transfer, before, ..
                }) = self.records.pop()
                {
                    let slot = TransferSlot(self.records.len());
                    self.records_by_id.remove(transfer.id.0, slot.0);
                    self.set_newest(parties, before);
                    self.unwatch(slot, &transfer);
                }
            }
            Undo::ReviveHold(slot) => {
                let hold = self.set_pending(slot, PendingStatus::Pending);
                self.watch(slot, &hold);
            }
        }
    }

    fn set_newest(&mut self, parties: PartySlots, links: [Link; 2]) {
        for (party, link) in parties.into_iter().zip(links) {
            self.newest[party.0] = link;
        }
    }

    fn log(&mut self, step: Undo) {
        if self.chain_open {
            self.undo_log.push(step);
        }
    }

    fn set_pending(&mut self, slot: TransferSlot, status: PendingStatus) -> Transfer {
        let mut record = self.records.get(slot.0);
        record.pending = Some(status);
        self.records.set(slot.0, record);
        record.transfer
    }

    fn watch(&mut self, slot: TransferSlot, transfer: &Transfer) {
        if let Some(expires_at) = transfer.expires_at() {
            self.expiries.insert((expires_at, slot));
        }
    }

    fn unwatch(&mut self, slot: TransferSlot, transfer: &Transfer) {
        if let Some(expires_at) = transfer.expires_at() {
            self.expiries.remove(&(expires_at, slot));
        }
    }
}

/// Room is made by the eighth: after a doubling almost half of the memory may lie idle.
fn push<T>(rows: &mut Vec<T>, row: T) {
    if rows.len() == rows.capacity() {
        rows.reserve_exact(more_room(rows.len()));
    }
    rows.push(row);
}

fn more_room(rows: usize) -> usize {
    (rows >> 3).max(16)
}

fn transfer_ids(records: &Records) -> impl Iterator<Item = u128> {
    records.iter().map(|record| record.transfer.id.0)
}

/// A copy is in memory.
impl Clone for Store {
    fn clone(&self) -> Self {
        Self {
            now: self.now,
            accounts: self.accounts.clone(),
            accounts_by_id: self.accounts_by_id.clone(),
            newest: self.newest.clone(),
            records: self.records.clone(),
            records_by_id: self.records_by_id.again(transfer_ids(&self.records)),
            burnt: self.burnt.clone(),
            burnt_by_id: self.burnt_by_id.clone(),
            expiries: self.expiries.clone(),
            undo_log: self.undo_log.clone(),
            chain_open: self.chain_open,
        }
    }
}

/// Equal in content, however it is laid out.
impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        self.now == other.now
            && self.records == other.records
            && self.expiries == other.expiries
            && self.accounts == other.accounts
            && self.burnt == other.burnt
    }
}
