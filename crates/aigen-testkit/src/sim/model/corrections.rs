use super::calls::ClosedCall;
use super::{Expected, Model, address, refused};
use aigen_network::{RefundCall, ReverseCall};
use aigen_types::{Address, Amount};

fn gave_back(amount: u128) -> Expected {
    Expected::Words(format!("gave back {}", Amount::from_nano(amount)))
}

impl Model {
    /// Everyone who was paid pays back, and the caps forget the call.
    pub(super) fn reverse(&mut self, reverse: &ReverseCall) -> Expected {
        let Some(call) = self.closed.get(&reverse.call).cloned() else {
            return refused("call_unknown");
        };
        let this = (reverse.id, reverse.reason);
        match call.reversal {
            Some(known) if known == this => return gave_back(call.total()),
            Some(_) => return refused("call_reversed"),
            None => {}
        }
        if let Some(refusal) = self.irreversible(&call) {
            return refusal;
        }
        for (payee, amount) in &call.shares {
            self.transfer(payee, &call.payer, *amount);
        }
        for cap in &call.caps {
            self.unspend(cap, call.total());
        }
        let total = call.total();
        let call = self.closed.get_mut(&reverse.call).expect("it is there");
        call.reversal = Some(this);
        gave_back(total)
    }

    fn irreversible(&self, call: &ClosedCall) -> Option<Expected> {
        let short = |(payee, amount): (&Address, &u128)| self.available(payee) < *amount;
        let refusals = [
            (call.total() == 0, "nothing_charged"),
            (!call.refunds.is_empty(), "call_refunded"),
            (
                call.read.is_none() && call.epoch != self.epoch,
                "epoch_settled",
            ),
            (call.shares.iter().any(short), "payee_short"),
        ];
        let refusal = refusals.into_iter().find(|(holds, _)| *holds);
        refusal.map(|(_, code)| refused(code))
    }

    /// The treasury pays, never more than the call came to, whoever asks how often.
    pub(super) fn refund(&mut self, refund: &RefundCall) -> Expected {
        let amount = refund.amount.nano();
        if amount == 0 {
            return refused("amount_zero");
        }
        let Some(call) = self.closed.get(&refund.call).cloned() else {
            return refused("call_unknown");
        };
        let known = call.refunds.iter().find(|(id, ..)| *id == refund.id);
        if let Some((_, paid, reason)) = known {
            return match (*paid == amount, *reason == refund.reason) {
                (true, true) => gave_back(amount),
                (false, _) => refused("exists_with_different_amount"),
                (true, false) => refused("exists_with_different_code"),
            };
        }
        let refunded: u128 = call.refunds.iter().map(|(_, paid, _)| paid).sum();
        let treasury = address(&["treasury"]);
        let refusals = [
            (call.reversal.is_some(), "call_reversed"),
            (refunded + amount > call.total(), "refund_too_large"),
            (self.available(&treasury) < amount, "payee_short"),
            (call.payer == treasury, "accounts_must_be_different"),
        ];
        if let Some((_, code)) = refusals.into_iter().find(|(holds, _)| *holds) {
            return refused(code);
        }
        self.transfer(&treasury, &call.payer, amount);
        let call = self.closed.get_mut(&refund.call).expect("it is there");
        call.refunds.push((refund.id, amount, refund.reason));
        gave_back(amount)
    }
}
