use core::{fmt, iter::Sum, str::FromStr};

/// Nano-AIGEN in one AIGEN (asset scale 9).
pub const NANO_PER_AIGEN: u128 = 1_000_000_000;
const SCALE_DIGITS: usize = 9;

/// An amount of money in nano-AIGEN (10⁻⁹ AIGEN). Never negative, never a float.
///
/// `Display` prints AIGEN with at least two decimals and no trailing zeros
/// beyond them (`1.5` AIGEN prints as `1.50`); `FromStr` reads the same form.
/// Machine formats carry [`Amount::nano`] as a decimal string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

impl Amount {
    /// No money.
    pub const ZERO: Amount = Amount(0);

    /// An amount of `nano` nano-AIGEN.
    #[must_use]
    pub const fn from_nano(nano: u128) -> Self {
        Self(nano)
    }

    /// Whole AIGEN. `None` above `u128::MAX` nano-AIGEN.
    #[must_use]
    pub fn from_aigen(whole: u128) -> Option<Self> {
        whole.checked_mul(NANO_PER_AIGEN).map(Self)
    }

    /// The count of nano-AIGEN.
    #[must_use]
    pub const fn nano(self) -> u128 {
        self.0
    }

    /// Whether this is no money at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Sum, or `None` beyond `u128::MAX`.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference, or `None` if `other` is larger.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Difference, or zero if `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Sum, or `u128::MAX` nano-AIGEN: for totals that are only shown.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A total for display: stops at `u128::MAX` nano-AIGEN, which the ledger's own
/// transfer bound (`i64::MAX`) keeps 10¹⁹ transfers away.
impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.rem_euclid(NANO_PER_AIGEN);
        let mut digits = SCALE_DIGITS;
        while digits > 2 && rest.rem_euclid(10) == 0 {
            (rest, digits) = (rest.div_euclid(10), digits.saturating_sub(1));
        }
        let whole = self.0.div_euclid(NANO_PER_AIGEN);
        match f.width().or(f.precision()) {
            None => write!(f, "{whole}.{rest:0digits$}"),
            Some(_) => f.pad(&alloc::format!("{whole}.{rest:0digits$}")),
        }
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountParseError {
    /// Not digits with at most one decimal point.
    NotDecimal,
    /// More than nine digits after the point.
    TooPrecise,
    /// Above `u128::MAX` nano-AIGEN.
    TooLarge,
}

impl fmt::Display for AmountParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDecimal => "an amount is digits with at most one point, like 2 or 0.25",
            Self::TooPrecise => "an amount has at most nine digits after the point",
            Self::TooLarge => "the amount is too large",
        })
    }
}

impl core::error::Error for AmountParseError {}

impl FromStr for Amount {
    type Err = AmountParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(AmountParseError::NotDecimal);
        }
        if fraction.len() > SCALE_DIGITS {
            return Err(AmountParseError::TooPrecise);
        }
        let padded = alloc::format!("{fraction:0<SCALE_DIGITS$}");
        let nano: u128 = padded.parse().map_err(|_| AmountParseError::NotDecimal)?;
        let whole: u128 = whole.parse().map_err(|_| AmountParseError::TooLarge)?;
        Self::from_aigen(whole)
            .and_then(|amount| amount.checked_add(Self(nano)))
            .ok_or(AmountParseError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn prints_and_reads_back() {
        for (nano, text) in [
            (0, "0.00"),
            (1, "0.000000001"),
            (1_500_000_000, "1.50"),
            (12_345_678_901, "12.345678901"),
            (u128::from(u64::MAX), "18446744073.709551615"),
        ] {
            assert_eq!(Amount::from_nano(nano).to_string(), text);
            assert_eq!(text.parse(), Ok(Amount::from_nano(nano)));
        }
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        for (text, error) in [
            ("", AmountParseError::NotDecimal),
            ("-1", AmountParseError::NotDecimal),
            ("1.", AmountParseError::NotDecimal),
            ("1e9", AmountParseError::NotDecimal),
            ("0.0000000001", AmountParseError::TooPrecise),
            (
                "999999999999999999999999999999999999999",
                AmountParseError::TooLarge,
            ),
        ] {
            assert_eq!(text.parse::<Amount>(), Err(error), "{text}");
        }
    }
}
