//! An engine that counts what it computes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aigen_engine::{Engine, EngineError, Feed, ModelInfo, Saved, Sequence, Tokenizer};

/// The engine within, and a count of the tokens that were fed to it.
pub struct Counting<E> {
    engine: E,
    computed: Computed,
}

/// Tokens computed so far.
#[derive(Clone, Default)]
pub struct Computed(Arc<AtomicU64>);

impl Computed {
    pub fn tokens(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl<E: Engine> Counting<E> {
    pub fn new(engine: E) -> (Self, Computed) {
        let computed = Computed::default();
        let counting = Self {
            engine,
            computed: computed.clone(),
        };
        (counting, computed)
    }
}

impl<E: Engine> Engine for Counting<E> {
    fn info(&self) -> &ModelInfo {
        self.engine.info()
    }

    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        self.engine.tokenizer()
    }

    fn forward(&mut self, feeds: &[Feed<'_>]) -> Result<(), EngineError> {
        let tokens: usize = feeds.iter().map(|feed| feed.tokens.len()).sum();
        self.computed.0.fetch_add(tokens as u64, Ordering::AcqRel);
        self.engine.forward(feeds)
    }

    fn logits(&mut self, feed: usize) -> &mut [f32] {
        self.engine.logits(feed)
    }

    fn fork(&mut self, from: Sequence, to: Sequence) {
        self.engine.fork(from, to);
    }

    fn truncate(&mut self, sequence: Sequence, tokens: u32) -> Result<(), EngineError> {
        self.engine.truncate(sequence, tokens)
    }

    fn free(&mut self, sequence: Sequence) {
        self.engine.free(sequence);
    }

    fn save(&mut self, sequence: Sequence, positions: Range<u32>) -> Option<Saved> {
        self.engine.save(sequence, positions)
    }

    fn restore(&mut self, sequence: Sequence, saved: &Saved) -> bool {
        self.engine.restore(sequence, saved)
    }
}
