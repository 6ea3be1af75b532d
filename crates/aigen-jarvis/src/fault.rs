use aigen_engine::{EngineError, TokenId};

/// What ended a session that should have gone on. Charged as used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The constraint failed or became too expensive. Generation never goes on
    /// without it.
    #[error("the constraint failed: {reason}")]
    Constraint {
        /// What the grammar engine said.
        reason: String,
    },
    /// Nothing may follow, and nothing may end here either.
    #[error("no token is allowed here")]
    MaskEmpty,
    /// A token id at or above the vocabulary's size.
    #[error("token {token} is outside the vocabulary of {vocab_size}")]
    TokenUnknown {
        /// The offending id.
        token: TokenId,
        /// Tokens in the vocabulary.
        vocab_size: u32,
    },
    /// More tokens were to be taken back than are still the controller's: the
    /// others were sent to the caller, or are the prompt's.
    #[error("{asked} tokens cannot be taken back: only the last {revocable} are not yet committed")]
    BacktrackTooFar {
        /// Tokens to be taken back.
        asked: u32,
        /// Tokens that could be.
        revocable: u32,
    },
    /// The controller took back the same tokens at the same place again and again.
    #[error("the controller took back the same tokens {times} times")]
    RewindRepeated {
        /// How often.
        times: u32,
    },
    /// The controller took back more tokens than it may.
    #[error("the controller took back more than {max} tokens")]
    DiscardedTooMany {
        /// The bound, in tokens.
        max: u64,
    },
    /// The controller decided again and again without letting a token be computed.
    #[error("the controller took {decisions} decisions without generating")]
    Stalled {
        /// The bound, in decisions between two forward passes.
        decisions: u32,
    },
    /// One edit appended too much.
    #[error("an edit may append {max} tokens at most")]
    EditTooLong {
        /// The bound, in tokens.
        max: usize,
    },
    /// The controller itself gave up.
    #[error("the controller failed: {reason}")]
    Controller {
        /// What it said.
        reason: String,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The session's own code panicked. Always a defect of the host.
    #[error("the session crashed")]
    Crashed,
}

impl Fault {
    /// The fault's name: stable, in snake case, for receipts and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constraint { .. } => "constraint",
            Self::MaskEmpty => "mask_empty",
            Self::TokenUnknown { .. } => "token_unknown",
            Self::BacktrackTooFar { .. } => "backtrack_too_far",
            Self::RewindRepeated { .. } => "rewind_repeated",
            Self::DiscardedTooMany { .. } => "discarded_too_many",
            Self::Stalled { .. } => "stalled",
            Self::EditTooLong { .. } => "edit_too_long",
            Self::Controller { .. } => "controller",
            Self::Engine(_) => "engine",
            Self::Crashed => "crashed",
        }
    }
}
