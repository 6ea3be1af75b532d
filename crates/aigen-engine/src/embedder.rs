use std::sync::Arc;

use aigen_types::Digest;

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
