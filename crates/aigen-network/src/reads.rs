//! Rows that were read, and paid: on their own, in a prompt, or by a controller.

use crate::accounts::addresses;
use crate::budgets::{Cap, must_leave};
use crate::calls::{Call, Outcome, Paying};
use crate::corrections::{Refund, Reversal};
use crate::datasets::{DatasetUse, check_columns};
use crate::limits::{CALL_READS_MAX, READ_RANGES_MAX};
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_economy::{
    Charge, DatasetPrice, RatingError, ReadUsage, Shares, Split, Usage, before_margin, margin_on,
    rate, rate_read, split_with_reads,
};
use aigen_types::{Address, Amount, CallId, DatasetRef, Digest, Slug, Timestamp, TransferId};
use alloc::string::String;
use alloc::vec::Vec;

/// Rows of a dataset by their numbers, each once: ranges in order that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(Vec<RowRange>);

/// Rows that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRange {
    /// The first.
    pub first: u64,
    /// How many; at least one.
    pub count: u64,
}

impl RowRange {
    /// The number after its last; none where that leaves `u64`.
    fn end(&self) -> Option<u64> {
        self.first.checked_add(self.count)
    }
}

impl Rows {
    /// These rows, in any order, named twice or not.
    #[must_use]
    pub fn of(ids: impl IntoIterator<Item = u64>) -> Self {
        let ids: alloc::collections::BTreeSet<u64> = ids.into_iter().collect();
        let mut ranges: Vec<RowRange> = Vec::new();
        for first in ids {
            match ranges.last_mut() {
                Some(last) if last.end() == Some(first) => {
                    last.count = last.count.saturating_add(1)
                }
                _ => ranges.push(RowRange { first, count: 1 }),
            }
        }
        Self(ranges)
    }

    /// The first `count` rows from `first` on.
    #[must_use]
    pub fn range(first: u64, count: u64) -> Self {
        let range = RowRange { first, count };
        Self(Vec::from_iter((count > 0).then_some(range)))
    }

    /// Rows in the one form that they have; `None` of any other.
    #[must_use]
    pub fn from_ranges(ranges: Vec<RowRange>) -> Option<Self> {
        let mut free = Some(0_u64);
        for (place, range) in ranges.iter().enumerate() {
            let apart = free.is_some_and(|free| range.first > free || place == 0);
            let end = range.end();
            if range.count == 0 || end.is_none() || !apart {
                return None;
            }
            free = end;
        }
        Some(Self(ranges))
    }

    /// The ranges.
    #[must_use]
    pub fn ranges(&self) -> &[RowRange] {
        &self.0
    }

    /// How many rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.0.iter().map(|range| range.count);
        counts.fold(0, u64::saturating_add)
    }

    /// The highest number.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        let last = self.0.last()?;
        last.end()?.checked_sub(1)
    }

    /// Their numbers, in order.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        let ranges = self.0.iter();
        ranges.flat_map(|range| range.first..range.first.saturating_add(range.count))
    }
}

/// What is to be read of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The version.
    pub dataset: DatasetRef,
    /// Which columns; all where empty.
    pub columns: Vec<String>,
    /// Which rows: all of them in a download. At most 1,024 ranges.
    pub rows: Rows,
    /// How many of the rows a search found.
    pub hits: u64,
}

/// What was read, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What was read.
    pub wanted: Wanted,
    /// What for.
    pub purpose: DatasetUse,
    /// Who is paid.
    pub provider: Address,
    /// What the dataset asked when it was read.
    pub price: DatasetPrice,
    /// What that comes to; nothing once the call has ended before its prompt was computed.
    pub fee: Amount,
    /// What the provider is paid for it, with its part of the `data` share of a call; zero while
    /// the call runs.
    pub earned: Amount,
}

impl Read {
    fn usage(&self) -> ReadUsage {
        match self.purpose {
            DatasetUse::Download => ReadUsage {
                downloads: 1,
                ..ReadUsage::default()
            },
            _ => ReadUsage {
                rows: self.wanted.rows.count(),
                hits: self.wanted.hits,
                downloads: 0,
            },
        }
    }

    /// The fee, line by line.
    ///
    /// # Errors
    /// [`RatingError::Overflow`], never of a read that was let in.
    pub fn charge(&self) -> Result<Charge, RatingError> {
        rate_read(&self.price, &self.usage())
    }
}

/// Rows are read outside of any call: paid before they leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadDataset {
    /// Derived from the caller's idempotency key, or drawn at random: the same read asked for
    /// twice is charged once. Calls and reads share their ids.
    pub read: CallId,
    /// The key that asks.
    pub key: Slug,
    /// What is to be read.
    pub wanted: Wanted,
    /// For [`DatasetUse::Read`] or [`DatasetUse::Download`].
    pub purpose: DatasetUse,
    /// Hash of the request body: the same id with another is refused.
    pub request: Digest,
    /// For which end user of the key's spender it is.
    pub end_user: Option<Slug>,
    /// Who pays, by an allowance to the key's account; the key's account when absent.
    pub bill_to: Option<Address>,
    /// The most it may cost, margin included.
    pub budget: Option<Amount>,
}

/// A controller reads, while its call runs: the call's holds grow by the fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadWithin {
    /// The open call.
    pub call: CallId,
    /// What is to be read.
    pub wanted: Wanted,
}

/// What a read outside of a call came to. Kept for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadReceipt {
    /// The key that asked.
    pub key: Slug,
    /// Who paid.
    pub payer: Address,
    /// To whom the spending is attributed.
    pub spender: Address,
    /// The app whose allowance paid.
    pub app: Option<Address>,
    /// The caps that it counted against.
    pub caps: Vec<Cap>,
    /// Hash of the request.
    pub request: Digest,
    /// What was read.
    pub read: Read,
    /// What the protocol kept of the fee; the rest is [`Read::earned`].
    pub protocol: Amount,
    /// What the app added, rounded up once.
    pub margin: Amount,
    /// When.
    pub read_at: Timestamp,
    /// The journal record.
    pub record: u64,
    /// The transfers that moved the money.
    pub transfers: Vec<TransferId>,
    /// What was given back of it since, oldest first.
    pub refunds: Vec<Refund>,
    /// How it was undone as a whole, if it was.
    pub reversal: Option<Reversal>,
}

impl ReadReceipt {
    /// What the payer paid: the fee and the app's margin.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.read.fee.saturating_add(self.margin)
    }

    /// What was refunded of it so far.
    #[must_use]
    pub fn refunded(&self) -> Amount {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }
}

impl Call {
    /// What its reads cost, for as long as nobody knows whether its prompt is computed.
    #[must_use]
    pub fn fees(&self) -> Amount {
        self.reads.iter().map(|read| read.fee).sum()
    }
}

impl Network {
    /// A read as it would be paid now.
    pub(crate) fn priced_read(
        &self,
        now: Timestamp,
        key: &Slug,
        wanted: &Wanted,
        purpose: DatasetUse,
    ) -> Result<Read, Refusal> {
        check_columns(&wanted.columns)?;
        let rows = wanted.rows.count();
        if wanted.rows.ranges().len() > READ_RANGES_MAX || wanted.hits > rows {
            return Err(Refusal::ReadInvalid);
        }
        let dataset = self.check_readable(now, key, wanted, purpose)?;
        let new = &dataset.published;
        let whole = *wanted.rows.ranges() == *Rows::range(0, new.rows).ranges() && wanted.hits == 0;
        if purpose == DatasetUse::Download && !whole {
            return Err(Refusal::ReadInvalid);
        }
        let mut read = Read {
            wanted: wanted.clone(),
            purpose,
            provider: new.provider.clone(),
            price: new.price,
            fee: Amount::ZERO,
            earned: Amount::ZERO,
        };
        read.fee = read.charge()?.total;
        if read.fee > aigen_ledger::TRANSFER_AMOUNT_MAX {
            return Err(Refusal::AmountTooLarge);
        }
        Ok(read)
    }

    pub(crate) fn read_dataset(
        &mut self,
        now: Timestamp,
        asked: &ReadDataset,
    ) -> Result<Reply, Refusal> {
        if let Some(known) = self.datasets.reads.get(&asked.read) {
            return same_read(known, asked);
        }
        self.refuse_known_id(asked.read)?;
        let key = self.usable_key(&asked.key)?;
        self.check_key_limits(now, &asked.key)?;
        if !matches!(asked.purpose, DatasetUse::Read | DatasetUse::Download) {
            return Err(Refusal::DatasetUseNotAllowed);
        }
        let mut read = self.priced_read(now, &asked.key, &asked.wanted, asked.purpose)?;
        let (end_user, bill_to) = (asked.end_user.as_ref(), asked.bill_to.as_ref());
        let paying = self.paying(now, key, end_user, bill_to)?;
        let margin = margin_on(read.fee, paying.margin);
        let needed = read.fee.checked_add(margin);
        let needed = needed.ok_or(Refusal::AmountTooLarge)?;
        must_leave(&self.bounds(&paying.payer, &paying.caps), needed)?;
        if let Some(budget) = asked.budget
            && budget < needed
        {
            return Err(Refusal::BudgetTooSmall { budget, needed });
        }
        let (earned, protocol) = settled_read(&read, &self.settings()?.shares);
        read.earned = earned;
        let transfers = self.pay_read(now, asked.read, &paying, &read, protocol, margin)?;
        let receipt = ReadReceipt {
            key: asked.key.clone(),
            payer: paying.payer,
            spender: paying.spender,
            app: paying.app,
            caps: paying.caps,
            request: asked.request,
            read,
            protocol,
            margin,
            read_at: now,
            record: self.record,
            transfers,
            refunds: Vec::new(),
            reversal: None,
        };
        self.count(now, &asked.key, 1, 0);
        let epoch = self.epoch_of_record(self.record);
        self.read_index.add_read(asked.read, &receipt, epoch);
        self.datasets.reads.insert(asked.read, receipt);
        Ok(Reply::Charged(needed))
    }

    /// Payer to clearing, clearing to whoever earned it, and the same of every cap: all or nothing.
    fn pay_read(
        &mut self,
        now: Timestamp,
        id: CallId,
        paying: &Paying,
        read: &Read,
        protocol: Amount,
        margin: Amount,
    ) -> Result<Vec<TransferId>, Refusal> {
        let total = read.fee.saturating_add(margin);
        let clearing = addresses::clearing();
        let mut chain = Chain::new("read", id.0);
        chain.pay(&paying.payer, &clearing, total, Reason::Read);
        if !total.is_zero() {
            for cap in &paying.caps {
                self.true_up(&mut chain, cap);
                chain.units(cap.may_spend(), cap.was_spent(), total);
            }
        }
        chain.pay(&clearing, &read.provider, read.earned, Reason::DataShare);
        chain.pay(
            &clearing,
            &addresses::protocol(),
            protocol,
            Reason::ProtocolShare,
        );
        if let Some(app) = &paying.app {
            chain.pay(&clearing, app, margin, Reason::AppMargin);
        }
        let transfers = chain.ids();
        self.post(now, chain)?;
        Ok(transfers)
    }

    pub(crate) fn read_within(
        &mut self,
        now: Timestamp,
        within: &ReadWithin,
    ) -> Result<Reply, Refusal> {
        let mut call = self.open(within.call)?.clone();
        self.allowance_must_live(now, &call)?;
        if call.reads.len() >= CALL_READS_MAX {
            return Err(Refusal::TooManyReads);
        }
        let purpose = DatasetUse::Controller;
        let read = self.priced_read(now, &call.key, &within.wanted, purpose)?;
        call.reads.push(read);
        self.cover_reads(now, within.call, &mut call)?;
        self.opened(within.call, call)
    }
}

/// What a call is charged, and how that is shared out. Rows that a controller was given are paid
/// whatever became of the call, and rows of a prompt if the prompt was computed. Nothing is of a
/// call whose holds are gone.
///
/// # Errors
/// [`RatingError::Overflow`], never of what the call's holds cover.
pub fn settled_call(
    call: &Call,
    outcome: Outcome,
    shares: &Shares,
) -> Result<SettledCall, RatingError> {
    let expired = outcome == Outcome::Expired;
    let computed = call.used != Usage::default() && !expired;
    let mut charge = if computed {
        rate(&call.price, &call.used)?
    } else {
        Charge::default()
    };
    let mut reads = call.reads.clone();
    let mut lines = Vec::new();
    for read in &mut reads {
        let due = computed || !expired && read.purpose == DatasetUse::Controller;
        let fee = if due {
            read.charge()?
        } else {
            Charge::default()
        };
        read.fee = fee.total;
        lines.extend(fee.lines);
    }
    let due: Vec<usize> = (0..reads.len())
        .filter(|place| computed || !reads[*place].fee.is_zero())
        .collect();
    let fees: Vec<Amount> = due.iter().map(|place| reads[*place].fee).collect();
    let with_controller = call.controller.is_some();
    let (split, earned) = split_with_reads(&charge, &fees, shares, with_controller);
    for (place, earned) in due.into_iter().zip(earned) {
        reads[place].earned = earned;
    }
    let fees: Amount = fees.into_iter().sum();
    charge.total = charge
        .total
        .checked_add(fees)
        .ok_or(RatingError::Overflow)?;
    charge.lines.extend(lines);
    Ok(SettledCall {
        charge,
        split,
        reads,
    })
}

/// How the fee of a read outside of calls is shared out: to the provider, and to the protocol.
#[must_use]
pub fn settled_read(read: &Read, shares: &Shares) -> (Amount, Amount) {
    let (split, _) = split_with_reads(&Charge::default(), &[read.fee], shares, false);
    (split.data, split.protocol)
}

/// See [`settled_call`].
#[derive(Clone, Debug, PartialEq)]
pub struct SettledCall {
    /// Model and datasets, line by line.
    pub charge: Charge,
    /// Who gets what of it.
    pub split: Split,
    /// The reads, with what was paid for each.
    pub reads: Vec<Read>,
}

/// Asked for twice, it is charged once and answered alike.
fn same_read(known: &ReadReceipt, asked: &ReadDataset) -> Result<Reply, Refusal> {
    let same = known.request == asked.request
        && known.key == asked.key
        && known.read.wanted == asked.wanted
        && known.read.purpose == asked.purpose;
    if same {
        Ok(Reply::Charged(known.total()))
    } else {
        Err(Refusal::CallExistsWithDifferentRequest)
    }
}

/// What may be read.
impl Network {
    /// What a read outside of a call came to.
    #[must_use]
    pub fn read_receipt(&self, id: CallId) -> Option<&ReadReceipt> {
        self.datasets.reads.get(&id)
    }

    /// What each row of this read costs, a search's hit included, and how many such rows its budget
    /// pays for, with the app's margin. None of a read that would be refused anyway, costs the same
    /// however many rows it has, or has no budget.
    #[must_use]
    pub fn rows_within_budget(&self, now: Timestamp, asked: &ReadDataset) -> Option<(Amount, u64)> {
        let key = self.usable_key(&asked.key).ok()?;
        let (end_user, bill_to) = (asked.end_user.as_ref(), asked.bill_to.as_ref());
        let margin = self.paying(now, key, end_user, bill_to).ok()?.margin;
        let one = Wanted {
            rows: Rows::range(0, 1),
            hits: asked.wanted.hits.min(1),
            ..asked.wanted.clone()
        };
        let read = self.priced_read(now, &asked.key, &one, asked.purpose);
        let each = read.ok()?.fee;
        let spendable = before_margin(asked.budget?, margin).nano();
        let fit = spendable.checked_div(each.nano())?;
        Some((each, u64::try_from(fit).unwrap_or(u64::MAX)))
    }

    /// Every read outside of calls.
    pub fn read_receipts(&self) -> impl Iterator<Item = (CallId, &ReadReceipt)> {
        self.datasets.reads.iter().map(|(id, read)| (*id, read))
    }
}
