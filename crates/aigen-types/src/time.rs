use core::fmt;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Ledger time: nanoseconds since the Unix epoch, given from outside. The range ends in the year 2554.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This many seconds later, or `None` beyond the range.
    #[must_use]
    pub fn plus_seconds(self, seconds: u32) -> Option<Self> {
        u64::from(seconds)
            .checked_mul(NANOS_PER_SECOND)
            .and_then(|nanos| self.0.checked_add(nanos))
            .map(Self)
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }
}

/// A numbered settlement period. (Wasmtime's epoch is called a tick here.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one; the last one stays where it is.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
