//! Who used what: sums that the receipts lead to, kept beside them so that nobody has to
//! read them all. They decide nothing, no snapshot holds them, and `check` makes them anew.

use crate::calls::Receipt;
use crate::network::Network;
use crate::receipts::{List, Receipts};
use aigen_economy::Usage;
use aigen_types::{Address, Amount, CallId, Day, Digest, Epoch, ModelName};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::ops::RangeInclusive;

/// What the calls of one payer are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageKey {
    /// On which they ended.
    pub day: Day,
    /// To whom they are attributed.
    pub spender: Address,
    /// The model that answered.
    pub model: ModelName,
    /// The controller version that steered.
    pub controller: Option<Digest>,
}

/// Calls, what they used and what they cost. Every count stops at its type's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSum {
    /// How many.
    pub calls: u64,
    /// Their tokens.
    pub tokens: Usage,
    /// What was charged for them, margins included.
    pub charged: Amount,
    /// What was refunded or reversed of it since.
    pub given_back: Amount,
}

impl UsageSum {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            tokens: sum(self.tokens, other.tokens),
            charged: self.charged.saturating_add(other.charged),
            given_back: self.given_back.saturating_add(other.given_back),
        }
    }

    fn of(receipt: &Receipt) -> Self {
        Self {
            calls: 1,
            tokens: receipt.call.used,
            charged: receipt.total(),
            given_back: given_back(receipt),
        }
    }
}

fn sum(one: Usage, other: Usage) -> Usage {
    Usage {
        prompt_tokens: one.prompt_tokens.saturating_add(other.prompt_tokens),
        cached_prompt_tokens: one
            .cached_prompt_tokens
            .saturating_add(other.cached_prompt_tokens),
        sampled_tokens: one.sampled_tokens.saturating_add(other.sampled_tokens),
        forced_tokens: one.forced_tokens.saturating_add(other.forced_tokens),
        discarded_tokens: one.discarded_tokens.saturating_add(other.discarded_tokens),
    }
}

fn given_back(receipt: &Receipt) -> Amount {
    match receipt.reversal {
        Some(_) => receipt.total(),
        None => receipt.refunded(),
    }
}

/// What everyone's receipts come to, by who paid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct UsageIndex {
    payers: BTreeMap<Address, BTreeMap<UsageKey, UsageSum>>,
}

impl UsageIndex {
    pub fn of(receipts: &Receipts) -> Self {
        let mut index = Self::default();
        for (_, receipt) in receipts.in_order() {
            index.add(&receipt);
        }
        index
    }

    /// Counts a call that has ended.
    pub fn add(&mut self, receipt: &Receipt) {
        let sums = self.payers.entry(receipt.call.payer.clone()).or_default();
        let sum = sums.entry(key(receipt)).or_default();
        *sum = sum.plus(UsageSum::of(receipt));
    }

    /// Counts money given back of a call that was counted.
    pub fn give_back(&mut self, receipt: &Receipt, amount: Amount) {
        let sums = self.payers.get_mut(&receipt.call.payer);
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(&key(receipt))) {
            sum.given_back = sum.given_back.saturating_add(amount);
        }
    }
}

fn key(receipt: &Receipt) -> UsageKey {
    let call = &receipt.call;
    UsageKey {
        day: Day::of(receipt.closed_at),
        spender: call.spender.clone(),
        model: call.model.clone(),
        controller: call.controller,
    }
}

impl Network {
    /// What one payer used on these days, by the day and then by the rest of the key.
    pub fn usage(
        &self,
        payer: &Address,
        days: RangeInclusive<Day>,
    ) -> impl Iterator<Item = (&UsageKey, &UsageSum)> {
        let sums = self.usage.payers.get(payer).into_iter().flatten();
        sums.filter(move |(key, _)| days.contains(&key.day))
    }

    /// Everyone who has paid for a call, or for a read outside of calls; in order.
    pub fn payers(&self) -> impl Iterator<Item = &Address> {
        let calls = self.usage.payers.keys();
        let both: BTreeSet<&Address> = calls.chain(self.read_index.payers()).collect();
        both.into_iter()
    }

    /// The receipts of what an address paid for, newest first; only those before `before`, where
    /// that is given.
    pub fn receipts_of(
        &self,
        payer: &Address,
        before: Option<CallId>,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        self.receipts.newest_first(List::PaidBy(payer), before)
    }

    /// Everybody's receipts, newest first; only those before `before`, where that is given.
    pub fn newest_receipts(
        &self,
        before: Option<CallId>,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        self.receipts.newest_first(List::All, before)
    }

    /// The receipts whose money a controller version earns from in an epoch, newest first; only
    /// those before `before`, where that is given.
    pub fn receipts_through(
        &self,
        epoch: Epoch,
        controller: Digest,
        before: Option<CallId>,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        let list = List::Through(epoch, controller);
        let through = self.receipts.newest_first(list, before);
        through.filter(|(_, receipt)| receipt.reversal.is_none())
    }
}
