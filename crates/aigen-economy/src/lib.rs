//! The Economic Framework, pure: prices, rating, charge split, scoring and settlement.
