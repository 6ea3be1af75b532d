//! An engine without weights: the mock beside the real thing.
//!
//! It keeps sequences, forks, truncates and refuses exactly as a real engine
//! does, and takes its logits from a [`Script`]. The same tokens always give the
//! same logits, so everything above the port can be tested to the token.
//!
//! ```
//! use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
//! use aigen_engine::{Engine, Feed, Sequence};
//!
//! let words = Vocabulary::with_words(["yes", "no", "maybe"]);
//! let script = Script::replies([("Is 7 prime?", ["maybe", "yes"])]);
//! let mut engine = ScriptedEngine::new(words, script);
//!
//! let tokens = engine.tokenizer().encode("Is 7 prime?", false, false);
//! let feed = Feed { sequence: Sequence(0), tokens: &tokens, logits: true };
//! engine.forward(&[feed])?;
//! let (maybe, yes) = (engine.vocabulary().word("maybe"), engine.vocabulary().word("yes"));
//! let logits = engine.logits(0);
//! assert!(logits[maybe as usize] > logits[yes as usize]);
//! # Ok::<(), aigen_engine::EngineError>(())
//! ```

mod script;
mod vocabulary;

use std::ops::Range;
use std::sync::{Arc, Mutex};

use aigen_types::Digest;

use crate::cells::Cells;
use crate::engine::check_feeds;
use crate::{
    ControlLevel, Engine, EngineError, Feed, ModelInfo, Saved, Sequence, TokenId, Tokenizer,
};

pub use script::Script;
pub use vocabulary::Vocabulary;

/// An [`Engine`] that computes nothing and answers from a [`Script`].
pub struct ScriptedEngine {
    info: ModelInfo,
    vocabulary: Arc<Vocabulary>,
    script: Script,
    sequences: Vec<Vec<TokenId>>,
    cells: Cells,
    rows: Vec<Option<Row>>,
    passes: PassLog,
    fail_at: Option<usize>,
}

/// The logits of one feed: the model's own, and the copy lent out.
struct Row {
    own: Vec<f32>,
    lent: Vec<f32>,
}

/// What every forward pass was fed, for tests to read from any thread.
#[derive(Clone, Debug, Default)]
pub struct PassLog(Arc<Mutex<Vec<Pass>>>);

/// The sequences fed in one forward pass and how many tokens each got.
pub type Pass = Vec<(Sequence, u32)>;

impl PassLog {
    /// The passes so far.
    #[must_use]
    pub fn passes(&self) -> Vec<Pass> {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .clone()
    }

    fn push(&self, feeds: &[Feed<'_>]) -> usize {
        let pass = feeds
            .iter()
            .map(|feed| (feed.sequence, feed.tokens.len() as u32));
        let mut passes = self.0.lock().expect("no holder of this lock panics");
        passes.push(pass.collect());
        passes.len()
    }
}

impl ScriptedEngine {
    /// An engine of 4 sequences of 4,096 tokens each.
    #[must_use]
    pub fn new(vocabulary: Vocabulary, script: Script) -> Self {
        let info = ModelInfo {
            digest: Digest::ZERO,
            name: "scripted".to_owned(),
            architecture: "scripted".to_owned(),
            parameters: 0,
            vocab_size: vocabulary.vocab_size(),
            context_tokens: 4096,
            sequences_max: 0,
            kept_sequences: 0,
            cells: 0,
            batch_tokens_max: 512,
            control: ControlLevel::Token,
            backtrack: true,
            stops_at_token: true,
        };
        let engine = Self {
            info,
            vocabulary: Arc::new(vocabulary),
            script,
            sequences: Vec::new(),
            cells: Cells::new(0, 0),
            rows: Vec::new(),
            passes: PassLog::default(),
            fail_at: None,
        };
        engine.with_sequences(4)
    }

    /// The same with room for this many sequences.
    #[must_use]
    pub fn with_sequences(mut self, sequences_max: u32) -> Self {
        self.info.sequences_max = sequences_max;
        self.info.cells = sequences_max.saturating_mul(self.info.context_tokens);
        self.emptied()
    }

    /// The same with this many sequences kept after their sessions, for prompts that begin alike.
    #[must_use]
    pub fn keeping(mut self, kept_sequences: u32) -> Self {
        self.info.kept_sequences = kept_sequences;
        self
    }

    /// The same with room for this many tokens in all sequences together.
    #[must_use]
    pub fn with_cells(mut self, cells: u32) -> Self {
        self.info.cells = cells;
        self.emptied()
    }

    fn emptied(mut self) -> Self {
        let sequences = self.info.sequences_max;
        self.sequences = vec![Vec::new(); sequences as usize];
        self.cells = Cells::new(self.info.cells, sequences);
        self
    }

    /// The same with sequences of this many tokens.
    #[must_use]
    pub fn with_context(mut self, context_tokens: u32) -> Self {
        self.info.context_tokens = context_tokens;
        let sequences_max = self.info.sequences_max;
        self.with_sequences(sequences_max)
    }

    /// The same, named so.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.info.name = name.to_owned();
        self
    }

    /// The same, but like a recurrent model: nothing can be taken back.
    #[must_use]
    pub fn without_backtrack(mut self) -> Self {
        self.info.backtrack = false;
        self
    }

    /// The same, but like a service that answers as a whole: nothing ends it at a token.
    #[must_use]
    pub fn opaque(mut self) -> Self {
        self.info.stops_at_token = false;
        self
    }

    /// The same, but the pass of this number (the first is 1) fails.
    #[must_use]
    pub fn failing_at(mut self, pass: usize) -> Self {
        self.fail_at = Some(pass);
        self
    }

    /// A view of the passes to come.
    #[must_use]
    pub fn pass_log(&self) -> PassLog {
        self.passes.clone()
    }

    /// The vocabulary.
    #[must_use]
    pub fn vocabulary(&self) -> Arc<Vocabulary> {
        Arc::clone(&self.vocabulary)
    }

    fn row(&mut self, feed: &Feed<'_>) -> Option<Row> {
        let history = &self.sequences[feed.sequence.0 as usize];
        feed.logits.then(|| {
            let own = self.script.logits(&self.vocabulary, history);
            Row {
                lent: own.clone(),
                own,
            }
        })
    }
}

impl Engine for ScriptedEngine {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        self.vocabulary()
    }

    fn forward(&mut self, feeds: &[Feed<'_>]) -> Result<(), EngineError> {
        let lengths: Vec<u32> = self
            .sequences
            .iter()
            .map(|tokens| tokens.len() as u32)
            .collect();
        check_feeds(&self.info, &lengths, feeds)?;
        let cells = self.info.cells;
        let wanted: usize = feeds.iter().map(|feed| feed.tokens.len()).sum();
        if wanted > self.cells.free() {
            return Err(EngineError::CacheFull { cells });
        }
        if Some(self.passes.push(feeds)) == self.fail_at {
            let reason = "the script says so".to_owned();
            return Err(EngineError::Forward { reason });
        }
        for feed in feeds {
            self.cells.append(feed.sequence.0, feed.tokens.len());
            self.sequences[feed.sequence.0 as usize].extend(feed.tokens);
        }
        self.rows = feeds.iter().map(|feed| self.row(feed)).collect();
        Ok(())
    }

    fn logits(&mut self, feed: usize) -> &mut [f32] {
        let row = self.rows[feed]
            .as_mut()
            .expect("logits of a feed that asked for none");
        row.lent.copy_from_slice(&row.own);
        &mut row.lent
    }

    fn fork(&mut self, from: Sequence, to: Sequence) {
        let tokens = self.sequences[from.0 as usize].clone();
        assert!(
            self.sequences[to.0 as usize].is_empty(),
            "fork onto a sequence in use"
        );
        self.cells.share(from.0, to.0, tokens.len());
        self.sequences[to.0 as usize] = tokens;
    }

    fn truncate(&mut self, sequence: Sequence, tokens: u32) -> Result<(), EngineError> {
        if !self.info.backtrack {
            return Err(EngineError::BacktrackUnsupported);
        }
        self.cells.truncate(sequence.0, tokens as usize);
        self.sequences[sequence.0 as usize].truncate(tokens as usize);
        Ok(())
    }

    fn free(&mut self, sequence: Sequence) {
        self.cells.truncate(sequence.0, 0);
        self.sequences[sequence.0 as usize].clear();
    }

    fn save(&mut self, sequence: Sequence, positions: Range<u32>) -> Option<Saved> {
        let positions = positions.start as usize..positions.end as usize;
        let tokens = self.sequences[sequence.0 as usize].get(positions.clone())?;
        Some(Saved::new((positions.start, tokens.to_vec())))
    }

    fn restore(&mut self, sequence: Sequence, saved: &Saved) -> bool {
        let own = &mut self.sequences[sequence.0 as usize];
        let Some((start, tokens)) = saved.get::<(usize, Vec<TokenId>)>() else {
            return false;
        };
        assert_eq!(*start, own.len(), "restored at another position");
        let room = self.cells.append(sequence.0, tokens.len());
        if room {
            own.extend(tokens);
        }
        room
    }
}

#[cfg(test)]
mod tests;
