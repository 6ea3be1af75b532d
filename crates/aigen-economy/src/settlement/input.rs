//! §2: what a settlement is computed from.

use super::Params;
use aigen_types::{Amount, Ppm};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Everything that an epoch's payouts depend on. [`Input::check`] says whether it is well formed.
///
/// The order of `parameters` is the order in which their gates apply; no other order matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The rules of the epoch.
    pub params: Params,
    /// What controllers are scored in.
    pub parameters: Vec<Parameter>,
    /// What is scored.
    pub controllers: Vec<Controller>,
    /// Who scores.
    pub validators: Vec<Validator>,
    /// Who was asked for which cell.
    pub assigned: Vec<Assignment>,
    /// What they revealed.
    pub reports: Vec<Report>,
    /// Hidden cases of known truth.
    pub gold: Vec<Gold>,
    /// Who was asked for which hidden case.
    pub gold_assigned: Vec<GoldAssignment>,
    /// What they revealed.
    pub gold_reports: Vec<GoldReport>,
    /// Real cells that were evaluated again.
    pub audits: Vec<Audit>,
}

/// One parameter that controllers are scored in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, unique in the input.
    pub id: String,
    /// Its weight in the score; all weights sum to one whole.
    pub weight: Ppm,
    /// Where its values come from.
    pub kind: ParameterKind,
    /// A state below this lowers the whole score in proportion; zero: no gate.
    pub gate_full: Ppm,
}

/// Where a parameter's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// The consensus of validators' reports.
    Voted,
    /// The node's own telemetry, never the payee.
    Measured,
}

/// One controller version and its epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// The digest of the version, unique in the input.
    pub id: String,
    /// Who is paid for it.
    pub owner: String,
    /// The controller shares of its captured calls, below 2⁶³.
    pub escrow: Amount,
    /// The validator shares of its captured calls, below 2⁶³.
    pub vbudget: Amount,
    /// Epochs in which it was scored before this one.
    pub scored_epochs: u64,
    /// Its score per parameter before this epoch; what is absent is at the prior. Entries for
    /// parameters that are no longer scored are ignored.
    pub state: BTreeMap<String, Ppm>,
    /// This epoch's value per measured parameter; entries for other parameters are ignored.
    pub measured: BTreeMap<String, Ppm>,
    /// What each account spent through it, each below 2⁶³.
    pub consumers: BTreeMap<String, Amount>,
}

/// One validator and its epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validator {
    /// Its id, unique in the input.
    pub id: String,
    /// Who stands behind it; recused from the controllers of the same owner.
    pub owner: String,
    /// What it has locked, below 2⁶³.
    pub stake: Amount,
    /// Its accuracy before this epoch: −1,000,000 to 1,000,000 ppm.
    pub skill: i64,
    /// Whether it committed in time.
    pub committed: bool,
    /// Whether it revealed what it had committed to; nothing without a commitment.
    pub revealed: bool,
}

/// A validator was asked about a controller in a parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    /// The validator.
    pub validator: String,
    /// The controller.
    pub controller: String,
    /// The parameter.
    pub parameter: String,
}

/// A validator's answer for a controller in a parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    /// The validator.
    pub validator: String,
    /// The controller.
    pub controller: String,
    /// The parameter.
    pub parameter: String,
    /// The answer in ppm. One outside 0 to 1,000,000 does not count.
    pub value: i64,
}

/// A hidden case of known truth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gold {
    /// Its id, unique in the input.
    pub id: String,
    /// The right answer.
    pub truth: Ppm,
}

/// A validator was asked about a hidden case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoldAssignment {
    /// The validator.
    pub validator: String,
    /// The hidden case.
    pub gold: String,
}

/// A validator's answer for a hidden case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoldReport {
    /// The validator.
    pub validator: String,
    /// The hidden case.
    pub gold: String,
    /// The answer in ppm. One outside 0 to 1,000,000 is as good as none.
    pub value: i64,
}

/// A real cell that was evaluated again, and what came out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audit {
    /// The controller.
    pub controller: String,
    /// The parameter.
    pub parameter: String,
    /// The right answer.
    pub truth: Ppm,
}
