//! What datasets earned, and who read them: sums and lists that receipts lead to, kept beside them
//! like [`crate::usage`]. They decide nothing, no snapshot holds them, and `check` makes them anew.

use crate::calls::Receipt;
use crate::datasets::DatasetUse;
use crate::network::Network;
use crate::reads::{Read, ReadReceipt, settled_read};
use aigen_types::{Address, Amount, CallId, DatasetRef, Day, Epoch};
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

/// What one payer's reads outside of calls are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadingKey {
    /// On which they were paid.
    pub day: Day,
    /// To whom they are attributed.
    pub spender: Address,
    /// The dataset version.
    pub dataset: DatasetRef,
}

/// Reads outside of calls and what they cost. Every count stops at its type's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How many, downloads among them.
    pub reads: u64,
    /// Their rows.
    pub rows: u64,
    /// What was charged for them, margins included.
    pub charged: Amount,
    /// What was refunded or reversed of it since.
    pub given_back: Amount,
}

impl Reading {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            reads: self.reads.saturating_add(other.reads),
            rows: self.rows.saturating_add(other.rows),
            charged: self.charged.saturating_add(other.charged),
            given_back: self.given_back.saturating_add(other.given_back),
        }
    }

    fn of(receipt: &ReadReceipt) -> Self {
        Self {
            reads: 1,
            rows: receipt.read.wanted.rows.count(),
            charged: receipt.total(),
            given_back: match receipt.reversal {
                Some(_) => receipt.total(),
                None => receipt.refunded(),
            },
        }
    }
}

/// What was read in an epoch, by calls that ended in it and outside of calls. Every count stops at its
/// type's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochReads {
    /// How many, of all kinds.
    pub reads: u64,
    /// Their rows.
    pub rows: u64,
    /// What readers were charged for them.
    pub fees: Amount,
    /// What the protocol kept of that; the rest is the providers'.
    pub protocol: Amount,
    /// Fees of what was reversed since: the protocol gave its part back, too.
    pub given_back: Amount,
}

impl EpochReads {
    fn count(&mut self, read: &Read, reversed: bool) {
        let given_back = if reversed { read.fee } else { Amount::ZERO };
        self.reads = self.reads.saturating_add(1);
        self.rows = self.rows.saturating_add(read.wanted.rows.count());
        self.fees = self.fees.saturating_add(read.fee);
        self.given_back = self.given_back.saturating_add(given_back);
    }
}

/// The index of all reads that were paid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReadIndex {
    providers: BTreeMap<Address, BTreeMap<EarningKey, Earning>>,
    /// Reads outside of calls, by who paid, in the order of the journal.
    payers: BTreeMap<Address, BTreeSet<(u64, CallId)>>,
    /// What those come to.
    readings: BTreeMap<Address, BTreeMap<ReadingKey, Reading>>,
    epochs: BTreeMap<Epoch, EpochReads>,
}

impl ReadIndex {
    /// Counts the reads of a call that has ended, of whose fees the protocol kept `kept`.
    pub fn add_call(&mut self, receipt: &Receipt, kept: Amount) {
        let (day, reversed) = (Day::of(receipt.closed_at), receipt.reversal.is_some());
        for read in &receipt.call.reads {
            self.add(day, read, reversed);
            self.epochs
                .entry(receipt.epoch)
                .or_default()
                .count(read, reversed);
        }
        self.keep(receipt.epoch, kept);
    }

    /// Counts a read outside of calls.
    pub fn add_read(&mut self, id: CallId, receipt: &ReadReceipt, epoch: Epoch) {
        let (day, reversed) = (Day::of(receipt.read_at), receipt.reversal.is_some());
        self.add(day, &receipt.read, reversed);
        self.epochs
            .entry(epoch)
            .or_default()
            .count(&receipt.read, reversed);
        self.keep(epoch, receipt.protocol);
        let paid = self.payers.entry(receipt.payer.clone()).or_default();
        paid.insert((receipt.record, id));
        let reading = self.reading(receipt);
        *reading = reading.plus(Reading::of(receipt));
    }

    fn keep(&mut self, epoch: Epoch, kept: Amount) {
        if let Some(sums) = self.epochs.get_mut(&epoch) {
            sums.protocol = sums.protocol.saturating_add(kept);
        }
    }

    fn add(&mut self, day: Day, read: &Read, reversed: bool) {
        let earning = self.earning(day, read);
        *earning = earning.plus(Earning::of(read, reversed));
    }

    /// Counts that a read which was counted was undone.
    pub fn reverse(&mut self, day: Day, epoch: Epoch, read: &Read) {
        let earning = self.earning(day, read);
        earning.given_back = earning.given_back.saturating_add(read.earned);
        if let Some(sums) = self.epochs.get_mut(&epoch) {
            sums.given_back = sums.given_back.saturating_add(read.fee);
        }
    }

    /// Counts money given back of a read outside of calls that was counted.
    pub fn give_back(&mut self, receipt: &ReadReceipt, amount: Amount) {
        let reading = self.reading(receipt);
        reading.given_back = reading.given_back.saturating_add(amount);
    }

    fn reading(&mut self, receipt: &ReadReceipt) -> &mut Reading {
        let key = ReadingKey {
            day: Day::of(receipt.read_at),
            spender: receipt.spender.clone(),
            dataset: receipt.read.wanted.dataset.clone(),
        };
        let sums = self.readings.entry(receipt.payer.clone()).or_default();
        sums.entry(key).or_default()
    }

    /// Everyone who has paid for a read outside of calls.
    pub fn payers(&self) -> impl Iterator<Item = &Address> {
        self.payers.keys()
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
    /// The index made anew.
    pub(crate) fn indexed_reads(&self) -> ReadIndex {
        let mut index = ReadIndex::default();
        for (_, receipt) in self.receipts.in_order() {
            index.add_call(&receipt, self.kept_of(&receipt.call.reads));
        }
        for (id, receipt) in self.read_receipts() {
            index.add_read(id, receipt, self.epoch_of_record(receipt.record));
        }
        index
    }

    /// What the protocol keeps of the fees of these reads.
    pub(crate) fn kept_of(&self, reads: &[Read]) -> Amount {
        let shares = self.founded().map(|found| &found.settings.shares);
        let kept = reads.iter().zip(shares.into_iter().cycle());
        kept.map(|(read, shares)| settled_read(read, shares).1)
            .sum()
    }

    /// The first epoch that was settled in this record or a later one: reads outside of calls
    /// say no epoch, and a record may have some of them before a settlement and some behind it.
    pub(crate) fn epoch_of_record(&self, record: u64) -> Epoch {
        let newest_first = self.settled_epochs().rev();
        let later = newest_first.take_while(|(_, settled)| settled.record >= record);
        let first = later.last().map(|(epoch, _)| epoch);
        first.unwrap_or(self.epoch.number)
    }

    /// What was read of datasets in an epoch, settled or not; a read outside of calls counts in
    /// the epoch that its record, or the first one after it, settles.
    #[must_use]
    pub fn reads_in(&self, epoch: Epoch) -> EpochReads {
        let sums = self.read_index.epochs.get(&epoch);
        sums.copied().unwrap_or_default()
    }

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

    /// What an address paid for reads outside of calls on these days, by the day and then by the
    /// rest of the key.
    pub fn readings(
        &self,
        payer: &Address,
        days: RangeInclusive<Day>,
    ) -> impl Iterator<Item = (&ReadingKey, &Reading)> {
        let sums = self.read_index.readings.get(payer);
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
