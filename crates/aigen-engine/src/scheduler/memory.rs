//! The engine and what is in its cache: live sequences, and prefixes kept for later.

use crate::cells::Cells;
use crate::limits::KEPT_TOKENS_MIN;
use crate::{Engine, EngineError, Feed, Sequence, TokenId};

/// Whose sessions share prefixes and a place in the line. See [`super::Terms::tenant`].
pub(super) type Tenant = u64;

/// The engine with an account of its cells. Kept prefixes give way, least recently used
/// first, whenever a sequence or a cell is needed.
pub(super) struct Memory {
    pub engine: Box<dyn Engine>,
    cells: Cells,
    unused: Vec<Sequence>,
    kept: Vec<Kept>,
    kept_max: usize,
    uses: u64,
}

/// The sequence of a branch that is over.
struct Kept {
    tenant: Tenant,
    sequence: Sequence,
    tokens: Vec<TokenId>,
    /// When it was used last, in uses of all.
    used: u64,
}

/// A sequence and the tokens in it that a prompt may begin with.
pub(super) struct Source<'a> {
    pub sequence: Sequence,
    pub tokens: &'a [TokenId],
}

impl Memory {
    pub fn new(engine: Box<dyn Engine>) -> Self {
        let info = engine.info();
        let sequences = info.sequences_max + info.kept_sequences;
        Self {
            cells: Cells::new(info.cells, sequences),
            unused: (0..sequences).rev().map(Sequence).collect(),
            kept: Vec::new(),
            kept_max: info.kept_sequences as usize,
            uses: 0,
            engine,
        }
    }

    /// Cells in use.
    pub fn held(&self) -> usize {
        self.cells.total() - self.cells.free()
    }

    /// A sequence that already holds as much of `prompt` as is found in kept sequences of the
    /// tenant and in `live` ones, and how many tokens that is. At least the last token is left
    /// to be computed: logits belong to a token.
    pub fn begin<'a>(
        &mut self,
        tenant: Tenant,
        prompt: &[TokenId],
        live: impl Iterator<Item = Source<'a>>,
    ) -> (Sequence, usize) {
        if self.kept_max == 0 {
            return (self.take(), 0);
        }
        match self.longest(tenant, prompt, live) {
            Some((length, from)) if length >= KEPT_TOKENS_MIN => self.branch_off(from, length),
            _ => (self.take(), 0),
        }
    }

    /// Whether what was computed is shared at all.
    pub fn keeps(&self) -> bool {
        self.kept_max > 0
    }

    /// Tokens that [`Memory::begin`] would find.
    pub fn found<'a>(
        &self,
        tenant: Tenant,
        prompt: &[TokenId],
        live: impl Iterator<Item = Source<'a>>,
    ) -> usize {
        self.longest(tenant, prompt, live)
            .map_or(0, |(length, _)| length)
    }

    fn longest<'a>(
        &self,
        tenant: Tenant,
        prompt: &[TokenId],
        live: impl Iterator<Item = Source<'a>>,
    ) -> Option<(usize, Sequence)> {
        let most = prompt.len() - 1;
        let length = |tokens: &[TokenId]| common(tokens, prompt).min(most);
        let kept = self.kept.iter().filter(|kept| kept.tenant == tenant);
        let kept = kept.map(|kept| (length(&kept.tokens), kept.sequence));
        let live = live.map(|source| (length(source.tokens), source.sequence));
        // The first of the longest, which is a kept one where there is a choice.
        kept.chain(live)
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// A new sequence that holds the first `length` tokens of `from`; none of them if the
    /// engine, against its word, cannot.
    fn branch_off(&mut self, from: Sequence, length: usize) -> (Sequence, usize) {
        self.touch(from);
        // The sequence to be copied is now the one used last: it is evicted last, but it may be.
        let to = self.take();
        if self.cells.held(from.0) < length {
            return (to, 0);
        }
        self.fork(from, to);
        if self.truncate(to, length as u32).is_err() {
            self.free_to(to);
            return (to, 0);
        }
        (to, length)
    }

    fn touch(&mut self, sequence: Sequence) {
        self.uses += 1;
        let uses = self.uses;
        for kept in &mut self.kept {
            if kept.sequence == sequence {
                kept.used = uses;
            }
        }
    }

    /// An empty sequence. There is one for every branch, if kept ones give way.
    pub fn take(&mut self) -> Sequence {
        loop {
            if let Some(sequence) = self.unused.pop() {
                return sequence;
            }
            assert!(
                self.evict(),
                "no more branches live than the engine has sequences"
            );
        }
    }

    /// Copies `from` to the empty sequence `to`.
    pub fn fork(&mut self, from: Sequence, to: Sequence) {
        self.engine.fork(from, to);
        let length = self.cells.held(from.0);
        self.cells.share(from.0, to.0, length);
    }

    pub fn truncate(&mut self, sequence: Sequence, tokens: u32) -> Result<(), EngineError> {
        self.engine.truncate(sequence, tokens)?;
        self.cells.truncate(sequence.0, tokens as usize);
        Ok(())
    }

    pub fn free(&mut self, sequence: Sequence) {
        self.free_to(sequence);
        self.unused.push(sequence);
    }

    fn free_to(&mut self, sequence: Sequence) {
        self.engine.free(sequence);
        self.cells.truncate(sequence.0, 0);
    }

    /// Keeps a sequence that holds `tokens` for sessions to come. What it begins with need not
    /// be kept beside it.
    pub fn keep(&mut self, tenant: Tenant, sequence: Sequence, tokens: Vec<TokenId>) {
        let covered = |kept: &Kept| kept.tenant == tenant && kept.tokens.starts_with(&tokens);
        if tokens.len() < KEPT_TOKENS_MIN || self.kept_max == 0 {
            return self.free(sequence);
        }
        if let Some(longer) = self.kept.iter().find(|kept| covered(kept)) {
            self.touch(longer.sequence);
            return self.free(sequence);
        }
        let covers = |kept: &Kept| kept.tenant == tenant && tokens.starts_with(&kept.tokens);
        while let Some(place) = self.kept.iter().position(covers) {
            self.drop_kept(place);
        }
        if self.kept.len() >= self.kept_max {
            self.evict();
        }
        self.uses += 1;
        self.kept.push(Kept {
            tenant,
            sequence,
            tokens,
            used: self.uses,
        });
    }

    /// Gives up the prefix used longest ago; `false` if there is none.
    fn evict(&mut self) -> bool {
        let kept = self.kept.iter().enumerate();
        let oldest = kept.min_by_key(|(_, kept)| kept.used);
        let place = oldest.map(|(place, _)| place);
        place.map(|place| self.drop_kept(place)).is_some()
    }

    fn drop_kept(&mut self, place: usize) {
        let kept = self.kept.swap_remove(place);
        self.free(kept.sequence);
    }

    /// Cells that can be had, if all kept prefixes give way.
    pub fn available(&self) -> usize {
        let kept = self.kept.iter().map(|kept| kept.sequence.0);
        self.cells.free_without(kept)
    }

    /// Makes sure of `cells` free cells; `false` if no kept prefix is left to give way.
    pub fn make_room(&mut self, cells: usize) -> bool {
        while self.cells.free() < cells {
            if !self.evict() {
                return false;
            }
        }
        true
    }

    pub fn forward(&mut self, feeds: &[Feed<'_>]) -> Result<(), EngineError> {
        self.engine.forward(feeds)?;
        for feed in feeds {
            // The engine has them: where this account is short, the engine's own word counts.
            self.cells.append(feed.sequence.0, feed.tokens.len());
        }
        Ok(())
    }
}

/// How many tokens both begin with.
pub(super) fn common(a: &[TokenId], b: &[TokenId]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
