use super::Clients;
use aigen_network::{Command, Network, Receipt, RefundCall, RefundReason, ReverseCall};
use aigen_types::{Amount, CallId, TransferId};

const REASONS: [RefundReason; 2] = [RefundReason::Fraud, RefundReason::Goodwill];

/// What is asked back.
impl Clients {
    /// Of calls that cost something, if there are any.
    pub(super) fn correction(&mut self, network: &Network) -> Command {
        let dear = |(_, receipt): &(CallId, &Receipt)| !receipt.total().is_zero();
        let mut calls: Vec<_> = network.receipts().filter(dear).collect();
        if calls.is_empty() || self.random.chance(5) {
            calls = network.receipts().collect();
        }
        if calls.is_empty() {
            return self.issue();
        }
        let (call, receipt) = *self.random.pick(&calls);
        let id = TransferId(self.random.id());
        let reason = *self.random.pick(&REASONS);
        match self.random.chance(40) {
            true => Command::ReverseCall(ReverseCall { id, call, reason }),
            false => Command::RefundCall(RefundCall {
                id,
                call,
                amount: self.part(receipt),
                reason,
            }),
        }
    }

    /// A part, all that is left of it, or a little more.
    fn part(&mut self, receipt: &Receipt) -> Amount {
        let (total, refunded) = (receipt.total().nano(), receipt.refunded().nano());
        let left = total.saturating_sub(refunded);
        Amount::from_nano(
            *self
                .random
                .pick(&[left / 2, left / 2, left, left + 1, total]),
        )
    }
}
