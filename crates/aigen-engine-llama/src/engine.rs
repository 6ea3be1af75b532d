pub(crate) mod open;

use std::sync::Arc;

use aigen_engine::{Engine, EngineError, Feed, ModelInfo, Sequence, Tokenizer, check_feeds};
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use self_cell::self_cell;

use crate::tokenizer::LlamaTokenizer;

pub use open::{open, open_telling};

self_cell!(
    /// A context and the model it borrows from.
    pub(crate) struct Loaded {
        owner: Arc<LlamaModel>,
        #[not_covariant]
        dependent: LlamaContext,
    }
);

/// llama.cpp with one model and one context of several sequences.
pub struct LlamaEngine {
    info: ModelInfo,
    tokenizer: Arc<LlamaTokenizer>,
    loaded: Loaded,
    batch: LlamaBatch<'static>,
    /// Tokens in each sequence.
    lengths: Vec<u32>,
    /// For each feed of the last batch, the place in it that has its logits.
    rows: Vec<Option<i32>>,
    /// The row of logits lent out.
    lent: Vec<f32>,
}

impl Engine for LlamaEngine {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        Arc::clone(&self.tokenizer) as Arc<dyn Tokenizer>
    }

    fn forward(&mut self, feeds: &[Feed<'_>]) -> Result<(), EngineError> {
        check_feeds(&self.info, &self.lengths, feeds)?;
        self.batch.clear();
        self.rows.clear();
        for feed in feeds {
            self.add(feed)?;
        }
        let batch = &mut self.batch;
        let outcome = self
            .loaded
            .with_dependent_mut(|_, context| context.decode(batch));
        outcome.map_err(|error| match error {
            DecodeError::NoKvCacheSlot => EngineError::CacheFull {
                cells: self.info.cells,
            },
            error => failed(&error),
        })?;
        for feed in feeds {
            self.lengths[feed.sequence.0 as usize] += feed.tokens.len() as u32;
        }
        Ok(())
    }

    fn logits(&mut self, feed: usize) -> &mut [f32] {
        let row = self.rows[feed].expect("logits of a feed that asked for none");
        let lent = &mut self.lent;
        self.loaded.with_dependent(|_, context| {
            lent.clear();
            lent.extend_from_slice(context.get_logits_ith(row));
        });
        lent
    }

    fn fork(&mut self, from: Sequence, to: Sequence) {
        assert_eq!(
            self.lengths[to.0 as usize], 0,
            "fork onto a sequence in use"
        );
        self.loaded.with_dependent_mut(|_, context| {
            context
                .copy_kv_cache_seq(from.0 as i32, to.0 as i32, None, None)
                .expect("a whole sequence has no positions to convert");
        });
        self.lengths[to.0 as usize] = self.lengths[from.0 as usize];
    }

    fn truncate(&mut self, sequence: Sequence, tokens: u32) -> Result<(), EngineError> {
        let length = self.lengths[sequence.0 as usize];
        if tokens >= length {
            return Ok(());
        }
        if !self.info.backtrack || !self.remove(sequence, tokens) {
            return Err(EngineError::BacktrackUnsupported);
        }
        self.lengths[sequence.0 as usize] = tokens;
        Ok(())
    }

    fn free(&mut self, sequence: Sequence) {
        if self.lengths.get(sequence.0 as usize).is_some() {
            let removed = self.remove(sequence, 0);
            debug_assert!(removed, "a whole sequence can always be removed");
            self.lengths[sequence.0 as usize] = 0;
        }
    }
}

impl LlamaEngine {
    fn add(&mut self, feed: &Feed<'_>) -> Result<(), EngineError> {
        let sequence = feed.sequence.0 as i32;
        let start = self.lengths[feed.sequence.0 as usize];
        let last = feed.tokens.len() - 1;
        for (place, (&token, position)) in feed.tokens.iter().zip(start..).enumerate() {
            let logits = feed.logits && place == last;
            self.batch
                .add(
                    LlamaToken(token as i32),
                    position as i32,
                    &[sequence],
                    logits,
                )
                .map_err(|error| failed(&error))?;
        }
        self.rows
            .push(feed.logits.then_some(self.batch.n_tokens() - 1));
        Ok(())
    }

    /// Removes the sequence's tokens from position `from` on; `false` where the
    /// model's state cannot be taken apart.
    fn remove(&mut self, sequence: Sequence, from: u32) -> bool {
        self.loaded.with_dependent_mut(|_, context| {
            context
                .clear_kv_cache_seq(Some(sequence.0), Some(from), None)
                .unwrap_or(false)
        })
    }
}

fn failed(error: &impl std::fmt::Display) -> EngineError {
    EngineError::Forward {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
