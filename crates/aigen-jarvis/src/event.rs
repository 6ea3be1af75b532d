use std::collections::BTreeMap;

use aigen_engine::TokenId;
use aigen_engine::sampler::TokenLogprob;
use aigen_engine::text::TextParts;
use aigen_types::Digest;

use crate::{Asked, BranchId, Context, Fault, Guest, Log, LogEntry, Reason, TraceStep};

/// What a session tells its owner, in this order: `Started`, any number of
/// `Output`s, `Finished`. A session that never left the waiting line tells
/// only `Finished`.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The session left the waiting line; its prompt is being read.
    Started {
        /// Tokens of the prompt that the model reads, which may be the controller's own.
        prompt_tokens: u32,
        /// Tokens of it that need not be computed again.
        cached_prompt_tokens: u32,
    },
    /// Tokens were computed. Sent at least once per forward pass, with empty
    /// text where nothing may be shown yet.
    Output(Piece),
    /// The session is over. The last event.
    Finished(Ending),
}

/// What became known at one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Text that is now final: complete characters, never taken back, never part
    /// of a stop string. May be empty.
    pub text: TextParts,
    /// Bytes to take off the end of the text sent so far before `text` is appended;
    /// 0 unless the request takes such text.
    pub retracted_bytes: u64,
    /// Totals so far, not differences.
    pub usage: Usage,
    /// The sampled tokens of this step, if the request asked for them. Forced
    /// tokens have none: the model did not choose them.
    pub logprobs: Vec<TokenLogprobs>,
    /// What a model that reasons first says before its answer begins; never taken back.
    pub reasoning: String,
    /// What happened since the last piece, if the request asked for a trace.
    pub trace: Vec<TraceStep>,
}

/// A sampled token's probability under the model itself, before constraint,
/// bias and penalties.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprobs {
    /// The token.
    pub token: TokenId,
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// The model's likeliest tokens here, the likeliest first.
    pub top: Vec<TokenLogprob>,
}

/// Output tokens by kind; every computed token is counted exactly once as sampled,
/// forced or discarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens the model chose and the branch kept, an end token included.
    pub sampled_tokens: u64,
    /// Tokens the grammar or the controller put in, and the branch kept.
    pub forced_tokens: u64,
    /// Tokens that were taken back, or are in branches that were not kept.
    pub discarded_tokens: u64,
    /// Of those discarded, the ones in branches that were not kept; known at the end.
    pub unkept_tokens: u64,
    /// Of those sampled and forced, the ones the caller is not shown.
    pub hidden_tokens: u64,
    /// Of those sampled, the ones that a model which reasons first said before its answer.
    pub reasoning_tokens: u64,
    /// Branches created beside the first. Tokens before a fork are counted once.
    pub branches: u32,
}

impl Usage {
    /// All output tokens: what a [`crate::Cover`] counts.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.sampled_tokens + self.forced_tokens + self.discarded_tokens
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Why.
    pub finish: Finish,
    /// The final totals.
    pub usage: Usage,
    /// Tokens of the prompt that the model had not read by then, nor found in the cache: 0 unless the session
    /// was ended while its prompt was read, or before.
    pub unread_prompt_tokens: u32,
    /// Whether the output is complete under its grammar; `None` without one.
    pub grammar_complete: Option<bool>,
    /// Whether the grammar was completed because tokens or money were about to end: the output is
    /// whole, and would have gone on.
    pub closed_early: bool,
    /// Hash of every decision and token of the session, in order: the same
    /// program, model, prompt and seed give the same hash.
    pub decisions: Digest,
    /// Time the controller and its constraints took while no forward pass ran, in
    /// microseconds. Measured, so no two runs agree on it; nothing is decided by it.
    pub controller_micros: u64,
    /// What running the controller cost; its fuel is the same in every run.
    pub guest: Guest,
    /// What it asked of the outside.
    pub asked: Asked,
    /// Steps at which the controller was late.
    pub late_steps: u32,
    /// What the controller that ended it gave as its reason.
    pub reason: Reason,
    /// The branch that is the answer, if any is.
    pub branch: Option<BranchId>,
    /// What the controller said in the end, as JSON.
    pub outcome: Option<String>,
    /// Results beside the text: names and JSON.
    pub results: BTreeMap<String, String>,
    /// What the controller logged.
    pub log: Vec<LogEntry>,
    /// What it takes to run the session again without the model, if the request asked for it.
    pub replay: Option<Box<Log>>,
}

impl Ending {
    /// The ending of a session that is gone without a last word.
    #[must_use]
    pub fn crashed() -> Self {
        Self::of(Fault::Crashed)
    }

    /// The ending of a session that failed before it began.
    #[must_use]
    pub fn of(fault: Fault) -> Self {
        Self {
            finish: Finish::Fault(fault),
            usage: Usage::default(),
            unread_prompt_tokens: 0,
            grammar_complete: None,
            closed_early: false,
            decisions: Digest::ZERO,
            controller_micros: 0,
            guest: Guest::default(),
            asked: Asked::default(),
            late_steps: 0,
            reason: Reason::Done,
            branch: None,
            outcome: None,
            results: BTreeMap::new(),
            log: Vec::new(),
            replay: None,
        }
    }

    /// The same, with what its controllers used, asked and logged while they opened.
    pub(crate) fn unopened(fault: Fault, contexts: &[Context]) -> Self {
        let mut ending = Self::of(fault);
        for context in contexts {
            ending.guest.add(context.used().guest);
            ending.asked.add(context.take_exchanges().1);
            ending.log.append(&mut context.take_notes().0);
        }
        ending
    }
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model ended its turn, the grammar was complete, or the controller
    /// said so.
    Stop,
    /// A stop string appeared; it is not part of the text.
    StopString,
    /// The token limit or the model's context is exhausted.
    Length,
    /// The cover was closed, and every covered token is used.
    Budget,
    /// A filter of the server that computes the model held the rest back.
    Filtered,
    /// The owner cancelled.
    Cancelled,
    /// Something failed.
    Fault(Fault),
}
