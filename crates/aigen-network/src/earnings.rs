//! What datasets earned, and who read them: sums and lists that receipts lead to, kept beside them
//! like [`crate::usage`]. They decide nothing, no snapshot holds them, and `check` makes them anew.

use crate::calls::Receipt;
use crate::datasets::DatasetUse;
use crate::network::Network;
use crate::reads::{Read, ReadReceipt};
use crate::receipts::Receipts;
use aigen_types::{Address, Amount, CallId, DatasetRef, Day};
use alloc::collections::{BTreeMap, BTreeSet};
use core::ops::RangeInclusive;

/// What the reads of one provider's datasets are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EarningKey {
    /// On which they were paid.
    pub day: Day,
    /// The dataset version.
    pub dataset: DatasetRef,
    /// What its rows were read for.
    pub purpose: DatasetUse,
}

/// Reads and what they earned. Every count stops at its type's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earning {
    /// How many, of all kinds.
    pub reads: u64,
    /// Their rows.
    pub rows: u64,
    /// What readers were charged.
    pub fees: Amount,
    /// What the provider was paid of it, with its part of the `data` share of calls.
    pub earned: Amount,
    /// What the provider gave back of that since, by reversals.
    pub given_back: Amount,
}

impl Earning {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            reads: self.reads.saturating_add(other.reads),
            rows: self.rows.saturating_add(other.rows),
            fees: self.fees.saturating_add(other.fees),
            earned: self.earned.saturating_add(other.earned),
            given_back: self.given_back.saturating_add(other.given_back),
        }
    }

    fn of(read: &Read, reversed: bool) -> Self {
        Self {
            reads: 1,
            rows: read.wanted.rows.count(),
            fees: read.fee,
            earned: read.earned,
            given_back: if reversed { read.earned } else { Amount::ZERO },
        }
    }
}

/// The index of all reads that were paid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReadIndex {
    providers: BTreeMap<Address, BTreeMap<EarningKey, Earning>>,
    /// Reads outside of calls, by who paid, in the order of the journal.
    payers: BTreeMap<Address, BTreeSet<(u64, CallId)>>,
}

impl ReadIndex {
    pub fn of(receipts: &Receipts, reads: &BTreeMap<CallId, ReadReceipt>) -> Self {
        let mut index = Self::default();
        for (_, receipt) in receipts.in_order() {
            index.add_call(&receipt);
        }
        for (id, receipt) in reads {
            index.add_read(*id, receipt);
        }
        index
    }

    /// Counts the reads of a call that has ended.
    pub fn add_call(&mut self, receipt: &Receipt) {
        let day = Day::of(receipt.closed_at);
        for read in &receipt.call.reads {
            self.add(day, read, receipt.reversal.is_some());
        }
    }

    /// Counts a read outside of calls.
    pub fn add_read(&mut self, id: CallId, receipt: &ReadReceipt) {
        let day = Day::of(receipt.read_at);
        self.add(day, &receipt.read, receipt.reversal.is_some());
        let paid = self.payers.entry(receipt.payer.clone()).or_default();
        paid.insert((receipt.record, id));
    }

    fn add(&mut self, day: Day, read: &Read, reversed: bool) {
        let earning = self.earning(day, read);
        *earning = earning.plus(Earning::of(read, reversed));
    }

    /// Counts that a read which was counted was undone.
    pub fn reverse(&mut self, day: Day, read: &Read) {
        let earning = self.earning(day, read);
        earning.given_back = earning.given_back.saturating_add(read.earned);
    }

    fn earning(&mut self, day: Day, read: &Read) -> &mut Earning {
        let key = EarningKey {
            day,
            dataset: read.wanted.dataset.clone(),
            purpose: read.purpose,
        };
        let sums = self.providers.entry(read.provider.clone()).or_default();
        sums.entry(key).or_default()
    }
}

impl Network {
    /// What an address earned with its datasets on these days, by the day, the dataset
    /// and what was read for.
    pub fn earnings(
        &self,
        provider: &Address,
        days: RangeInclusive<Day>,
    ) -> impl Iterator<Item = (&EarningKey, &Earning)> {
        let sums = self.read_index.providers.get(provider);
        let sums = sums.into_iter().flatten();
        sums.filter(move |(key, _)| days.contains(&key.day))
    }

    /// The reads outside of calls that an address paid for, newest first; only those before
    /// `before`, where that is given.
    pub fn reads_of(
        &self,
        payer: &Address,
        before: Option<CallId>,
    ) -> impl Iterator<Item = (CallId, &ReadReceipt)> {
        let reads = &self.datasets.reads;
        let end = before.map_or(Some((u64::MAX, CallId(u128::MAX))), |id| {
            Some((reads.get(&id)?.record, id))
        });
        let paid = self.read_index.payers.get(payer).zip(end);
        let newest_first = paid.into_iter();
        let newest_first = newest_first.flat_map(|(paid, end)| paid.range(..end).rev());
        newest_first.filter_map(|(_, id)| Some((*id, reads.get(id)?)))
    }
}
