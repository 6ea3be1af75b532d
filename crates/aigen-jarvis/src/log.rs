use aigen_engine::TokenId;
use aigen_engine::sampler::TokenLogprob;

use crate::{Asked, BranchId, Capabilities, Exchange, Finish, Guest};

/// What one session was given from outside: with the program and the vocabulary enough to run
/// it again without the model, to the same decisions. See [`crate::replay`].
///
/// No logits are in it: what the model chose is, and what controllers were told of how likely
/// that was.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The prompt of the request, before the controller's own.
    pub prompt: Vec<TokenId>,
    /// What the controller was given.
    pub argument: String,
    /// The conversation as JSON.
    pub messages: String,
    /// The model's name.
    pub model: String,
    /// Names the stream of chance.
    pub seed: u64,
    /// What the engine can do.
    pub can: Capabilities,
    /// Output tokens a branch may have.
    pub room: u32,
    /// Tokens that prompt and output may have together, the last one left out.
    pub context_tokens: u32,
    /// Tokens that the controller's own prompt may have.
    pub prompt_tokens_max: u32,
    /// The request's stop strings.
    pub stops: Vec<String>,
    /// Tokens of the prompt that were not computed again.
    pub cached_prompt_tokens: u32,
    /// Output tokens that were paid for in the end.
    pub covered: u64,
    /// What was left of them, in tokens, at every decision.
    pub left: Vec<u64>,
    /// Where suspended branches went on because their time had come: the round and the branch.
    pub alarms: Vec<(u64, BranchId)>,
    /// What the model chose, for every branch in the order of their numbers.
    pub branches: Vec<Vec<Choice>>,
    /// What the outside answered, in the order it was asked.
    pub exchanges: Vec<Exchange>,
    /// How the session ended.
    pub finish: Finish,
    /// The call to a controller that it was ended in, if it was.
    pub cut: Option<Cut>,
}

/// A call to a controller that nobody waited for any more. It decided nothing, so a replay does not make it; what
/// it used is known from here alone, since where it was ended is a matter of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// What it cost.
    pub guest: Guest,
    /// What it asked of the outside.
    pub asked: Asked,
    /// Whether it was asked for its last word, and not for a decision.
    pub last_word: bool,
}

/// What came of the model's logits once.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// A token was sampled.
    Sampled {
        /// The token.
        token: TokenId,
        /// Its log-probability, if the segment observed it.
        logprob: Option<f32>,
        /// The model's likeliest tokens, as many as the segment observed.
        top: Vec<TokenLogprob>,
    },
    /// The text was steered to its end instead, because so little room was left.
    Steered,
}
