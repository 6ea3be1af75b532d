use super::number::{amount, amounts, given, ppm, ppms, skill};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Parameter name to parts per million.
pub type Scores = BTreeMap<String, u64>;
/// Consumer account to what it spent, in nano-AIGEN.
pub type Consumers = BTreeMap<String, u64>;

/// Everything one epoch's payouts depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Who was asked for what.
    pub assigned: Vec<Cell>,
    /// Real cells that were evaluated again.
    pub audits: Vec<Audit>,
    /// What is scored.
    pub controllers: Vec<Controller>,
    /// Hidden cases.
    pub gold: Vec<Gold>,
    /// Who was asked for which hidden case.
    pub gold_assigned: Vec<GoldCell>,
    /// What they answered.
    pub gold_reports: Vec<GoldReport>,
    /// What controllers are scored in.
    pub parameters: Vec<Parameter>,
    /// What differs from the defaults.
    pub params: Params,
    /// What validators answered.
    pub reports: Vec<Report>,
    /// Who scores.
    pub validators: Vec<Validator>,
}

/// One parameter controllers are scored in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// At and above this a gate is open, in ppm; 0: no gate.
    #[serde(deserialize_with = "ppm")]
    pub gate_full: u64,
    /// Its name.
    pub id: String,
    /// Where its values come from.
    pub kind: ParameterKind,
    /// Its weight in ppm; all weights sum to one whole.
    #[serde(deserialize_with = "ppm")]
    pub weight: u64,
}

/// Where a parameter's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// The node's own telemetry.
    Measured,
    /// Validators' reports.
    Voted,
}

/// One controller's epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// Who spent through it, and how much.
    #[serde(deserialize_with = "amounts")]
    pub consumers: Consumers,
    /// Its reserved share.
    #[serde(deserialize_with = "amount")]
    pub escrow: u64,
    /// Its id: the digest of the version.
    pub id: String,
    /// This epoch's measurements.
    #[serde(deserialize_with = "ppms")]
    pub measured: Scores,
    /// Who is paid for it.
    pub owner: String,
    /// Epochs in which it was scored so far.
    pub scored_epochs: u64,
    /// Its scores before this epoch.
    #[serde(deserialize_with = "ppms")]
    pub state: Scores,
    /// What scoring it may cost.
    #[serde(deserialize_with = "amount")]
    pub vbudget: u64,
}

/// One validator's epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Whether it committed in time.
    pub committed: bool,
    /// Its id.
    pub id: String,
    /// Who stands behind it.
    pub owner: String,
    /// Whether it revealed in time.
    pub revealed: bool,
    /// Its accuracy before this epoch, in signed ppm.
    #[serde(deserialize_with = "skill")]
    pub skill: i64,
    /// What it has locked.
    #[serde(deserialize_with = "amount")]
    pub stake: u64,
}

/// Validator `v` was asked about controller `c` in parameter `p`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The controller.
    pub c: String,
    /// The parameter.
    pub p: String,
    /// The validator.
    pub v: String,
}

/// Validator `v` answered `r`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The controller.
    pub c: String,
    /// The parameter.
    pub p: String,
    /// The answer in ppm. One outside 0 to 1,000,000 does not count.
    pub r: i64,
    /// The validator.
    pub v: String,
}

/// A hidden case of known truth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gold {
    /// Its id.
    pub id: String,
    /// The right answer, in ppm.
    #[serde(deserialize_with = "ppm")]
    pub truth: u64,
}

/// Validator `v` was asked for hidden case `g`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldCell {
    /// The hidden case.
    pub g: String,
    /// The validator.
    pub v: String,
}

/// Validator `v` answered `r`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldReport {
    /// The hidden case.
    pub g: String,
    /// The answer in ppm.
    pub r: i64,
    /// The validator.
    pub v: String,
}

/// A real cell that was evaluated again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The controller.
    pub c: String,
    /// The parameter.
    pub p: String,
    /// The right answer, in ppm.
    #[serde(deserialize_with = "ppm")]
    pub truth: u64,
}

/// Where what a controller did not earn goes. Never to other controllers or to
/// validators: whoever gains from a low score must not have a say in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Remainder {
    /// Destroyed.
    Burn,
    /// Back to the controller's consumers, by what they spent.
    Refund,
    /// To the treasury.
    Treasury,
}

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// Overrides of the settlement's parameters; what is absent has its default. Ppm unless said otherwise.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Params {
            $(
                $(#[$doc])*
                #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )*
        }
    };
}

params! {
    /// Step of a falling score.
    alpha_down: u64,
    /// Step of a validator's skill.
    alpha_gold: u64,
    /// Step towards the prior of a score nobody covers.
    alpha_stale: u64,
    /// Least step of a rising score.
    alpha_up: u64,
    /// Distance from an audit's truth that costs nothing.
    audit_tol: u64,
    /// Part of pay that rewards finding a change first.
    beta: u64,
    /// Least change that counts as one.
    delta: u64,
    /// Spread the hidden cases need to tell skill apart.
    gold_min_spread: u64,
    /// Distinct owners for full coverage; a count.
    min_owners: u64,
    /// Score of what nobody knows yet.
    prior: u64,
    /// Quality paid for a report that nobody else can confirm.
    q_solo: u64,
    /// Where what a controller did not earn goes.
    remainder: Remainder,
    /// Voting weight of a validator without skill.
    rho: u64,
    /// Skill that gives full weight and full pay.
    skill_full: u64,
    /// Of stake, for committing to nothing.
    slash_absent: u64,
    /// Of stake, for missing an audit by one whole.
    slash_audit: u64,
    /// Of stake, most per epoch.
    slash_cap: u64,
    /// Of stake, for a skill of minus one whole.
    slash_gold: u64,
    /// Negative skill that costs nothing yet.
    slash_gold_floor: u64,
    /// Of stake, for not opening a commitment.
    slash_noreveal: u64,
    /// Coverage below which a score is stale.
    stale_cov: u64,
    /// Weight a value needs behind it.
    support: u64,
    /// Distance from the consensus at which pay ends.
    tol: u64,
}
