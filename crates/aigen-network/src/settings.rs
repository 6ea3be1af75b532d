use aigen_economy::{Shares, settlement};
use alloc::vec::Vec;

/// What a network is founded with: how a charge is shared and how scores become money.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How a captured amount is split.
    pub shares: Shares,
    /// The scored parameters and their weights.
    pub parameters: Vec<settlement::Parameter>,
    /// The constants of scoring and settlement.
    pub params: settlement::Params,
    /// Mean controller time per computed token, in microseconds, at which the
    /// measured latency score reaches zero.
    pub latency_budget_micros: u64,
}
