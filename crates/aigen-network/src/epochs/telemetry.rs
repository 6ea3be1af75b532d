use crate::calls::{Call, Outcome};
use crate::network::Network;
use aigen_economy::Split;
use aigen_economy::settlement::{latency, reliability};
use aigen_types::{Address, Amount, Ppm};
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
    pub(crate) fn tally_call(
        &mut self,
        call: &Call,
        split: &Split,
        outcome: Outcome,
        controller_micros: u64,
    ) {
        let Some(controller) = call.controller else {
            return;
        };
        let tally = self.epoch.tallies.entry(controller).or_default();
        let blameless = matches!(
            outcome,
            Outcome::EngineFault | Outcome::Recovered | Outcome::Expired
        );
        if !blameless {
            let succeeded = u64::from(outcome != Outcome::ControllerFault);
            tally.calls = tally.calls.saturating_add(1);
            tally.succeeded = tally.succeeded.saturating_add(succeeded);
        }
        tally.controller_micros = tally.controller_micros.saturating_add(controller_micros);
        tally.tokens = tally.tokens.saturating_add(call.used.computed_tokens());
        let spent = tally.consumers.entry(call.payer.clone()).or_default();
        *spent = spent.saturating_add(split.controller);
    }
}
