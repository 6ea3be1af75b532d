use super::number::{amount, amounts, ppm, ppms, skill};
use super::{Consumers, Scores};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one epoch pays. Every amount is in nano-AIGEN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Destroyed.
    pub burned: u128,
    /// By id.
    pub controllers: BTreeMap<String, ControllerResult>,
    /// Given back to consumers.
    #[serde(deserialize_with = "amounts")]
    pub refunds: Consumers,
    /// Remainders, dust and slashed stake.
    pub treasury: u128,
    /// By id.
    pub validators: BTreeMap<String, ValidatorResult>,
}

/// One controller's result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControllerResult {
    /// What its score earned.
    #[serde(deserialize_with = "amount")]
    pub payout: u64,
    /// What it did not.
    #[serde(deserialize_with = "amount")]
    pub remainder: u64,
    /// Its score, in ppm.
    #[serde(deserialize_with = "ppm")]
    pub score: u64,
    /// Epochs in which it was scored, this one included if it was.
    pub scored_epochs: u64,
    /// Its score in each parameter.
    #[serde(deserialize_with = "ppms")]
    pub state: Scores,
}

/// One validator's result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorResult {
    /// What it earned.
    #[serde(deserialize_with = "amount")]
    pub pay: u64,
    /// Its accuracy afterwards, in signed ppm.
    #[serde(deserialize_with = "skill")]
    pub skill: i64,
    /// What it lost.
    #[serde(deserialize_with = "amount")]
    pub slash: u64,
}
