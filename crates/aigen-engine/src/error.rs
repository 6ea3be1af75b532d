use crate::TokenId;
use crate::text::TextFault;

/// Why an engine or its scheduler could not do what was asked.
///
/// Cheap to clone: one failed batch is told to every session that was in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The prompt alone does not fit into one sequence; both numbers in tokens.
    #[error("the prompt has {prompt} tokens and the context holds {context}")]
    ContextTooLong {
        /// Tokens in the prompt.
        prompt: u32,
        /// Tokens one sequence can hold.
        context: u32,
    },
    /// A running sequence has no room for the tokens it was to be fed.
    #[error("the sequence is full: the context holds {context} tokens")]
    ContextFull {
        /// Tokens one sequence can hold.
        context: u32,
    },
    /// All sequences together have no room for the tokens of this batch.
    #[error("the cache is full: it holds {cells} tokens")]
    CacheFull {
        /// Tokens all sequences together can hold.
        cells: u32,
    },
    /// A prompt must have at least one token: logits belong to a token.
    #[error("the prompt is empty")]
    PromptEmpty,
    /// The waiting line is full; a retry later may succeed.
    #[error("the engine is busy with {sessions} sessions")]
    Busy {
        /// Sessions that run or wait.
        sessions: u32,
    },
    /// More sequences than are free, or than the engine has at all.
    #[error("{wanted} sequences were wanted and {free} are free")]
    SequencesExhausted {
        /// Sequences needed.
        wanted: u32,
        /// Sequences to be had.
        free: u32,
    },
    /// More tokens were to be taken back than the sequence may lose: one token
    /// always stays, because logits belong to a token.
    #[error("{remove} tokens cannot be removed from a sequence of {length}")]
    BacktrackTooFar {
        /// Tokens to be removed.
        remove: u32,
        /// Tokens in the sequence.
        length: u32,
    },
    /// The model cannot take tokens back (recurrent and sliding-window models).
    #[error("this model cannot take tokens back")]
    BacktrackUnsupported,
    /// A token id at or above the vocabulary's size.
    #[error("token {token} is outside the vocabulary of {vocab_size}")]
    TokenUnknown {
        /// The offending id.
        token: TokenId,
        /// Tokens in the vocabulary.
        vocab_size: u32,
    },
    /// The model carries no chat template, or one that fails on these messages.
    #[error("the model's chat template failed: {reason}")]
    ChatTemplate {
        /// What the template engine said.
        reason: String,
    },
    /// The batch breaks the port's rules: a fault of the caller, nothing was done.
    #[error("the batch is invalid: {reason}")]
    BatchInvalid {
        /// Which rule.
        reason: String,
    },
    /// The forward pass itself failed; every session in the batch is told.
    #[error("the forward pass failed: {reason}")]
    Forward {
        /// What the engine said.
        reason: String,
    },
    /// The servers that answer for the model do not, or not so.
    #[error(transparent)]
    Upstream(#[from] TextFault),
    /// Another branch of the session panicked in its driver.
    #[error("the session's driver panicked")]
    DriverPanicked,
    /// The session was cancelled by its owner.
    #[error("the session was cancelled")]
    Cancelled,
    /// The engine has been shut down.
    #[error("the engine has stopped")]
    Stopped,
}
