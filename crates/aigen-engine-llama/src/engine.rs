pub(crate) mod open;

use std::ops::Range;
use std::sync::Arc;

use aigen_engine::{Engine, EngineError, Feed, ModelInfo, Saved, Sequence, Tokenizer, check_feeds};
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::session::{LlamaStateSeqFlags, SeqState};
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

/// What a sequence held of some tokens.
struct Part {
    state: SeqState,
    tokens: u32,
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

    fn save(&mut self, sequence: Sequence, positions: Range<u32>) -> Option<Saved> {
        let between = self.between()?;
        let tokens = positions.len() as u32;
        let state = self.loaded.with_dependent_mut(|_, context| {
            copy(context, sequence, between, positions)?;
            let state = context.state_seq_get(between.0 as i32, LlamaStateSeqFlags::empty());
            clear(context, between);
            state.ok()
        })?;
        Some(Saved::new(Part { state, tokens }))
    }

    fn restore(&mut self, sequence: Sequence, saved: &Saved) -> bool {
        let (Some(between), Some(part)) = (self.between(), saved.get::<Part>()) else {
            return false;
        };
        let start = self.lengths[sequence.0 as usize];
        let end = start + part.tokens;
        let restored = self.loaded.with_dependent_mut(|_, context| {
            let read = context.state_seq_set(&part.state, between.0 as i32).ok();
            let copied = read.and_then(|()| copy(context, between, sequence, start..end));
            clear(context, between);
            copied.is_some()
        });
        if restored {
            self.lengths[sequence.0 as usize] = end;
        }
        restored
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

    /// The sequence after all others, by which parts of them leave and come back: llama.cpp writes and reads
    /// whole sequences only. There is none where nothing is kept.
    fn between(&self) -> Option<Sequence> {
        let all = self.info.sequences_max;
        (self.info.kept_sequences > 0).then_some(Sequence(all))
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

/// Lets `to` share these cells of `from`.
fn copy(
    context: &mut LlamaContext<'_>,
    from: Sequence,
    to: Sequence,
    positions: Range<u32>,
) -> Option<()> {
    let (start, end) = (Some(positions.start), Some(positions.end));
    context
        .copy_kv_cache_seq(from.0 as i32, to.0 as i32, start, end)
        .ok()
}

fn clear(context: &mut LlamaContext<'_>, sequence: Sequence) {
    let cleared = context.clear_kv_cache_seq(Some(sequence.0), None, None);
    debug_assert_eq!(cleared, Ok(true), "a whole sequence can always be removed");
}

fn failed(error: &impl std::fmt::Display) -> EngineError {
    EngineError::Forward {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
