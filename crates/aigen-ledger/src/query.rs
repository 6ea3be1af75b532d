//! Questions with several answers. In order of creation, which is the order of time; within a batch,
//! that of the batch.

use crate::{Account, AccountFilterFlags, Ledger, QueryFilterFlags, Transfer};
use aigen_types::{AccountId, Timestamp, TransferId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

/// Which transfers of one account: those for which every field that is not zero fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Whose.
    pub account_id: AccountId,
    /// Equal to the transfer's, or zero.
    pub user_data_128: u128,
    /// Equal to the transfer's, or zero.
    pub user_data_64: u64,
    /// Equal to the transfer's, or zero.
    pub user_data_32: u32,
    /// Equal to the transfer's, or zero.
    pub code: u16,
    /// None before this; zero for no bound.
    pub timestamp_min: Timestamp,
    /// None after this; zero for no bound.
    pub timestamp_max: Timestamp,
    /// How many at most; zero finds nothing.
    pub limit: u32,
    /// Neither `debits` nor `credits` finds nothing.
    pub flags: AccountFilterFlags,
}

/// Which accounts, or which transfers: those for which every field that is not zero fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryFilter {
    /// Equal to the record's, or zero.
    pub user_data_128: u128,
    /// Equal to the record's, or zero.
    pub user_data_64: u64,
    /// Equal to the record's, or zero.
    pub user_data_32: u32,
    /// Equal to the record's, or zero.
    pub ledger: u32,
    /// Equal to the record's, or zero.
    pub code: u16,
    /// None before this; zero for no bound.
    pub timestamp_min: Timestamp,
    /// None after this; zero for no bound.
    pub timestamp_max: Timestamp,
    /// How many at most; zero finds nothing.
    pub limit: u32,
    /// In what order.
    pub flags: QueryFilterFlags,
}

impl Ledger {
    /// The transfers of one account, holds, captures and voids included: oldest first unless
    /// `reversed`, and `limit` of them at most. An account that does not exist has none.
    ///
    /// Takes time in proportion to the transfers of the account that are not older than
    /// `timestamp_min`; with `reversed`, it ends at the limit.
    pub fn account_transfers(
        &self,
        filter: &AccountFilter,
    ) -> impl Iterator<Item = Transfer> + use<'_> {
        let slot = self.store.find_account(filter.account_id).into_iter();
        let newest_first = slot
            .flat_map(|slot| self.store.records_of(slot))
            .map(|record| record.transfer)
            .take_while(|transfer| transfer.timestamp >= filter.timestamp_min)
            .filter(|transfer| filter.matches(transfer));
        let limit = count(filter.limit);
        let found: Vec<_> = if filter.flags.contains(AccountFilterFlags::REVERSED) {
            newest_first.take(limit).collect()
        } else {
            let mut found: Vec<_> = newest_first.collect();
            found.reverse();
            found.truncate(limit);
            found
        };
        found.into_iter()
    }

    /// The transfers of one account before one of them, or all of them, newest first. A transfer
    /// that does not exist or is not of the account has none before it.
    ///
    /// The next page of a list takes time in proportion to its own length.
    #[must_use]
    pub fn account_transfers_before(
        &self,
        account: AccountId,
        before: Option<TransferId>,
    ) -> Box<dyn Iterator<Item = Transfer> + '_> {
        let Some(slot) = self.store.find_account(account) else {
            return Box::new(core::iter::empty());
        };
        let Some(before) = before else {
            return Box::new(self.store.records_of(slot).map(|record| record.transfer));
        };
        let found = self.store.find_record(before).filter(|(_, record)| {
            let transfer = record.transfer;
            [transfer.debit_account_id, transfer.credit_account_id].contains(&account)
        });
        let earlier = found.into_iter();
        let earlier = earlier.flat_map(move |(before, _)| self.store.records_before(slot, before));
        Box::new(earlier.map(|record| record.transfer))
    }

    /// Transfers of all accounts before one of them, or all of them, newest first. One that does
    /// not exist has none before it.
    pub fn transfers_before(
        &self,
        before: Option<TransferId>,
    ) -> impl Iterator<Item = Transfer> + use<'_> {
        let end = match before {
            None => self.store.record_count(),
            Some(id) => self
                .store
                .find_record(id)
                .map_or(0, |(slot, _)| slot.place()),
        };
        let records = self.store.records_in(0..end);
        records.rev().map(|record| record.transfer)
    }

    /// Transfers of all accounts, holds, captures and voids included: oldest first unless
    /// `reversed`, and `limit` of them at most.
    ///
    /// Takes time in proportion to the transfers between the two timestamps, up to the last found.
    pub fn query_transfers(
        &self,
        filter: &QueryFilter,
    ) -> impl Iterator<Item = Transfer> + use<'_> {
        let time = |place| self.store.record_at(place).transfer.timestamp;
        let places = between(self.store.record_count(), filter, time);
        let records = self.store.records_in(places);
        let transfers = records.map(|record| record.transfer);
        let filter = *filter;
        filter.select(transfers.filter(move |transfer| filter.matches(&Fields::of(transfer))))
    }

    /// Accounts: oldest first unless `reversed`, and `limit` of them at most.
    ///
    /// Takes time in proportion to the accounts between the two timestamps, up to the last found.
    pub fn query_accounts(&self, filter: &QueryFilter) -> impl Iterator<Item = &Account> + use<'_> {
        let accounts = self.store.accounts();
        let time = |place: usize| accounts[place].timestamp;
        let places = between(accounts.len(), filter, time);
        let filter = *filter;
        filter.select(accounts[places].iter().filter(move |account| {
            filter.matches(&Fields {
                user_data_128: account.user_data_128,
                user_data_64: account.user_data_64,
                user_data_32: account.user_data_32,
                ledger: account.ledger,
                code: account.code,
            })
        }))
    }
}

impl AccountFilter {
    fn matches(&self, transfer: &Transfer) -> bool {
        let is_wanted =
            |flag, account: AccountId| self.flags.contains(flag) && account == self.account_id;
        let fits = QueryFilter {
            user_data_128: self.user_data_128,
            user_data_64: self.user_data_64,
            user_data_32: self.user_data_32,
            code: self.code,
            ..QueryFilter::default()
        };
        (is_wanted(AccountFilterFlags::DEBITS, transfer.debit_account_id)
            || is_wanted(AccountFilterFlags::CREDITS, transfer.credit_account_id))
            && transfer.timestamp <= end(self.timestamp_max)
            && fits.matches(&Fields::of(transfer))
    }
}

/// What a filter looks at.
struct Fields {
    user_data_128: u128,
    user_data_64: u64,
    user_data_32: u32,
    ledger: u32,
    code: u16,
}

impl Fields {
    fn of(transfer: &Transfer) -> Self {
        Self {
            user_data_128: transfer.user_data_128,
            user_data_64: transfer.user_data_64,
            user_data_32: transfer.user_data_32,
            ledger: transfer.ledger,
            code: transfer.code,
        }
    }
}

impl QueryFilter {
    fn matches(&self, fields: &Fields) -> bool {
        fits(self.user_data_128, fields.user_data_128)
            && fits(self.user_data_64, fields.user_data_64)
            && fits(self.user_data_32, fields.user_data_32)
            && fits(self.ledger, fields.ledger)
            && fits(self.code, fields.code)
    }

    fn select<I: DoubleEndedIterator>(
        &self,
        mut rows: I,
    ) -> impl Iterator<Item = I::Item> + use<I> {
        let is_reversed = self.flags.contains(QueryFilterFlags::REVERSED);
        core::iter::from_fn(move || {
            if is_reversed {
                rows.next_back()
            } else {
                rows.next()
            }
        })
        .take(count(self.limit))
    }
}

fn fits<T: PartialEq + Default>(wanted: T, value: T) -> bool {
    wanted == T::default() || wanted == value
}

/// Of this many rows in order of time, the places of those that the filter's timestamps leave.
fn between(count: usize, filter: &QueryFilter, time: impl Fn(usize) -> Timestamp) -> Range<usize> {
    let first = first_place(0..count, |place| time(place) >= filter.timestamp_min);
    let end = first_place(first..count, |place| {
        time(place) > end(filter.timestamp_max)
    });
    first..end
}

/// Where it begins to be so; the end of the range where it never is.
fn first_place(places: Range<usize>, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut first, mut end) = (places.start, places.end);
    while first < end {
        let middle = first.midpoint(end);
        match is_so(middle) {
            true => end = middle,
            false => first = middle.saturating_add(1),
        }
    }
    first
}

/// Zero is no bound.
fn end(timestamp_max: Timestamp) -> Timestamp {
    if timestamp_max == Timestamp(0) {
        Timestamp(u64::MAX)
    } else {
        timestamp_max
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
