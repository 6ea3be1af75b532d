//! Continuous batching: many sessions over one engine, on one thread.
//!
//! Every live branch of a session holds one of the engine's sequences. Each
//! forward pass serves all branches that have tokens to compute: one token for
//! those that decode, a share of what is left of the batch for those that still
//! read. Sessions that find no free sequence wait in line, which is fair between
//! tenants.
//!
//! # The cache
//! What a session computed is kept after it, outside the engine and in blocks that those
//! which begin alike share, and given back to a prompt of the same tenant that begins so;
//! a running session's is shared in the engine. Those used longest ago are given up
//! first. The cache may be smaller than all sequences together: when it is full, the
//! branch that was let in last gives way. It keeps its tokens and its driver, notices nothing but the time,
//! and is computed again as soon as there is room.

mod aside;
mod branch;
mod handle;
mod helper;
mod line;
mod load;
mod memory;
mod plan;
mod run;
mod steps;

use crate::{EngineError, TokenId};

pub use handle::{EngineHandle, SessionControl, Terms, start};
pub use load::{Load, Spent};

/// What a session does with its logits: one per branch. Called on the
/// scheduler's thread, which serves everybody, so it should be quick; after a call that was not
/// ([`crate::Limits::call_max`]) the next ones of its tenant are made on another thread, one at a time for
/// each driver, and the branch is in no pass meanwhile.
///
/// A driver that panics is told nothing more; its session ends, and the
/// session's other branches fail with [`crate::EngineError::DriverPanicked`].
pub trait Driver: Send {
    /// The session left the waiting line. Called once, before any other call,
    /// and only for the driver that was submitted. `false` where it is over already: nothing is computed
    /// for it, and what was not read of its prompt it is told by [`Input::Failed`].
    fn started(&mut self, start: Start) -> bool {
        let _ = start;
        true
    }

    /// Called once for every forward pass whose logits this branch will get, as a
    /// rule on a helper thread *while* the pass runs: the place to compute the next
    /// mask.
    fn prepare(&mut self) {}

    /// What to do next.
    fn next(&mut self, input: Input<'_>) -> Step;
}

/// What a session is told when it leaves the waiting line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the prompt that need not be computed, because an earlier
    /// session of the tenant left them in the cache, or a running one has them there.
    /// Below `prompt_tokens`: the last is always computed.
    pub cached_prompt_tokens: u32,
}

/// How a branch ended that did not end itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub error: EngineError,
    /// Tokens of the prompt that were never there: neither computed, however often the branch had to give
    /// way since, nor found in the cache. 0 once the first logits came.
    pub unread: u32,
}

/// Why a driver is called.
#[derive(Debug)]
pub enum Input<'a> {
    /// The logits after the last token of the branch; the driver may write to
    /// them.
    Logits(&'a mut [f32]),
    /// Somebody called [`SessionControl::wake`] after [`Step::Wait`]. There are no
    /// logits; `Step::Feed(vec![])` asks for them.
    Resumed,
    /// The last [`Step::Fork`] was refused: only `free` sequences are left. The
    /// branch goes on as it was; `Step::Feed(vec![])` asks for its logits again.
    /// Answering with another fork fails the branch.
    ForkRefused {
        /// Sequences this session could have had.
        free: u32,
    },
    /// The branch is over. The last call; the answer is ignored.
    Failed(&'a Failure),
}

/// What a driver wants.
pub enum Step {
    /// Append these tokens, then call me with the logits. Empty: call me with the
    /// logits of the last token again, which costs one token's pass.
    Feed(Vec<TokenId>),
    /// Take `remove` tokens off the end (the prompt's too; one always stays),
    /// append `feed`, then call me with the logits.
    Backtrack {
        /// Tokens to take back.
        remove: u32,
        /// Tokens to append instead; may be empty.
        feed: Vec<TokenId>,
    },
    /// Copy this branch once for each of these drivers. All of them, this driver
    /// first, are called with the same logits before the next pass. Refused as a
    /// whole if there are too few sequences.
    Fork(Vec<Box<dyn Driver>>),
    /// Pause until [`SessionControl::wake`]; the sequence stays.
    Wait,
    /// The branch is over; its sequence is freed.
    Done,
}

#[cfg(test)]
mod tests;
