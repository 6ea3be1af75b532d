//! Every bound of the scheduler, with its unit.

use std::time::Duration;

/// Bounds of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tokens in one forward pass at most. Decoding sessions come first; what is
    /// left is shared by those that are still reading their prompt. A smaller
    /// number makes neighbours smoother and long prompts slower. Bounded by
    /// [`crate::ModelInfo::batch_tokens_max`].
    pub batch_tokens: u32,
    /// The same while somebody decodes, who waits for the whole pass: readers then share what
    /// is left of this many tokens.
    pub batch_tokens_beside: u32,
    /// Sessions that may wait for a free sequence before new ones are refused as
    /// [`crate::EngineError::Busy`].
    pub waiting_max: u32,
    /// Processor time that a call of a driver may take on the scheduler's thread, and as much again for each
    /// 16,384 tokens of the vocabulary: choosing among so many takes 0.44 ms at worst, and the model takes
    /// longer too. After a call that took more, the next 128 of its tenant are made elsewhere. Processor time,
    /// so that a busy machine sends nobody away; where there is no such clock, nobody is sent away.
    pub call_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_tokens: 512,
            batch_tokens_beside: 128,
            waiting_max: 256,
            call_max: Duration::from_micros(500),
        }
    }
}

impl Limits {
    /// [`Limits::call_max`] with a vocabulary of so many tokens.
    pub(crate) fn call_max_of(&self, vocab_size: u32) -> Duration {
        self.call_max.saturating_mul(1 + vocab_size / 16_384)
    }
}

/// Tokens a prompt must have in common with what is in the cache before it is shared, and
/// a sequence before it is kept: below this, computing them again costs less than a place.
pub(crate) const KEPT_TOKENS_MIN: usize = 8;

/// Tokens of one block of a kept prefix: prefixes that begin alike have whole blocks in common. A block is
/// found and copied by looking at all cells a few times, some 150 µs of 16,000 cells.
pub(crate) const BLOCK_TOKENS: usize = 64;

/// Tokens that all kept prefixes have at most together, beside an engine of so many cells: half of
/// what it holds, and one prompt in any case.
#[must_use]
pub fn kept_tokens_max(cells: u32, context_tokens: u32) -> u32 {
    (cells / 2).max(context_tokens)
}

/// Tokens that a running branch must be about to compute for another to wait for them: with fewer, waiting gains
/// less than the pass that it takes.
pub(crate) const AWAITED_TOKENS_MIN: usize = 32;

/// Cells that stay free for each running branch when another one is let in, in tokens. Without
/// them the one let in last would soon have to give way, and its prompt be computed again.
pub(crate) const HEADROOM_TOKENS: usize = 32;

/// Calls of a tenant's drivers that are made beside the scheduler's thread after one that took long: one
/// of 2.5 ms costs everybody 20 µs a call then, a fifteenth of the bundled model's time for a token.
pub(crate) const ASIDE_CALLS: u32 = 128;

/// Tenants of whom it is known at once that their calls take long. With more, those of them nobody is asked
/// for at the moment are forgotten, and surprise once more.
pub(crate) const ASIDE_TENANTS_MAX: usize = 1024;

/// Threads on which such calls are made, so that one that takes long is not the only one.
pub(crate) const ASIDE_THREADS: usize = 2;

/// How much those threads give way to others, as `nice` counts it.
#[cfg(target_os = "linux")]
pub(crate) const ASIDE_NICENESS: i32 = 10;
