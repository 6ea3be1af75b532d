use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use aigen_types::Digest;

use crate::{EngineError, TokenId, Tokenizer};

/// How closely a controller can steer an engine; ordered, the most control last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlLevel {
    /// Only the text of a whole answer.
    Text,
    /// A schema for a whole answer.
    Schema,
    /// Every token's logits.
    Token,
}

/// What an engine says about its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// BLAKE3 of the weights file.
    pub digest: Digest,
    /// The name in the model's own metadata.
    pub name: String,
    /// The architecture in the model's own metadata, such as `llama`.
    pub architecture: String,
    /// Parameters of the model; 0 where unknown.
    pub parameters: u64,
    /// Tokens in the vocabulary; the length of a row of logits.
    pub vocab_size: u32,
    /// Tokens one sequence can hold, prompt and completion together.
    pub context_tokens: u32,
    /// Sequences that can live at once; a branch of a fork takes one.
    pub sequences_max: u32,
    /// Sequences of earlier sessions that the scheduler keeps outside the engine, for prompts
    /// that begin alike. 0 for models whose state cannot be taken apart (recurrent and hybrid
    /// ones): their prompts are always computed.
    pub kept_sequences: u32,
    /// Tokens that all sequences together can hold, at least `context_tokens`. What a fork has
    /// in common with its parent counts once.
    pub cells: u32,
    /// Tokens one forward pass takes at most, over all its feeds.
    pub batch_tokens_max: u32,
    /// How closely the engine can be steered.
    pub control: ControlLevel,
    /// Whether tokens can be taken back ([`Engine::truncate`]).
    pub backtrack: bool,
    /// Whether generation can be ended after any token. Where it cannot, money is held for the
    /// longest answer there may be before the first token.
    pub stops_at_token: bool,
}

/// One of an engine's sequences, below [`ModelInfo::sequences_max`]. A sequence nobody fed
/// or freed is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u32);

/// Tokens to append to one sequence in a forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Feed<'a> {
    /// The sequence that grows.
    pub sequence: Sequence,
    /// What is appended; at least one token.
    pub tokens: &'a [TokenId],
    /// Whether the logits after the last of these tokens are wanted.
    pub logits: bool,
}

/// What a sequence held of some of its tokens, outside the engine: only the engine that made it
/// reads it. Clones share it.
#[derive(Clone)]
pub struct Saved(Arc<dyn Any + Send + Sync>);

impl Saved {
    /// For the engine's own form of it.
    pub fn new(state: impl Any + Send + Sync) -> Self {
        Self(Arc::new(state))
    }

    /// What [`Saved::new`] was given, if it was of this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }

    /// The same for clones, and different for all others that live.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }
}

/// Tokens in, logits out, for several sequences at once.
///
/// An engine keeps the length of every sequence itself. It is owned by one
/// thread and never called concurrently. Feeding, forking or truncating a
/// sequence outside the bounds of [`ModelInfo`] is an error, never undefined.
pub trait Engine: Send {
    /// The model and its bounds; never changes.
    fn info(&self) -> &ModelInfo;

    /// The model's tokenizer, to be shared with other threads.
    fn tokenizer(&self) -> Arc<dyn Tokenizer>;

    /// Appends every feed's tokens in one batch that may mix prefill and decode.
    /// A sequence may occur once per batch.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`], [`EngineError::CacheFull`],
    /// [`EngineError::TokenUnknown`] before anything was computed; [`EngineError::Forward`] when the pass failed, after
    /// which the fed sequences' contents are unspecified and must be freed.
    fn forward(&mut self, feeds: &[Feed<'_>]) -> Result<(), EngineError>;

    /// The logits after the last token of feed number `feed` of the last batch,
    /// [`ModelInfo::vocab_size`] of them. Every call gives the model's own
    /// numbers afresh, even if the row given before was written to.
    ///
    /// # Panics
    /// If that feed did not ask for logits.
    fn logits(&mut self, feed: usize) -> &mut [f32];

    /// Makes `to` (which must be empty) a copy of `from`. The shared tokens are
    /// neither computed nor stored twice.
    fn fork(&mut self, from: Sequence, to: Sequence);

    /// Keeps the first `tokens` tokens of the sequence. Its logits are gone: feed
    /// at least one token to have some.
    ///
    /// # Errors
    /// [`EngineError::BacktrackUnsupported`] where the model cannot; the sequence
    /// is then unchanged.
    fn truncate(&mut self, sequence: Sequence, tokens: u32) -> Result<(), EngineError>;

    /// Empties the sequence.
    fn free(&mut self, sequence: Sequence);

    /// Copies what the sequence holds of its tokens at these positions out of the engine;
    /// `None` where it cannot be taken apart, as [`ModelInfo::kept_sequences`] says.
    fn save(&mut self, sequence: Sequence, positions: Range<u32>) -> Option<Saved>;

    /// Appends what was saved, whose tokens need not be computed again. The sequence must end
    /// where it began, after the same tokens. `false`, and nothing changed, where there is no
    /// room for it.
    fn restore(&mut self, sequence: Sequence, saved: &Saved) -> bool;
}

/// Checks `feeds` against the bounds of `info`, given every sequence's present
/// length in tokens: the part of [`Engine::forward`] all engines share.
///
/// # Errors
/// [`EngineError::TokenUnknown`], [`EngineError::ContextFull`], and
/// [`EngineError::BatchInvalid`] for an empty feed, a sequence that is unknown or
/// named twice, or more tokens than a batch holds.
pub fn check_feeds(
    info: &ModelInfo,
    lengths: &[u32],
    feeds: &[Feed<'_>],
) -> Result<(), EngineError> {
    let mut seen = vec![false; lengths.len()];
    let mut batch_tokens = 0_usize;
    for feed in feeds {
        let index = feed.sequence.0 as usize;
        match seen.get_mut(index) {
            None => return Err(invalid("a sequence outside the engine")),
            Some(true) => return Err(invalid("a sequence twice in one batch")),
            Some(first) => *first = true,
        }
        check_tokens(info, feed.tokens)?;
        if feed.tokens.is_empty() {
            return Err(invalid("a feed without tokens"));
        }
        if lengths[index] as usize + feed.tokens.len() > info.context_tokens as usize {
            let context = info.context_tokens;
            return Err(EngineError::ContextFull { context });
        }
        batch_tokens += feed.tokens.len();
    }
    if batch_tokens > info.batch_tokens_max as usize {
        return Err(invalid("more tokens than a batch holds"));
    }
    Ok(())
}

/// Checks that every token is in the vocabulary.
///
/// # Errors
/// [`EngineError::TokenUnknown`] for the first that is not.
pub fn check_tokens(info: &ModelInfo, tokens: &[TokenId]) -> Result<(), EngineError> {
    let vocab_size = info.vocab_size;
    match tokens.iter().find(|&&token| token >= vocab_size) {
        Some(&token) => Err(EngineError::TokenUnknown { token, vocab_size }),
        None => Ok(()),
    }
}

fn invalid(what: &str) -> EngineError {
    EngineError::BatchInvalid {
        reason: what.to_owned(),
    }
}
