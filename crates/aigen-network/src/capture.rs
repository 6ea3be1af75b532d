//! The end of a call: what was used is taken from its holds and shared out, the rest released.

use crate::accounts::addresses;
use crate::calls::{Call, Hold, Outcome, Receipt};
use crate::command::CloseCall;
use crate::cover::check_usage;
use crate::limits::FAULT_NAME_BYTES_MAX;
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::reads::{SettledCall, settled_call};
use crate::refusal::Refusal;
use aigen_economy::{Split, margin_on};
use aigen_ledger::PendingStatus;
use aigen_types::{Address, Amount, CallId, Timestamp, TransferId};
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Network {
    pub(crate) fn close_call(
        &mut self,
        now: Timestamp,
        close: &CloseCall,
    ) -> Result<Reply, Refusal> {
        let call = self.open(close.call)?;
        check_usage(call, &close.used)?;
        if close.steered.fault.len() > FAULT_NAME_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let mut call = call.clone();
        call.used = close.used;
        let outcome = self.outcome_of(&call, close.outcome);
        let SettledCall {
            charge,
            split,
            reads,
        } = settled_call(&call, outcome, &self.settings()?.shares)?;
        call.reads = reads;
        let margin = margin_on(charge.total, call.margin);
        let shares = self.shares(&call, &split, margin)?;
        let transfers = self.capture(now, close.call, &call, &shares)?;
        let receipt = Receipt {
            call,
            charge,
            split,
            margin,
            outcome,
            controller_micros: close.controller_micros,
            decisions: close.decisions,
            steered: close.steered.clone(),
            counter: close.counter,
            epoch: self.epoch.number,
            closed_at: now,
            record: self.record,
            transfers,
            refunds: Vec::new(),
            reversal: None,
        };
        self.tally_call(&receipt);
        let output = receipt.call.used.computed_tokens();
        self.count(now, &receipt.call.key, 0, output);
        let total = receipt.total();
        self.calls.remove(&close.call);
        self.usage.add(&receipt);
        let kept = self.kept_of(&receipt.call.reads);
        self.read_index.add_call(&receipt, kept);
        self.receipts.insert(close.call, Arc::new(receipt));
        Ok(Reply::Charged(total))
    }

    /// Holds that timed out cannot be captured any more: the call then ends uncharged.
    fn outcome_of(&self, call: &Call, outcome: Outcome) -> Outcome {
        if call.holds.iter().all(|hold| self.is_live(hold)) {
            outcome
        } else {
            Outcome::Expired
        }
    }

    /// A hold's parts are made in one chain with one timeout, so that they also end as one.
    fn is_live(&self, hold: &Hold) -> bool {
        self.ledger.pending(hold.transfer) == Some(PendingStatus::Pending)
    }

    /// The same amounts of the money and of every cap, then the shares, all in one chain.
    fn capture(
        &mut self,
        now: Timestamp,
        id: CallId,
        call: &Call,
        shares: &[Share],
    ) -> Result<Vec<TransferId>, Refusal> {
        let mut chain = Chain::new("capture", id.0);
        let mut due: Amount = shares.iter().map(|share| share.amount).sum();
        for hold in call.holds.iter().filter(|hold| self.is_live(hold)) {
            let take = due.min(hold.amount);
            chain.capture(hold.transfer, take);
            for cap in &hold.caps {
                chain.capture_units(*cap, take);
            }
            due = due.saturating_sub(take);
        }
        if !due.is_zero() {
            return Err(Refusal::UsageExceedsCover);
        }
        let clearing = addresses::clearing();
        for share in shares {
            chain.pay(&clearing, &share.to, share.amount, share.reason);
        }
        let transfers = chain.ids();
        self.post(now, chain)?;
        Ok(transfers)
    }

    /// Everyone who made the answer, and the app that sold it.
    fn shares(&self, call: &Call, split: &Split, margin: Amount) -> Result<Vec<Share>, Refusal> {
        let model = self.models.get(&call.model).ok_or(Refusal::ModelUnknown)?;
        let share = |to, amount, reason| Share { to, amount, reason };
        let provider = addresses::provider(&model.provider);
        let mut shares = alloc::vec![share(provider, split.provider, Reason::ProviderShare)];
        if let Some(controller) = call.controller {
            let escrow = addresses::escrow(controller);
            let budget = addresses::validator_budget(controller);
            shares.push(share(escrow, split.controller, Reason::ControllerShare));
            shares.push(share(budget, split.validator, Reason::ValidatorShare));
        }
        let reads = call.reads.iter();
        shares.extend(reads.map(|read| {
            let provider = read.provider.clone();
            share(provider, read.earned, Reason::DataShare)
        }));
        let protocol = addresses::protocol();
        shares.push(share(protocol, split.protocol, Reason::ProtocolShare));
        if let Some(app) = &call.app {
            shares.push(share(app.clone(), margin, Reason::AppMargin));
        }
        Ok(shares)
    }
}

/// One payee's part of what is captured.
struct Share {
    to: Address,
    amount: Amount,
    reason: Reason,
}
