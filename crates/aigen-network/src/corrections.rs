//! Money given back: a call reversed as if it had never been, or refunded.
//!
//! While the epoch of a call runs, every share of it is still where it was put, and a reversal
//! takes each back. Afterwards escrows are settled and paid; what is given back then is the
//! operator's own: the treasury's, which the operator may fund by hand, and not the protocol's
//! share, which moves by rule alone and is what makes wash trading a loss.

use crate::accounts::{addresses, first_u128};
use crate::budgets::Cap;
use crate::calls::Receipt;
use crate::command::{RefundCall, ReverseCall};
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::reads::ReadReceipt;
use crate::refusal::Refusal;
use aigen_ledger::TransferRefusal;
use aigen_types::{Address, Amount, CallId, Day, Epoch, NameError, Timestamp, TransferId};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, str::FromStr};

/// Why money is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefundReason {
    /// The same was charged twice.
    Duplicate,
    /// The service did not work.
    ServiceFailure,
    /// The answer was of no use.
    Quality,
    /// Somebody used what was not theirs.
    Fraud,
    /// A kindness.
    Goodwill,
    /// Something else.
    Other,
}

const REASONS: [(&str, RefundReason); 6] = [
    ("duplicate", RefundReason::Duplicate),
    ("service_failure", RefundReason::ServiceFailure),
    ("quality", RefundReason::Quality),
    ("fraud", RefundReason::Fraud),
    ("goodwill", RefundReason::Goodwill),
    ("other", RefundReason::Other),
];

impl RefundReason {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let named = REASONS.iter().find(|(_, reason)| *reason == self);
        named.map_or("other", |(name, _)| name)
    }
}

impl fmt::Display for RefundReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RefundReason {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let rule = "write duplicate, service_failure, quality, fraud, goodwill or other";
        let named = REASONS.iter().find(|(name, _)| *name == text);
        named
            .map(|(_, reason)| *reason)
            .ok_or_else(|| NameError::new("a reason to give money back", rule, text))
    }
}

/// Money given back of a call, by the treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Chosen by whoever asked.
    pub id: TransferId,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub reason: RefundReason,
    /// When.
    pub at: Timestamp,
    /// The journal record.
    pub record: u64,
    /// The transfer that moved it.
    pub transfer: TransferId,
}

/// A call undone, by everyone who was paid for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// Chosen by whoever asked.
    pub id: TransferId,
    /// Why.
    pub reason: RefundReason,
    /// When.
    pub at: Timestamp,
    /// The journal record.
    pub record: u64,
    /// The transfers that moved the money back.
    pub transfers: Vec<TransferId>,
}

/// What was paid for, a call or a read outside of calls, as far as money given back goes.
pub(crate) struct Paid<'a> {
    pub total: Amount,
    pub caps: &'a [Cap],
    pub refunds: &'a [Refund],
    pub reversal: Option<&'a Reversal>,
    payer: &'a Address,
    transfers: &'a [TransferId],
    /// Of a call, whose shares are only where they were put while its epoch runs. A read has paid
    /// nobody but its dataset's provider.
    epoch: Option<Epoch>,
}

/// A call that has ended, or a read outside of calls.
pub(crate) enum Bought<'a> {
    Call(Arc<Receipt>),
    Read(&'a ReadReceipt),
}

impl Bought<'_> {
    pub fn paid(&self) -> Paid<'_> {
        match self {
            Self::Call(receipt) => Paid {
                total: receipt.total(),
                caps: &receipt.call.caps,
                refunds: &receipt.refunds,
                reversal: receipt.reversal.as_ref(),
                payer: &receipt.call.payer,
                transfers: &receipt.transfers,
                epoch: Some(receipt.epoch),
            },
            Self::Read(read) => Paid {
                total: read.total(),
                caps: &read.caps,
                refunds: &read.refunds,
                reversal: read.reversal.as_ref(),
                payer: &read.payer,
                transfers: &read.transfers,
                epoch: None,
            },
        }
    }
}

impl Paid<'_> {
    /// What was refunded of it so far.
    pub fn refunded(&self) -> Amount {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }
}

impl Network {
    /// What this call, or read outside of calls, came to; `None` while a call runs.
    pub(crate) fn bought(&self, id: CallId) -> Option<Bought<'_>> {
        let receipt = self.receipts.get(id).map(Bought::Call);
        receipt.or_else(|| self.datasets.reads.get(&id).map(Bought::Read))
    }

    /// Takes every share of a call, or of a read, back and pays the payer, in one chain and once.
    pub(crate) fn reverse_call(
        &mut self,
        now: Timestamp,
        reverse: &ReverseCall,
    ) -> Result<Reply, Refusal> {
        let bought = self.bought(reverse.call).ok_or(Refusal::CallUnknown)?;
        let paid = bought.paid();
        let total = paid.total;
        if let Some(known) = paid.reversal {
            return same_reversal(known, reverse, total);
        }
        self.must_be_reversible(&paid)?;
        let shares = self.shares_of(&paid);
        self.must_have(&shares)?;
        let mut chain = Chain::new("reversal", reverse.call.0);
        for (payee, amount) in &shares {
            chain.pay(payee, &addresses::clearing(), *amount, Reason::Reversal);
        }
        chain.pay(&addresses::clearing(), paid.payer, total, Reason::Reversal);
        for cap in paid.caps {
            chain.units(cap.was_spent(), cap.may_spend(), total);
        }
        let transfers = chain.ids();
        self.post(now, chain)?;
        let reversal = Reversal {
            id: reverse.id,
            reason: reverse.reason,
            at: now,
            record: self.record,
            transfers,
        };
        self.note_reversal(reverse.call, reversal);
        Ok(Reply::GivenBack(total))
    }

    /// Every count that the call or the read was part of forgets it.
    fn note_reversal(&mut self, id: CallId, reversal: Reversal) {
        if let Some(receipt) = self.receipts.get(id) {
            self.untally_call(&receipt);
            self.usage.give_back(&receipt, receipt.total());
            for read in &receipt.call.reads {
                let day = Day::of(receipt.closed_at);
                self.read_index.reverse(day, receipt.epoch, read);
            }
            let undo = |receipt: &mut Receipt| receipt.reversal = Some(reversal);
            self.receipts.correct(id, undo);
            return;
        }
        let record = self.datasets.reads.get(&id).map(|read| read.record);
        let epoch = record.map(|record| self.epoch_of_record(record));
        if let Some((read, epoch)) = self.datasets.reads.get_mut(&id).zip(epoch) {
            let day = Day::of(read.read_at);
            self.read_index.reverse(day, epoch, &read.read);
            self.read_index.give_back(read, read.total());
            read.reversal = Some(reversal);
        }
    }

    fn must_be_reversible(&self, paid: &Paid<'_>) -> Result<(), Refusal> {
        if paid.total.is_zero() {
            Err(Refusal::NothingCharged)
        } else if !paid.refunds.is_empty() {
            Err(Refusal::CallRefunded)
        } else if paid.epoch.is_some_and(|epoch| epoch != self.epoch.number) {
            Err(Refusal::EpochSettled)
        } else {
            Ok(())
        }
    }

    /// What everyone was paid for a call, by the transfers that did it: a model's provider may be
    /// another today.
    fn shares_of(&self, paid: &Paid<'_>) -> BTreeMap<Address, Amount> {
        let clearing = crate::accounts::account_id(&addresses::clearing());
        let moved = paid.transfers.iter();
        let moved = moved.filter_map(|id| self.ledger.transfer(*id));
        let mut shares = BTreeMap::new();
        for share in moved.filter(|transfer| transfer.debit_account_id == clearing) {
            if let Some(payee) = self.address(share.credit_account_id) {
                let sum: &mut Amount = shares.entry(payee.clone()).or_default();
                *sum = sum.saturating_add(share.amount);
            }
        }
        shares
    }

    /// Asked first, because a transfer that the ledger refuses burns its id, and a payee who is
    /// short today may have the money tomorrow.
    fn must_have(&self, amounts: &BTreeMap<Address, Amount>) -> Result<(), Refusal> {
        for (address, needed) in amounts {
            let (available, needed) = (self.available(address), *needed);
            if available < needed {
                return Err(Refusal::PayeeShort {
                    payee: alloc::boxed::Box::new(address.clone()),
                    available,
                    needed,
                });
            }
        }
        Ok(())
    }

    /// Pays back a part of a call or of a read, or all of it, from the treasury. What it used of
    /// budgets stays used.
    pub(crate) fn refund_call(
        &mut self,
        now: Timestamp,
        refund: &RefundCall,
    ) -> Result<Reply, Refusal> {
        if refund.amount.is_zero() {
            return Err(Refusal::AmountZero);
        }
        let bought = self.bought(refund.call).ok_or(Refusal::CallUnknown)?;
        let paid = bought.paid();
        if let Some(known) = paid.refunds.iter().find(|known| known.id == refund.id) {
            return same_refund(known, refund);
        }
        must_be_refundable(&paid, refund.amount)?;
        let payer = paid.payer.clone();
        let treasury = addresses::treasury();
        self.must_have(&BTreeMap::from([(treasury.clone(), refund.amount)]))?;
        let transfer = refund_id(refund.call, refund.id);
        let mut chain = Chain::new("refund", transfer.0);
        let amount = refund.amount;
        chain.pay_as(transfer, &treasury, &payer, amount, Reason::CallRefund);
        self.post(now, chain)?;
        let given = Refund {
            id: refund.id,
            amount,
            reason: refund.reason,
            at: now,
            record: self.record,
            transfer,
        };
        self.note_refund(refund.call, given);
        Ok(Reply::GivenBack(amount))
    }

    fn note_refund(&mut self, id: CallId, given: Refund) {
        if let Some(receipt) = self.receipts.get(id) {
            self.usage.give_back(&receipt, given.amount);
            let refund = |receipt: &mut Receipt| receipt.refunds.push(given);
            self.receipts.correct(id, refund);
        } else if let Some(read) = self.datasets.reads.get_mut(&id) {
            self.read_index.give_back(read, given.amount);
            read.refunds.push(given);
        }
    }
}

fn must_be_refundable(paid: &Paid<'_>, amount: Amount) -> Result<(), Refusal> {
    if paid.reversal.is_some() {
        return Err(Refusal::CallReversed);
    }
    let (charged, refunded) = (paid.total, paid.refunded());
    if amount > charged.saturating_sub(refunded) {
        return Err(Refusal::RefundTooLarge { charged, refunded });
    }
    Ok(())
}

/// Asked for twice, it is done once and answered alike.
fn same_reversal(known: &Reversal, asked: &ReverseCall, total: Amount) -> Result<Reply, Refusal> {
    if known.id == asked.id && known.reason == asked.reason {
        Ok(Reply::GivenBack(total))
    } else {
        Err(Refusal::CallReversed)
    }
}

fn same_refund(known: &Refund, asked: &RefundCall) -> Result<Reply, Refusal> {
    if known.amount != asked.amount {
        Err(TransferRefusal::ExistsWithDifferentAmount.into())
    } else if known.reason != asked.reason {
        Err(TransferRefusal::ExistsWithDifferentCode.into())
    } else {
        Ok(Reply::GivenBack(known.amount))
    }
}

/// An id that somebody chose names one refund of one call, and nobody else's transfer.
fn refund_id(call: CallId, id: TransferId) -> TransferId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"aigen/refund/v1/");
    hasher.update(&call.0.to_le_bytes());
    hasher.update(&id.0.to_le_bytes());
    TransferId(first_u128(hasher.finalize()))
}
