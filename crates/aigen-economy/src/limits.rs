//! Every bound of this crate, with its unit and its reason.

use aigen_types::Amount;

/// Tokens that a price per token is quoted for.
pub const TOKENS_PER_PRICE: u128 = 1_000_000;

/// The largest escrow, budget, stake or spending of one party in a settlement: one ledger
/// transfer (`i64::MAX` nano-AIGEN, about 9.2 billion AIGEN).
pub const AMOUNT_MAX: Amount = Amount::from_nano((1 << 63) - 1);

/// Rows in one list of a settlement input. The widest intermediate is `PPM × weight` summed
/// over one cell, at most `2²⁴ × 2⁶³ × 10¹²`, just under `2¹²⁷`: it fits `i128`.
pub const ROWS_MAX: usize = 1 << 24;

/// Score parameters in one settlement: every controller has a state for each of them.
pub const PARAMETERS_MAX: usize = 64;
