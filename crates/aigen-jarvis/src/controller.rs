use std::sync::Arc;

use aigen_engine::{TokenId, Tokenizer};

use crate::{Fault, Matcher};

/// A program that steers one session. It is asked for a decision at the start
/// and at the end of every segment, on the scheduler's thread: it must be quick.
pub trait Controller: Send {
    /// What next?
    ///
    /// # Errors
    /// A fault ends the session.
    fn step(&mut self, report: &Report<'_>) -> Result<Decision, Fault>;

    /// How many of the newest output tokens this controller may still take back.
    /// Text older than that is committed: it goes to the caller and stays. 0
    /// streams every token at once; `u32::MAX` holds all text until the end.
    fn reach(&self) -> u32 {
        0
    }
}

/// What a controller gets to know when its session opens.
#[derive(Clone)]
pub struct Opening<'a> {
    /// The prompt, after the chat template.
    pub prompt: &'a [TokenId],
    /// The model's tokenizer.
    pub tokenizer: Arc<dyn Tokenizer>,
}

/// What happened since the last decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// Output tokens in the branch now.
    pub position: u32,
    /// Tokens that were taken back.
    pub removed: u32,
    /// Tokens that were then appended, sampled and forced alike.
    pub appended: &'a [TokenId],
    /// Why the controller is asked.
    pub why: Wake,
}

/// Why a controller is asked for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The session begins.
    Started,
    /// The edit is done.
    Edited,
    /// The segment's constraint is satisfied and nothing may follow.
    MatcherFinished,
    /// One of the segment's stop strings appeared; its text is in the branch.
    StopMatched,
    /// One of the segment's trigger tokens was produced.
    Triggered,
    /// The model ended its turn. The end token is not in the branch.
    EndOfSequence,
    /// The segment's token limit is reached.
    TokenLimit,
}

/// What a controller wants.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Sample a segment.
    Generate(Generate),
    /// Take tokens back and splice tokens in, without sampling.
    Edit(Edit),
    /// The session is over.
    Stop,
}

/// A segment: the host samples alone until something in `until` happens.
#[derive(Clone, Debug, Default)]
pub struct Generate {
    /// Which tokens may come.
    pub allow: Allow,
    /// When to ask the controller again.
    pub until: Until,
}

/// Which tokens may come.
#[derive(Clone, Debug, Default)]
pub enum Allow {
    /// Every token.
    #[default]
    Any,
    /// What the matcher accepts. It is advanced by the host; a controller that
    /// takes tokens back rolls it back itself.
    Matcher(Matcher),
}

/// When a segment ends. It always ends where the model ends its turn, and where
/// the constraint allows nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Until {
    /// After this many tokens, sampled and forced alike; 0 is no limit.
    pub tokens: u32,
    /// After one of these byte strings; they may cross token boundaries.
    pub stops: Vec<Vec<u8>>,
    /// After one of these tokens.
    pub triggers: Vec<TokenId>,
}

/// Take tokens back, then splice tokens in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Tokens to take off the end; within the controller's reach.
    pub backtrack: u32,
    /// Tokens to append. An end token among them is only a token.
    pub tokens: Vec<TokenId>,
}
