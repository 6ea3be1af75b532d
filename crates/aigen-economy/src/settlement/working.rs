//! The working of a settlement: every number between the input and the output, so that a payout
//! can be printed as its formula.

use super::input::Parameter;
use super::params::Params;
use aigen_types::{Amount, Ppm};
use alloc::vec::Vec;

/// How a settlement came to its output. Borrows its ids from the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Working<'a> {
    /// One per controller, in the order of the input.
    pub controllers: Vec<ControllerWorking<'a>>,
    /// One per validator, in the order of the input.
    pub validators: Vec<ValidatorWorking<'a>>,
}

/// How a controller's payout came about (§5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerWorking<'a> {
    /// The controller's id.
    pub id: &'a str,
    /// The rules it was computed by.
    pub params: &'a Params,
    /// What its score is applied to.
    pub escrow: Amount,
    /// One per parameter, in the order of the input.
    pub parameters: Vec<ParameterWorking<'a>>,
    /// `Σ weight × state // PPM`, before the gates.
    pub weighted: Ppm,
    /// The gates it went through, in order.
    pub gates: Vec<GateWorking<'a>>,
    /// What is left of `weighted` after the gates.
    pub score: Ppm,
    /// `escrow × score // PPM`.
    pub payout: Amount,
    /// `escrow − payout`.
    pub remainder: Amount,
    /// Whether it counts as scored this epoch.
    pub scored: bool,
}

/// How one state of a controller moved (§4, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterWorking<'a> {
    /// The parameter's id.
    pub id: &'a str,
    /// Its weight in the score.
    pub weight: Ppm,
    /// The state below which it gates the score; zero: it does not.
    pub gate_full: Ppm,
    /// The state before this epoch, or the prior.
    pub old: Ppm,
    /// `m`: the measured, audited or supported value; none if there is none.
    pub value: Option<Ppm>,
    /// `cov`: how much of the panel stands behind it.
    pub coverage: Ppm,
    /// `a`: the speed of the step; zero without a value.
    pub alpha: Ppm,
    /// `|m − old| × a × cov // PPM²`, taken towards `m`.
    pub step: Ppm,
    /// The state after the step, before the leak.
    pub stepped: Ppm,
    /// `max(0, PPM − cov × PPM // stale_cov)`.
    pub leak: Ppm,
    /// What the leak took from a state above the prior.
    pub leaked: Ppm,
    /// The state after this epoch.
    pub new: Ppm,
}

/// How one gate changed a score (§5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateWorking<'a> {
    /// The parameter that gates.
    pub parameter: &'a str,
    /// `min(PPM, state × PPM // gate_full)`.
    pub open: Ppm,
    /// The score before it.
    pub before: Ppm,
    /// `before × open // PPM`.
    pub after: Ppm,
}

/// How a validator's skill, pay and slash came about (§6, §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorWorking<'a> {
    /// The validator's id.
    pub id: &'a str,
    /// The rules it was computed by.
    pub params: &'a Params,
    /// What it has locked.
    pub stake: Amount,
    /// Its skill before this epoch, in signed ppm.
    pub skill_before: i64,
    /// What it was judged by.
    pub gold: GoldWorking,
    /// Its skill after this epoch, in signed ppm.
    pub skill: i64,
    /// Its counted reports of voted cells, by controller and parameter.
    pub reports: Vec<ReportWorking<'a>>,
    /// The sum of their pay.
    pub pay: Amount,
    /// What each ground takes of its stake, before the cap.
    pub grounds: Vec<SlashWorking>,
    /// The most one epoch can slash: `stake × slash_cap // PPM`.
    pub cap: Amount,
    /// The sum of the grounds, at most the cap.
    pub slash: Amount,
}

/// How a validator did against known truths (§6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoldWorking {
    /// Gold items and audited cells it was assigned.
    pub pairs: usize,
    /// The median of their truths.
    pub median: Ppm,
    /// `ref`: the loss of always answering the median, in ppm summed over the pairs.
    pub reference: u64,
    /// Its own loss, in ppm summed over the pairs.
    pub loss: u64,
    /// `clamp((ref − loss) × PPM // ref, −PPM, PPM)`; none when the pairs cannot tell skill apart.
    pub x: Option<i64>,
}

/// What one counted report earned (§6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportWorking<'a> {
    /// The controller's id.
    pub controller: &'a str,
    /// The parameter's id.
    pub parameter: &'a str,
    /// `r`: the answer.
    pub value: Ppm,
    /// `M`: the part of the cell's budget that this validator's stake stands for.
    pub budget: Amount,
    /// `ref`: the audit's truth, or what the reports of other owners support; none if alone.
    pub reference: Option<Ppm>,
    /// `G` of the validator's new skill.
    pub g: Ppm,
    /// `f`: how good the report is.
    pub f: Ppm,
    /// `M × G × f // PPM²`.
    pub pay: Amount,
}

/// One ground for slashing, and what it takes before the cap (§7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashWorking {
    /// Why.
    pub reason: SlashReason,
    /// How much; never zero.
    pub amount: Amount,
}

/// Why stake is slashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlashReason {
    /// Assigned and not committed.
    Absent,
    /// Committed and not revealed.
    NoReveal,
    /// A skill below the floor: answers that are worse than none.
    Gold,
    /// An answer far from an audit's truth.
    Audit,
}

impl<'a> ParameterWorking<'a> {
    pub(super) fn unmoved(parameter: &'a Parameter, old: Ppm) -> Self {
        Self {
            id: &parameter.id,
            weight: parameter.weight,
            gate_full: parameter.gate_full,
            old,
            value: None,
            coverage: Ppm::ZERO,
            alpha: Ppm::ZERO,
            step: Ppm::ZERO,
            stepped: old,
            leak: Ppm::ZERO,
            leaked: Ppm::ZERO,
            new: old,
        }
    }
}
