//! §2: what a settlement comes to.

use aigen_types::{Amount, Ppm};
use alloc::collections::BTreeMap;
use alloc::string::String;

/// An epoch's payouts, scores and skills.
///
/// `Σ escrow + Σ vbudget + Σ slash = Σ payout + Σ pay + Σ refund + treasury + burned`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// By controller id: every controller of the input.
    pub controllers: BTreeMap<String, ControllerResult>,
    /// By validator id: every validator of the input.
    pub validators: BTreeMap<String, ValidatorResult>,
    /// By account, with the refund policy: every consumer of a controller that anything was spent
    /// through, also where its refund is zero.
    pub refunds: BTreeMap<String, Amount>,
    /// To the treasury: remainders by policy, unpaid validator budgets, slashed stake and dust.
    pub treasury: Amount,
    /// Destroyed, with the burn policy.
    pub burned: Amount,
}

/// What one controller came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControllerResult {
    /// Its score.
    pub score: Ppm,
    /// Its score per parameter: every parameter of the input.
    pub state: BTreeMap<String, Ppm>,
    /// Epochs in which it was scored, this one included if it was.
    pub scored_epochs: u64,
    /// To its owner: `escrow × score // PPM`.
    pub payout: Amount,
    /// The rest of the escrow.
    pub remainder: Amount,
}

/// What one validator came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorResult {
    /// Its accuracy after this epoch, −1,000,000 to 1,000,000 ppm.
    pub skill: i64,
    /// To its owner, from the validator budgets of the controllers it scored.
    pub pay: Amount,
    /// From its stake to the treasury.
    pub slash: Amount,
}
