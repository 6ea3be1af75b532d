use crate::{
    Account, AccountRefusal, AccountRequest, PendingStatus, Shelf, Transfer, TransferRefusal,
    TransferRequest, Violation, batch, check, resolve,
    store::{Store, TransfersSoFar},
};
use aigen_types::{AccountId, Timestamp, TransferId};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Accounts, transfers and holds under one clock that the caller winds.
///
/// Equal calls make equal ledgers. Every `now` moves ledger time on (an earlier one than
/// [`Ledger::now`] counts as that), and a hold whose time has come expires before anything else
/// happens, so no live hold is ever due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    pub(crate) store: Store,
}

impl Ledger {
    /// An empty ledger at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The ledger that [`Ledger::now`], [`Ledger::accounts`], [`Ledger::transfers`] and
    /// [`Ledger::burnt`] describe: what a snapshot has to keep. How holds ended follows from the
    /// transfers and the time.
    ///
    /// # Errors
    /// The first law that the parts break (see [`Ledger::check`]), so that a damaged snapshot is
    /// never taken for a ledger.
    pub fn restore(
        now: Timestamp,
        accounts: impl IntoIterator<Item = Account>,
        transfers: impl IntoIterator<Item = Transfer>,
        burnt: impl IntoIterator<Item = TransferId>,
    ) -> Result<Self, Violation> {
        let filled = Self::new().filled(now, accounts, transfers)?;
        filled.checked(burnt)
    }

    /// This ledger, which is empty and may be on shelves, with the first of the parts of
    /// [`Ledger::restore`]. It is none until it is [checked](Self::checked).
    ///
    /// # Errors
    /// A transfer whose accounts are missing.
    pub fn filled(
        mut self,
        now: Timestamp,
        accounts: impl IntoIterator<Item = Account>,
        transfers: impl IntoIterator<Item = Transfer>,
    ) -> Result<Self, Violation> {
        let store = &mut self.store;
        store.set_now(now);
        let mut accounts: Vec<_> = accounts.into_iter().collect();
        // Stable: of one batch they stay as they came.
        accounts.sort_by_key(|account| account.timestamp);
        accounts
            .into_iter()
            .for_each(|account| store.insert_account(account));
        transfers
            .into_iter()
            .try_for_each(|transfer| resolve::replay(store, transfer))?;
        Ok(self)
    }

    /// This ledger, which is [filled](Self::filled), with the last of the parts.
    ///
    /// # Errors
    /// As [`Ledger::restore`].
    pub fn checked(
        mut self,
        burnt: impl IntoIterator<Item = TransferId>,
    ) -> Result<Self, Violation> {
        let store = &mut self.store;
        burnt.into_iter().for_each(|id| store.burn(id));
        resolve::replay_expiries(store);
        check::check(store)?;
        Ok(self)
    }

    /// The same ledger, whose tables of ids are mixed by this key. It changes no answer, and no
    /// ledger is unequal for it: drawn at random and kept secret, it keeps those who choose ids from
    /// choosing such as make the tables slow. Takes time in proportion to the whole ledger.
    #[must_use]
    pub fn with_index_key(self, key: u128) -> Self {
        Self {
            store: self.store.with_index_key(key),
        }
    }

    /// The same ledger, which keeps only its newest transfers in memory, and the others on shelves of
    /// its own: it asks for two, empty ones. It changes no answer, and no ledger is unequal for it. A copy
    /// of a ledger is in memory.
    #[must_use]
    pub fn on_shelves(self, mut shelf: impl FnMut() -> Arc<dyn Shelf>) -> Self {
        Self {
            store: self.store.on_shelves(shelf(), shelf()),
        }
    }

    /// Moves ledger time to `now`, never back, and expires the holds due by then; a hold is due at
    /// its expiry, not after it. Returns their ids, by time of expiry,
    /// then by age.
    pub fn advance(&mut self, now: Timestamp) -> Vec<TransferId> {
        self.store.set_now(now);
        core::iter::from_fn(|| resolve::expire_next(&mut self.store)).collect()
    }

    /// Creates accounts; one answer per request, in the order of the batch.
    ///
    /// Linked requests succeed or fail together. Time advances first: call [`Ledger::advance`]
    /// before, to learn which holds expire.
    pub fn create_accounts(
        &mut self,
        now: Timestamp,
        batch: &[AccountRequest],
    ) -> Vec<Result<(), AccountRefusal>> {
        self.advance(now);
        batch::run(&mut self.store, batch)
    }

    /// Creates transfers; one answer per request, in the order of the batch.
    ///
    /// Linked requests succeed or fail together; one sees the effects of those before it. Time
    /// advances first: call [`Ledger::advance`] before, to learn which holds expire.
    pub fn create_transfers(
        &mut self,
        now: Timestamp,
        batch: &[TransferRequest],
    ) -> Vec<Result<(), TransferRefusal>> {
        self.advance(now);
        batch::run(&mut self.store, batch)
    }

    /// The account of this id.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        let slot = self.store.find_account(id)?;
        Some(self.store.account(slot))
    }

    /// The place of this account among all accounts in order of creation, from 0. It never
    /// changes, so that what belongs to accounts can be kept in a row beside them.
    #[must_use]
    pub fn account_place(&self, id: AccountId) -> Option<usize> {
        self.store.find_account(id).map(|slot| slot.place())
    }

    /// The transfer created under this id.
    #[must_use]
    pub fn transfer(&self, id: TransferId) -> Option<Transfer> {
        let (_, record) = self.store.find_record(id)?;
        Some(record.transfer)
    }

    /// What became of this hold; `None` if there is no hold of this id.
    #[must_use]
    pub fn pending(&self, id: TransferId) -> Option<PendingStatus> {
        let (_, record) = self.store.find_record(id)?;
        record.pending
    }

    /// Every account, in order of creation.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.store.accounts().iter()
    }

    /// Every transfer, in order of creation.
    pub fn transfers(&self) -> impl Iterator<Item = Transfer> {
        self.store.records().map(|record| record.transfer)
    }

    /// Those that there are now, to be read while the ledger goes on: takes no longer than copying the newest.
    #[must_use]
    pub fn transfers_so_far(&self) -> TransfersSoFar {
        self.store.transfers_so_far()
    }

    /// How many transfers there are.
    #[must_use]
    pub fn transfer_count(&self) -> usize {
        self.store.record_count()
    }

    /// Every burnt transfer id (see [`TransferRefusal::transient`]), in order of burning.
    pub fn burnt(&self) -> impl Iterator<Item = TransferId> {
        self.store.burnt().iter().copied()
    }

    /// Ledger time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// Recomputes everything from the transfers and compares. Takes time and memory in proportion
    /// to the whole ledger: for verification, not for every call.
    ///
    /// # Errors
    /// The first law found broken, which means a bug or a damaged state.
    pub fn check(&self) -> Result<(), Violation> {
        check::check(&self.store)
    }
}
