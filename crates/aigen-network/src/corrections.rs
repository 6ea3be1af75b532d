//! Money given back: a call reversed as if it had never been, or refunded.
//!
//! While the epoch of a call runs, every share of it is still where it was put, and a reversal
//! takes each back. Afterwards escrows are settled and paid; what is given back then is the
//! operator's own: the treasury's, which the operator may fund by hand, and not the protocol's
//! share, which moves by rule alone and is what makes wash trading a loss.

use crate::accounts::{addresses, first_u128};
use crate::calls::Receipt;
use crate::command::{RefundCall, ReverseCall};
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_ledger::TransferRefusal;
use aigen_types::{Address, Amount, CallId, NameError, Timestamp, TransferId};
use alloc::collections::BTreeMap;
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

impl Network {
    /// Takes every share of a call back and pays the payer, in one chain and once.
    pub(crate) fn reverse_call(
        &mut self,
        now: Timestamp,
        reverse: &ReverseCall,
    ) -> Result<Reply, Refusal> {
        let receipt = self.receipts.get(&reverse.call);
        let receipt = receipt.ok_or(Refusal::CallUnknown)?.clone();
        if let Some(known) = &receipt.reversal {
            return same_reversal(known, reverse, receipt.total());
        }
        self.must_be_reversible(&receipt)?;
        let shares = self.shares_of(&receipt);
        self.must_have(&shares)?;
        let mut chain = Chain::new("reversal", reverse.call.0);
        for (payee, amount) in &shares {
            chain.pay(payee, &addresses::clearing(), *amount, Reason::Reversal);
        }
        let total = receipt.total();
        let payer = &receipt.call.payer;
        chain.pay(&addresses::clearing(), payer, total, Reason::Reversal);
        for cap in &receipt.call.caps {
            chain.units(cap.was_spent(), cap.may_spend(), total);
        }
        let transfers = chain.ids();
        self.post(now, chain)?;
        self.untally_call(&receipt);
        let reversal = Reversal {
            id: reverse.id,
            reason: reverse.reason,
            at: now,
            record: self.record,
            transfers,
        };
        if let Some(receipt) = self.receipts.get_mut(&reverse.call) {
            self.usage.give_back(receipt, total);
            receipt.reversal = Some(reversal);
        }
        Ok(Reply::GivenBack(total))
    }

    fn must_be_reversible(&self, receipt: &Receipt) -> Result<(), Refusal> {
        if receipt.total().is_zero() {
            Err(Refusal::NothingCharged)
        } else if !receipt.refunds.is_empty() {
            Err(Refusal::CallRefunded)
        } else if receipt.epoch != self.epoch.number {
            Err(Refusal::EpochSettled)
        } else {
            Ok(())
        }
    }

    /// What everyone was paid for a call, by the transfers that did it: a model's provider may be
    /// another today.
    fn shares_of(&self, receipt: &Receipt) -> BTreeMap<Address, Amount> {
        let clearing = crate::accounts::account_id(&addresses::clearing());
        let moved = receipt.transfers.iter();
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

    /// Pays back a part of a call, or all of it, from the treasury. What the call used of budgets
    /// stays used.
    pub(crate) fn refund_call(
        &mut self,
        now: Timestamp,
        refund: &RefundCall,
    ) -> Result<Reply, Refusal> {
        if refund.amount.is_zero() {
            return Err(Refusal::AmountZero);
        }
        let receipt = self.receipts.get(&refund.call);
        let receipt = receipt.ok_or(Refusal::CallUnknown)?;
        if let Some(known) = receipt.refunds.iter().find(|known| known.id == refund.id) {
            return same_refund(known, refund);
        }
        must_be_refundable(receipt, refund.amount)?;
        let payer = receipt.call.payer.clone();
        let treasury = addresses::treasury();
        self.must_have(&BTreeMap::from([(treasury.clone(), refund.amount)]))?;
        let transfer = refund_id(refund.call, refund.id);
        let mut chain = Chain::new("refund", transfer.0);
        chain.pay_as(
            transfer,
            &treasury,
            &payer,
            refund.amount,
            Reason::CallRefund,
        );
        self.post(now, chain)?;
        let given = Refund {
            id: refund.id,
            amount: refund.amount,
            reason: refund.reason,
            at: now,
            record: self.record,
            transfer,
        };
        if let Some(receipt) = self.receipts.get_mut(&refund.call) {
            self.usage.give_back(receipt, refund.amount);
            receipt.refunds.push(given);
        }
        Ok(Reply::GivenBack(refund.amount))
    }
}

fn must_be_refundable(receipt: &Receipt, amount: Amount) -> Result<(), Refusal> {
    if receipt.reversal.is_some() {
        return Err(Refusal::CallReversed);
    }
    let (charged, refunded) = (receipt.total(), receipt.refunded());
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
