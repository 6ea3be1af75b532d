use aigen_engine::{EngineError, TokenId};

/// What ended a session that should have gone on. Charged as used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The constraint failed. Generation never goes on without it.
    #[error("the constraint failed: {reason}")]
    Constraint {
        /// What the grammar engine said.
        reason: String,
    },
    /// A grammar costs more than one may: to compile, or for one token.
    #[error("the grammar costs too much: {reason}")]
    GrammarTooCostly {
        /// Which bound it reached.
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
    /// A mask was made from too few or too many bits.
    #[error("a mask of {words} words of 32 bits, and the vocabulary takes {expected}")]
    MaskLength {
        /// Words given.
        words: usize,
        /// Words needed.
        expected: usize,
    },
    /// One decision asked for more than a decision may.
    #[error("one decision may have {max} {what} at most")]
    DecisionTooLarge {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
    },
    /// The controller asked for what cannot be done here.
    #[error("this cannot be done here: {what}")]
    Unsupported {
        /// What, and why not.
        what: &'static str,
    },
    /// A fork would have made more branches than one session may have.
    #[error("more branches than there may be: {asked} more, and {left} are left to this session")]
    BranchesTooMany {
        /// Branches asked for.
        asked: u32,
        /// Branches that could still be created.
        left: u32,
    },
    /// A fork into more branches than the rest of the money pays a token for.
    #[error("a fork into {asked} branches needs more tokens than are paid for")]
    ForkUnaffordable {
        /// Branches asked for.
        asked: u32,
    },
    /// Every branch waits for another.
    #[error("all branches wait for each other")]
    Deadlock,
    /// The controller was not ready in time, again and again.
    #[error("the controller was late {times} times")]
    Late {
        /// How often.
        times: u32,
    },
    /// The session's variables are too many or too large.
    #[error("the variables are too many or too large")]
    VariablesFull,
    /// The controller logged too much.
    #[error("the controller logged too much")]
    LogFull,
    /// A result, or the outcome, is no JSON or too large.
    #[error("a result of the controller is not valid: {reason}")]
    ResultInvalid {
        /// Why.
        reason: String,
    },
    /// The controller's own prompt is longer than what is paid for.
    #[error("the controller's prompt has {tokens} tokens, and {max} are paid for")]
    PromptTooLong {
        /// Tokens in the prompt.
        tokens: usize,
        /// Tokens it may have.
        max: usize,
    },
    /// The controller broke: a trap in its code.
    #[error("the controller trapped in {call}: {reason}")]
    Trap {
        /// In which call.
        call: &'static str,
        /// What the trap was.
        reason: String,
    },
    /// The controller computed for longer than one call, or one request, may.
    #[error("the controller used its fuel up, which is {max} for {what}")]
    FuelExhausted {
        /// Fuel it had.
        max: u64,
        /// What the fuel was for.
        what: &'static str,
    },
    /// One call to the controller took too long.
    #[error("the controller computed for more than {millis} ms in {call}")]
    TooSlow {
        /// Which call.
        call: &'static str,
        /// How long it may take, in milliseconds.
        millis: u64,
    },
    /// The controller wanted more memory than it may have.
    #[error("the controller wanted more than its {max} bytes of memory")]
    MemoryFull {
        /// Bytes it may have.
        max: usize,
    },
    /// The controller holds too many grammars, matchers and token sets.
    #[error("the controller holds more than {max} grammars, matchers and token sets")]
    HandlesTooMany {
        /// How many it may hold.
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
            Self::GrammarTooCostly { .. } => "grammar_too_costly",
            Self::MaskEmpty => "mask_empty",
            Self::TokenUnknown { .. } => "token_unknown",
            Self::BacktrackTooFar { .. } => "backtrack_too_far",
            Self::RewindRepeated { .. } => "rewind_repeated",
            Self::DiscardedTooMany { .. } => "discarded_too_many",
            Self::Stalled { .. } => "stalled",
            Self::EditTooLong { .. } => "edit_too_long",
            Self::MaskLength { .. } => "mask_length",
            Self::DecisionTooLarge { .. } => "decision_too_large",
            Self::Unsupported { .. } => "unsupported",
            Self::BranchesTooMany { .. } => "branches_too_many",
            Self::ForkUnaffordable { .. } => "fork_unaffordable",
            Self::Deadlock => "deadlock",
            Self::Late { .. } => "late",
            Self::VariablesFull => "variables_full",
            Self::LogFull => "log_full",
            Self::ResultInvalid { .. } => "result_invalid",
            Self::PromptTooLong { .. } => "prompt_too_long",
            Self::Trap { .. } => "trap",
            Self::FuelExhausted { .. } => "fuel_exhausted",
            Self::TooSlow { .. } => "too_slow",
            Self::MemoryFull { .. } => "memory_full",
            Self::HandlesTooMany { .. } => "handles_too_many",
            Self::Controller { .. } => "controller",
            Self::Engine(_) => "engine",
            Self::Crashed => "crashed",
        }
    }
}
