use super::Clients;
use aigen_network::{Command, Network, RefundCall, RefundReason, ReverseCall};
use aigen_types::{Amount, CallId, TransferId};

const REASONS: [RefundReason; 2] = [RefundReason::Fraud, RefundReason::Goodwill];

/// A call, or a read outside of calls.
struct Paid {
    call: CallId,
    total: Amount,
    refunded: Amount,
}

fn paid(network: &Network) -> impl Iterator<Item = Paid> {
    let calls = network.receipts().map(|(call, receipt)| Paid {
        call,
        total: receipt.total(),
        refunded: receipt.refunded(),
    });
    calls.chain(network.read_receipts().map(|(call, receipt)| Paid {
        call,
        total: receipt.total(),
        refunded: receipt.refunded(),
    }))
}

/// What is asked back.
impl Clients {
    /// Of calls that cost something, if there are any.
    pub(super) fn correction(&mut self, network: &Network) -> Command {
        let all: Vec<_> = paid(network).collect();
        let mut calls: Vec<_> = all.iter().filter(|paid| !paid.total.is_zero()).collect();
        if calls.is_empty() || self.random.chance(5) {
            calls = all.iter().collect();
        }
        if calls.is_empty() {
            return self.issue();
        }
        let paid = *self.random.pick(&calls);
        let call = paid.call;
        let id = TransferId(self.random.id());
        let reason = *self.random.pick(&REASONS);
        match self.random.chance(40) {
            true => Command::ReverseCall(ReverseCall { id, call, reason }),
            false => Command::RefundCall(RefundCall {
                id,
                call,
                amount: self.part(paid),
                reason,
            }),
        }
    }

    /// A part, all that is left of it, or a little more.
    fn part(&mut self, paid: &Paid) -> Amount {
        let (total, refunded) = (paid.total.nano(), paid.refunded.nano());
        let left = total.saturating_sub(refunded);
        Amount::from_nano(
            *self
                .random
                .pick(&[left / 2, left / 2, left, left + 1, total]),
        )
    }
}
