//! Where the state lives: records in order of creation, found by id. The rules are elsewhere; this
//! module only keeps its indexes in step with its records, and undoes what an open chain has done.

use crate::{Account, PendingStatus, Transfer};
use aigen_types::{AccountId, Timestamp, TransferId};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// The place of an account; places are never reused while a chain is not undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountSlot(usize);

/// The place of a transfer, in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransferSlot(usize);

/// What a transfer id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A transfer was created under it.
    Created(TransferSlot),
    /// A transfer was refused under it for a transient reason.
    Burnt,
}

/// A transfer and, if it is a hold, what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub transfer: Transfer,
    pub pending: Option<PendingStatus>,
}

/// One step back.
#[derive(Clone, Debug)]
enum Undo {
    ForgetAccount,
    RestoreAccount(AccountSlot, Account),
    ForgetTransfer,
    ReviveHold(TransferSlot),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    now: Timestamp,
    accounts: Vec<Account>,
    accounts_by_id: BTreeMap<AccountId, AccountSlot>,
    records: Vec<Record>,
    transfers_by_id: BTreeMap<TransferId, Fate>,
    /// Live holds with a timeout.
    expiries: BTreeSet<(Timestamp, TransferId)>,
    /// Newest last; empty unless a chain is open.
    undo_log: Vec<Undo>,
    chain_open: bool,
}

impl Store {
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Time never goes back.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    pub fn find_account(&self, id: AccountId) -> Option<AccountSlot> {
        self.accounts_by_id.get(&id).copied()
    }

    pub fn account(&self, slot: AccountSlot) -> &Account {
        &self.accounts[slot.0]
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts_by_id.values().map(|slot| self.account(*slot))
    }

    pub fn insert_account(&mut self, account: Account) {
        let slot = AccountSlot(self.accounts.len());
        self.accounts_by_id.insert(account.id, slot);
        self.accounts.push(account);
        self.log(Undo::ForgetAccount);
    }

    pub fn set_account(&mut self, slot: AccountSlot, account: Account) {
        let before = core::mem::replace(&mut self.accounts[slot.0], account);
        self.log(Undo::RestoreAccount(slot, before));
    }

    pub fn find_transfer(&self, id: TransferId) -> Option<Fate> {
        self.transfers_by_id.get(&id).copied()
    }

    pub fn find_record(&self, id: TransferId) -> Option<(TransferSlot, &Record)> {
        match self.find_transfer(id)? {
            Fate::Created(slot) => Some((slot, self.record(slot))),
            Fate::Burnt => None,
        }
    }

    pub fn record(&self, slot: TransferSlot) -> &Record {
        &self.records[slot.0]
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub fn burnt(&self) -> impl Iterator<Item = TransferId> {
        let ids = self.transfers_by_id.iter();
        ids.filter(|(_, fate)| **fate == Fate::Burnt)
            .map(|(id, _)| *id)
    }

    /// Adds a transfer; a hold is live from here on.
    pub fn insert_transfer(&mut self, transfer: Transfer) {
        let slot = TransferSlot(self.records.len());
        self.transfers_by_id
            .insert(transfer.id, Fate::Created(slot));
        let pending = transfer.is_hold().then_some(PendingStatus::Pending);
        self.records.push(Record { transfer, pending });
        self.watch(&transfer);
        self.log(Undo::ForgetTransfer);
    }

    /// Ends a live hold.
    pub fn end_hold(&mut self, slot: TransferSlot, status: PendingStatus) {
        let hold = self.set_pending(slot, status);
        self.unwatch(&hold);
        self.log(Undo::ReviveHold(slot));
    }

    /// The first live hold whose time has come.
    pub fn first_due(&self) -> Option<TransferSlot> {
        let (expires_at, id) = self.expiries.first()?;
        if *expires_at > self.now {
            return None;
        }
        self.find_record(*id).map(|(slot, _)| slot)
    }

    pub fn expiries(&self) -> &BTreeSet<(Timestamp, TransferId)> {
        &self.expiries
    }

    /// For ever; a chain's end does not undo it.
    pub fn burn(&mut self, id: TransferId) {
        self.transfers_by_id.insert(id, Fate::Burnt);
    }

    pub fn open_chain(&mut self) {
        self.chain_open = true;
    }

    pub fn keep_chain(&mut self) {
        self.chain_open = false;
        self.undo_log.clear();
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
                if let Some(account) = self.accounts.pop() {
                    self.accounts_by_id.remove(&account.id);
                }
            }
            Undo::RestoreAccount(slot, before) => self.accounts[slot.0] = before,
            Undo::ForgetTransfer => {
                if let Some(Record { transfer, .. }) = self.records.pop() {
                    self.transfers_by_id.remove(&transfer.id);
                    self.unwatch(&transfer);
                }
            }
            Undo::ReviveHold(slot) => {
                let hold = self.set_pending(slot, PendingStatus::Pending);
                self.watch(&hold);
            }
        }
    }

    fn log(&mut self, step: Undo) {
        if self.chain_open {
            self.undo_log.push(step);
        }
    }

    fn set_pending(&mut self, slot: TransferSlot, status: PendingStatus) -> Transfer {
        let record = &mut self.records[slot.0];
        record.pending = Some(status);
        record.transfer
    }

    fn watch(&mut self, transfer: &Transfer) {
        if let Some(expires_at) = transfer.expires_at() {
            self.expiries.insert((expires_at, transfer.id));
        }
    }

    fn unwatch(&mut self, transfer: &Transfer) {
        if let Some(expires_at) = transfer.expires_at() {
            self.expiries.remove(&(expires_at, transfer.id));
        }
    }
}

/// Equal in content, however it is laid out.
impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        self.now == other.now
            && self.records == other.records
            && self.expiries == other.expiries
            && self.accounts().eq(other.accounts())
            && self.burnt().eq(other.burnt())
    }
}
