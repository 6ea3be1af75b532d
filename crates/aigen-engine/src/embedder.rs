use std::pin::Pin;
use std::sync::Arc;

use aigen_types::Digest;

use crate::text::{Claimed, TextFault, TextInfo, TraceParent};
use crate::{EngineError, TokenId, Tokenizer};

/// A model that turns texts into vectors.
pub trait Embedder: Send + Sync {
    /// What it is; never changes.
    fn info(&self) -> &EmbedderInfo;

    /// Its tokenizer.
    fn tokenizer(&self) -> Arc<dyn Tokenizer>;

    /// A vector of [`EmbedderInfo::dimensions`] numbers and of length 1 for each text. Blocks, and
    /// computes one call after the other.
    ///
    /// # Errors
    /// [`EngineError::PromptEmpty`], [`EngineError::ContextTooLong`] and
    /// [`EngineError::TokenUnknown`] before anything is computed, [`EngineError::Forward`] later.
    fn embed(&self, texts: &[Vec<TokenId>]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// What becomes a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Embeddable {
    /// A text.
    Text(String),
    /// A text as tokens of the model's own, just as they are.
    Tokens(Vec<TokenId>),
}

impl Embeddable {
    /// Tokens that it cannot exceed in a byte-level vocabulary, with what a model puts around a text.
    #[must_use]
    pub fn tokens_max(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64 + 4,
            Self::Tokens(tokens) => tokens.len() as u64 + 4,
        }
    }

    /// Our own estimate of its tokens: 4 bytes each, as English text in vocabularies of 100,000.
    #[must_use]
    pub fn tokens_estimated(&self) -> u64 {
        match self {
            Self::Text(text) => text.len().div_ceil(4) as u64 + 1,
            Self::Tokens(tokens) => tokens.len() as u64,
        }
    }
}

/// An embedder that runs elsewhere: what it says of its own usage is a claim.
pub trait TextEmbedder: Send + Sync {
    /// What it is, as far as is known now.
    fn info(&self) -> TextInfo;

    /// Whether texts that nobody waits for any more are embedded all the same, and charged.
    fn drains(&self) -> bool;

    /// A vector for each text, in their order. Dropping it ends the request.
    ///
    /// # Errors
    /// Why there are none; no vector was given then.
    fn embed(&self, request: EmbedRequest) -> Embedding;
}

/// Vectors to come.
pub type Embedding = Pin<Box<dyn Future<Output = Result<Vectors, TextFault>> + Send>>;

/// What is to be embedded elsewhere.
#[derive(Clone, Debug)]
pub struct EmbedRequest {
    /// At least one, none empty, and all of one kind.
    pub texts: Vec<Embeddable>,
    /// Numbers in a vector, where the caller says how many.
    pub dimensions: Option<u32>,
    /// Where it belongs, as the upstream is told.
    pub traceparent: Option<TraceParent>,
}

/// What came of it: as many vectors as texts, all of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// In the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// The usage that the upstream claims.
    pub claimed: Option<Claimed>,
}

/// What an embedder says about its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedderInfo {
    /// BLAKE3 of the weights file.
    pub digest: Digest,
    /// The architecture in the model's own metadata.
    pub architecture: String,
    /// Numbers in a vector.
    pub dimensions: u32,
    /// Tokens that one text may have.
    pub context_tokens: u32,
    /// Tokens in the vocabulary.
    pub vocab_size: u32,
}

impl EmbedderInfo {
    /// Whether a text can be embedded.
    ///
    /// # Errors
    /// As [`Embedder::embed`] before anything is computed.
    pub fn check(&self, text: &[TokenId]) -> Result<(), EngineError> {
        let (vocab_size, context) = (self.vocab_size, self.context_tokens);
        let prompt = u32::try_from(text.len()).unwrap_or(u32::MAX);
        match text.iter().find(|token| **token >= vocab_size) {
            Some(&token) => Err(EngineError::TokenUnknown { token, vocab_size }),
            None if prompt == 0 => Err(EngineError::PromptEmpty),
            None if prompt > context => Err(EngineError::ContextTooLong { prompt, context }),
            None => Ok(()),
        }
    }
}
