use crate::calls::{Call, Outcome};
use crate::network::Network;
use aigen_economy::Split;
use aigen_types::{Address, Amount, PPM, Ppm};
use alloc::collections::BTreeMap;

/// Weight of the prior in reliability, in calls: a controller with few calls is neither
/// reliable nor unreliable yet.
const RELIABILITY_PRIOR_CALLS: u64 = 20;

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
    /// `(ok × PPM + 20 × prior) // (n + 20)`; none without a call.
    #[must_use]
    pub fn reliability(&self, prior: Ppm) -> Option<Ppm> {
        if self.calls == 0 {
            return None;
        }
        let ok = u128::from(self.succeeded).checked_mul(u128::from(PPM))?;
        let prior = u128::from(RELIABILITY_PRIOR_CALLS).checked_mul(prior.parts().into())?;
        let calls = u128::from(self.calls).checked_add(RELIABILITY_PRIOR_CALLS.into())?;
        ppm(ok.checked_add(prior)?.checked_div(calls)?)
    }

    /// `PPM − min(PPM, overhead × PPM // budget)` with the mean overhead per output token in
    /// microseconds; none without a token.
    #[must_use]
    pub fn latency(&self, budget_micros: u64) -> Option<Ppm> {
        let allowed = u128::from(self.tokens).checked_mul(budget_micros.into())?;
        let spent = u128::from(self.controller_micros).checked_mul(PPM.into())?;
        let used = spent.checked_div(allowed)?.min(PPM.into());
        ppm(u128::from(PPM).checked_sub(used)?)
    }
}

fn ppm(parts: u128) -> Option<Ppm> {
    u32::try_from(parts).ok().and_then(Ppm::new)
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
