//! What scoring keeps beside the running epoch: rules, waiting stakes, windows, held payouts.

use crate::epochs::{Held, Opened, Plan};
use crate::rules::RulesVersion;
use crate::stakes::StakeStanding;
use aigen_types::{Digest, Epoch, Slug};
use alloc::collections::BTreeMap;

/// State that came after the first release: a snapshot of a network that uses none of it is
/// written as that release wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each type says what it is")]
pub struct Governance {
    /// By version, from 1.
    pub rules: BTreeMap<u64, RulesVersion>,
    /// Of validators with a bond or a waiting stake.
    pub standings: BTreeMap<Slug, StakeStanding>,
    /// Of the running epoch.
    pub plan: Plan,
    /// What settled epochs have yet to pay: at most the last one.
    pub held: BTreeMap<Epoch, Held>,
    /// What the operator opened at settlements.
    pub opened: BTreeMap<Epoch, Opened>,
    /// The seed that was opened last: what draws panels, and what the next one must hash to.
    pub beacon: Option<Digest>,
}

impl crate::Network {
    /// See [`Governance`].
    #[must_use]
    pub fn governance(&self) -> &Governance {
        &self.governance
    }

    /// The same network with this governance, as a snapshot kept it.
    #[must_use]
    pub fn with_governance(mut self, governance: Governance) -> Self {
        self.governance = governance;
        self
    }
}
