//! The hash-chained journal: port, group commit, back ends, verification.
