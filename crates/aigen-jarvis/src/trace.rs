use aigen_engine::TokenId;

use crate::{BranchId, Level};

/// One thing that happened in a session, for a request that asked for a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceStep {
    /// On which branch.
    pub branch: BranchId,
    /// Output tokens in the branch before it.
    pub position: u32,
    /// What it was.
    pub what: Traced,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Traced {
    /// The controller was asked and decided.
    Decided {
        /// Why it was asked.
        why: &'static str,
        /// What it wants.
        decision: &'static str,
        /// Time since the decision before, on the controller's part, in microseconds.
        micros: u64,
        /// Fuel of the same; 0 of what is no guest.
        fuel: u64,
    },
    /// The controller wrote a line into its log, on its way to its next decision or its last word.
    Logged {
        /// How much it matters.
        level: Level,
        /// What it says; untrusted text.
        message: String,
    },
    /// The model chose a token; an end token too, which is in no branch.
    Sampled(Token),
    /// A token was put in.
    Forced(Token),
    /// So many of the newest tokens were taken back.
    Removed {
        /// How many.
        tokens: u32,
    },
    /// The branch forked into these, beside itself.
    Forked {
        /// The first new one's number.
        first: BranchId,
        /// How many they are.
        branches: u32,
    },
    /// The branch is over.
    Over {
        /// Whether it is the answer.
        kept: bool,
    },
    /// What came after this is not traced: there was too much of it.
    Cut,
}

/// A token as a trace shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its number.
    pub id: TokenId,
    /// Its bytes; none where the caller is not shown it.
    pub bytes: Vec<u8>,
    /// Whether it is kept from the caller.
    pub hidden: bool,
    /// Tokens of the vocabulary that could not have come instead.
    pub masked: u32,
}
