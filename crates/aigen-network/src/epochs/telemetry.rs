use super::conformance::Checked;
use super::evidence::Evidence;
use crate::calls::{Outcome, Receipt};
use crate::network::Network;
use aigen_economy::settlement::{latency, reliability};
use aigen_types::{Address, Amount, Digest, Ppm};
use alloc::collections::BTreeMap;

/// What the node saw of one controller version in one epoch. Payees never report this themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended for a reason that was the controller's to influence.
    pub calls: u64,
    /// Those of them in which it did not fail.
    pub succeeded: u64,
    /// Time it took beyond the model's own, in microseconds.
    pub controller_micros: u64,
    /// Output tokens of its calls.
    pub tokens: u64,
    /// What each account spent on calls through it.
    pub consumers: BTreeMap<Address, Amount>,
}

impl Tally {
    /// The measured parameter `reliability`; none without a call.
    #[must_use]
    pub fn reliability(&self, prior: Ppm) -> Option<Ppm> {
        (self.calls > 0).then(|| reliability(self.succeeded, self.calls, prior))
    }

    /// The measured parameter `latency`, from the mean overhead per output token, rounded down
    /// to microseconds; none without a token.
    #[must_use]
    pub fn latency(&self, budget_micros: u64) -> Option<Ppm> {
        let overhead = self.controller_micros.checked_div(self.tokens)?;
        Some(latency(overhead, budget_micros))
    }
}

impl Network {
    pub(crate) fn tally_call(&mut self, receipt: &Receipt) {
        let Some(controller) = receipt.call.controller else {
            return;
        };
        let tally = self.epoch.tallies.entry(controller).or_default();
        let (calls, succeeded) = judged(receipt.outcome);
        tally.calls = tally.calls.saturating_add(calls);
        tally.succeeded = tally.succeeded.saturating_add(succeeded);
        let micros = receipt.controller_micros;
        tally.controller_micros = tally.controller_micros.saturating_add(micros);
        let tokens = receipt.call.used.computed_tokens();
        tally.tokens = tally.tokens.saturating_add(tokens);
        let payer = receipt.call.payer.clone();
        let spent = tally.consumers.entry(payer).or_default();
        *spent = spent.saturating_add(receipt.split.controller);
    }

    /// The exact opposite, for a call that was reversed. A consumer who has spent nothing more is
    /// forgotten.
    pub(crate) fn untally_call(&mut self, receipt: &Receipt) {
        let controller = receipt.call.controller;
        let Some(tally) = controller.and_then(|digest| self.epoch.tallies.get_mut(&digest)) else {
            return;
        };
        let (calls, succeeded) = judged(receipt.outcome);
        tally.calls = tally.calls.saturating_sub(calls);
        tally.succeeded = tally.succeeded.saturating_sub(succeeded);
        let micros = receipt.controller_micros;
        tally.controller_micros = tally.controller_micros.saturating_sub(micros);
        let tokens = receipt.call.used.computed_tokens();
        tally.tokens = tally.tokens.saturating_sub(tokens);
        let payer = &receipt.call.payer;
        if let Some(spent) = tally.consumers.get_mut(payer) {
            *spent = spent.saturating_sub(receipt.split.controller);
            if spent.is_zero() {
                tally.consumers.remove(payer);
            }
        }
    }
}

/// What calls come to, by controller version: the same that a node tallies while they end, but for
/// what their consumers spent.
#[must_use]
pub fn measured(evidence: &[Evidence]) -> BTreeMap<Digest, (Tally, Checked)> {
    let mut measured: BTreeMap<Digest, (Tally, Checked)> = BTreeMap::new();
    for call in evidence {
        let (tally, checked) = measured.entry(call.controller).or_default();
        let (calls, succeeded) = judged(call.outcome);
        tally.calls = tally.calls.saturating_add(calls);
        tally.succeeded = tally.succeeded.saturating_add(succeeded);
        tally.controller_micros = tally
            .controller_micros
            .saturating_add(call.controller_micros);
        tally.tokens = tally.tokens.saturating_add(call.tokens);
        if let Some(conforms) = call.conforms {
            checked.calls = checked.calls.saturating_add(1);
            checked.conforming = checked.conforming.saturating_add(u64::from(conforms));
        }
    }
    measured
}

/// How many calls and how many successes an end counts as: none, where it was not the
/// controller's to influence.
fn judged(outcome: Outcome) -> (u64, u64) {
    match outcome {
        Outcome::EngineFault | Outcome::Recovered | Outcome::Expired | Outcome::Filtered => (0, 0),
        Outcome::ControllerFault => (1, 0),
        _ => (1, 1),
    }
}
