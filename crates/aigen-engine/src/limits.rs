//! Every bound of the scheduler, with its unit.

/// Bounds of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tokens in one forward pass at most. Decoding sessions come first; what is
    /// left is shared by those that are still reading their prompt. A smaller
    /// number makes neighbours smoother and long prompts slower. Bounded by
    /// [`crate::ModelInfo::batch_tokens_max`].
    pub batch_tokens: u32,
    /// Sessions that may wait for a free sequence before new ones are refused as
    /// [`crate::EngineError::Busy`].
    pub waiting_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_tokens: 512,
            waiting_max: 256,
        }
    }
}
