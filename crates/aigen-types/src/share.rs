use core::fmt;

/// One whole, in parts per million.
pub const PPM: u64 = 1_000_000;

/// A share or a score in parts per million, at most one whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppm(u32);

impl Ppm {
    /// Nothing.
    pub const ZERO: Ppm = Ppm(0);
    /// The whole.
    pub const ONE: Ppm = Ppm(1_000_000);

    /// `None` above one whole.
    #[must_use]
    pub const fn new(parts: u32) -> Option<Self> {
        if parts <= 1_000_000 {
            Some(Self(parts))
        } else {
            None
        }
    }

    /// The parts, 0 to 1,000,000.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Ppm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0.div_euclid(10_000);
        f.pad(&alloc::format!(
            "{percent}.{:04} %",
            self.0.rem_euclid(10_000)
        ))
    }
}

/// `a * b // c`, rounded down. `None` if `c` is zero or the product leaves `u128`.
#[must_use]
pub fn mul_div_floor(a: u128, b: u128, c: u128) -> Option<u128> {
    a.checked_mul(b)?.checked_div(c)
}

/// `a * b / c`, rounded up. `None` if `c` is zero or the product leaves `u128`.
#[must_use]
pub fn mul_div_ceil(a: u128, b: u128, c: u128) -> Option<u128> {
    let product = a.checked_mul(b)?;
    if c == 0 {
        None
    } else {
        Some(product.div_ceil(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_roundings_say_which_way_they_go() {
        for (a, b, c, floor, ceil) in [
            (10, 1, 3, Some(3), Some(4)),
            (9, 1, 3, Some(3), Some(3)),
            (0, 7, 3, Some(0), Some(0)),
            (1, 1, 0, None, None),
            (u128::MAX, 2, 2, None, None),
        ] {
            assert_eq!(mul_div_floor(a, b, c), floor);
            assert_eq!(mul_div_ceil(a, b, c), ceil);
        }
    }

    #[test]
    fn a_share_is_at_most_one_whole() {
        assert_eq!(Ppm::new(1_000_000), Some(Ppm::ONE));
        assert_eq!(Ppm::new(1_000_001), None);
        assert_eq!(
            alloc::format!("{}", Ppm::new(123_456).unwrap()),
            "12.3456 %"
        );
    }
}
