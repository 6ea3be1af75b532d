//! What reading a dataset costs, and who gets it.

use crate::price::{Charge, ChargeLine, LineKind, RatingError};
use crate::shares::{Shares, Split, of_floor, split_charge};
use aigen_types::{Amount, Ppm};
use alloc::vec::Vec;

/// What a dataset asks, in nano-AIGEN. Prices are whole per unit, so that nothing is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DatasetPrice {
    /// Per row that is read.
    pub row: Amount,
    /// Per row that a search found, beside what it costs as a row.
    pub hit: Amount,
    /// For all rows at once, which cost nothing else then.
    pub download: Amount,
}

/// What one read took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadUsage {
    /// Rows, whether by number or found; none of a download.
    pub rows: u64,
    /// Of these, what a search found.
    pub hits: u64,
    /// 1 for a download.
    pub downloads: u64,
}

/// Prices a read. Nothing is rounded; what is not used or costs nothing has no line.
///
/// # Errors
/// [`RatingError::Overflow`] when the fee leaves `u128` nano-AIGEN.
pub fn rate_read(price: &DatasetPrice, usage: &ReadUsage) -> Result<Charge, RatingError> {
    let mut charge = Charge::default();
    for (kind, quantity, unit_price) in [
        (LineKind::DatasetRows, usage.rows, price.row),
        (LineKind::DatasetHits, usage.hits, price.hit),
        (LineKind::DatasetDownload, usage.downloads, price.download),
    ] {
        let amount = u128::from(quantity).checked_mul(unit_price.nano());
        let amount = amount.map(Amount::from_nano).ok_or(RatingError::Overflow)?;
        if amount.is_zero() {
            continue;
        }
        let total = charge.total.checked_add(amount);
        charge.total = total.ok_or(RatingError::Overflow)?;
        charge.lines.push(ChargeLine {
            kind,
            quantity,
            unit_price,
            amount,
        });
    }
    Ok(charge)
}

/// Shares out what a call cost: what its model charged, and the fees of the datasets that it read,
/// one by one. Also says what the provider of each read is paid; these sum to [`Split::data`], and
/// all five parts of the split to the charge and the fees.
///
/// - Of every fee the protocol keeps the share that it has of every charge, and the dust:
///   `provider = fee × (1 − protocol share)`, rounded down. Model, controller and validators have
///   no part in it: their work is not what a row costs.
/// - The `data` share of the model's charge goes to the same providers in proportion to the fees,
///   and by the largest remainder; equally where no fee was asked. Without a read it is the model
///   provider's.
#[must_use]
pub fn split_with_reads(
    charge: &Charge,
    fees: &[Amount],
    shares: &Shares,
    with_controller: bool,
) -> (Split, Vec<Amount>) {
    let mut split = split_charge(charge, shares, with_controller, !fees.is_empty());
    let paid = Ppm::ONE.parts().saturating_sub(shares.protocol().parts());
    let paid = Ppm::new(paid).unwrap_or(Ppm::ZERO);
    let mut earned = apportion(split.data, fees);
    for (earned, fee) in earned.iter_mut().zip(fees) {
        let provider = Amount::from_nano(of_floor(*fee, paid));
        *earned = earned.saturating_add(provider);
        split.data = split.data.saturating_add(provider);
        let rest = fee.saturating_sub(provider);
        split.protocol = split.protocol.saturating_add(rest);
    }
    (split, earned)
}

/// Cuts an amount in proportion to weights: each gets its part rounded down, and what that leaves
/// goes by one nano-AIGEN each to the largest remainders, the first of equal ones first. Equally
/// where nothing weighs anything. Exact for amounts and sums of weights below 2⁶⁴, which every
/// charge is; above, what is not dealt with goes to the first.
fn apportion(amount: Amount, weights: &[Amount]) -> Vec<Amount> {
    let mut weights: Vec<u128> = weights.iter().map(|weight| weight.nano()).collect();
    if weights.iter().all(|weight| *weight == 0) {
        weights.fill(1);
    }
    let sum = weights
        .iter()
        .fold(0_u128, |sum, one| sum.saturating_add(*one));
    let sum = sum.max(1);
    let cut = |weight: &u128| {
        let product = amount.nano().saturating_mul(*weight);
        (product.div_euclid(sum), product.rem_euclid(sum))
    };
    let cuts: Vec<(u128, u128)> = weights.iter().map(cut).collect();
    let mut parts: Vec<u128> = cuts.iter().map(|(part, _)| *part).collect();
    let dealt = parts
        .iter()
        .fold(0_u128, |sum, part| sum.saturating_add(*part));
    let mut left = amount.nano().saturating_sub(dealt);
    let mut order: Vec<usize> = (0..cuts.len()).collect();
    order.sort_by_key(|place| core::cmp::Reverse(cuts[*place].1));
    for place in order {
        let one = left.min(1);
        parts[place] = parts[place].saturating_add(one);
        left = left.saturating_sub(one);
    }
    if let Some(first) = parts.first_mut() {
        *first = first.saturating_add(left);
    }
    parts.into_iter().map(Amount::from_nano).collect()
}

#[cfg(test)]
mod tests;
