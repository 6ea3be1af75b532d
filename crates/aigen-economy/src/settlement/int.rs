//! The integers of the formulas.

use aigen_types::{Amount, Ppm};
use core::fmt;
use core::iter::Sum;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// One whole, in ppm.
pub(super) const PPM: Int = Int(1_000_000);
/// `PPM²`: what a product of two shares is divided by.
pub(super) const PPM_SQUARED: Int = Int(1_000_000_000_000);

/// A signed integer whose operators read as in the specification: `/` is its `//`, rounded down
/// also for negative numbers.
///
/// `+ - ×` stop at the ends of `i128` and division by zero gives zero, so no input can make a
/// settlement panic. Inputs that pass `Input::check` never get there: see `limits.rs` for why the
/// widest intermediate stays below `2¹²⁷`, and `Params::check` for the divisors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Int(i128);

impl Int {
    pub const ZERO: Int = Int(0);

    pub const fn new(value: i128) -> Self {
        Self(value)
    }

    pub fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// As money; nothing below zero.
    pub fn amount(self) -> Amount {
        Amount::from_nano(u128::try_from(self.0).unwrap_or(0))
    }

    /// As a share or score, held within nothing and one whole.
    pub fn ppm(self) -> Ppm {
        let parts = u32::try_from(self.0.clamp(0, PPM.0)).unwrap_or(0);
        Ppm::new(parts).unwrap_or(Ppm::ONE)
    }

    /// As a count or sum; nothing below zero.
    pub fn count(self) -> u64 {
        u64::try_from(self.0.max(0)).unwrap_or(u64::MAX)
    }

    /// As a signed ratio in ppm.
    pub fn signed(self) -> i64 {
        i64::try_from(self.0).unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX })
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Add for Int {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Int {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul for Int {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0.saturating_mul(other.0))
    }
}

/// Floor division: every divisor of the formulas is positive.
impl Div for Int {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        Self(self.0.checked_div_euclid(other.0).unwrap_or(0))
    }
}

impl Neg for Int {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Int {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, Self::add)
    }
}

impl From<Ppm> for Int {
    fn from(share: Ppm) -> Self {
        Self(i128::from(share.parts()))
    }
}

impl From<Amount> for Int {
    fn from(amount: Amount) -> Self {
        Self(i128::try_from(amount.nano()).unwrap_or(i128::MAX))
    }
}

impl From<i64> for Int {
    fn from(number: i64) -> Self {
        Self(i128::from(number))
    }
}

impl From<u64> for Int {
    fn from(number: u64) -> Self {
        Self(i128::from(number))
    }
}

impl From<u32> for Int {
    fn from(number: u32) -> Self {
        Self(i128::from(number))
    }
}

impl From<usize> for Int {
    fn from(count: usize) -> Self {
        Self(i128::try_from(count).unwrap_or(i128::MAX))
    }
}

#[cfg(test)]
mod tests;
