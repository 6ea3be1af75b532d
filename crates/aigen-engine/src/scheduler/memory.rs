//! The engine and what is in its cache, and what earlier sessions computed, kept outside it.
//!
//! Kept prefixes are no cells of the engine: attention looks at every cell in use for every token it computes,
//! whose ever it is, which took half of a small model's time when 16 of them were in the cache.

use std::collections::BTreeSet;

use crate::cells::Cells;
use crate::limits::{BLOCK_TOKENS, KEPT_TOKENS_MIN, kept_tokens_max};
use crate::{Engine, EngineError, Feed, Saved, Sequence, TokenId};

/// Whose sessions share prefixes and a place in the line. See [`super::Terms::tenant`].
pub(super) type Tenant = u64;

/// The engine with an account of its cells, and prefixes kept for later.
pub(super) struct Memory {
    pub engine: Box<dyn Engine>,
    cells: Cells,
    unused: Vec<Sequence>,
    kept: Vec<Kept>,
    kept_max: usize,
    kept_tokens_max: usize,
    uses: u64,
}

/// What a branch that is over had computed.
struct Kept {
    tenant: Tenant,
    tokens: Vec<TokenId>,
    /// Of [`BLOCK_TOKENS`] each but for the last; shared by those that begin alike.
    blocks: Vec<Saved>,
    /// When it was used last, in uses of all.
    used: u64,
}

/// A sequence and the tokens in it that a prompt may begin with.
pub(super) struct Source<'a> {
    pub sequence: Sequence,
    pub tokens: &'a [TokenId],
}

/// Where the beginning of a prompt is found.
#[derive(Clone, Copy)]
enum Found {
    /// In a running branch's sequence.
    Live(Sequence),
    /// At this place of the kept ones.
    Kept(usize),
}

impl Memory {
    pub fn new(engine: Box<dyn Engine>) -> Self {
        let info = engine.info();
        Self {
            cells: Cells::new(info.cells, info.sequences_max),
            unused: (0..info.sequences_max).rev().map(Sequence).collect(),
            kept: Vec::new(),
            kept_max: info.kept_sequences as usize,
            kept_tokens_max: kept_tokens_max(info.cells, info.context_tokens) as usize,
            uses: 0,
            engine,
        }
    }

    /// Cells in use.
    pub fn held(&self) -> usize {
        self.cells.total() - self.cells.free()
    }

    /// Cells that can be had.
    pub fn free_cells(&self) -> usize {
        self.cells.free()
    }

    /// A sequence that already holds as much of `prompt` as is found in kept prefixes of the
    /// tenant and in `live` sequences, and how many tokens that is. At least the last token is left
    /// to be computed: logits belong to a token.
    pub fn begin<'a>(
        &mut self,
        tenant: Tenant,
        prompt: &[TokenId],
        live: impl Iterator<Item = Source<'a>>,
    ) -> (Sequence, usize) {
        let sequence = self.take();
        let found = self.longest(tenant, prompt, live);
        let held = match found.filter(|(length, _)| *length >= KEPT_TOKENS_MIN) {
            Some((length, Found::Live(from))) => self.branch_off(from, sequence, length),
            Some((length, Found::Kept(place))) => self.bring_back(place, sequence, length),
            None => 0,
        };
        (sequence, held)
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
    ) -> Option<(usize, Found)> {
        if !self.keeps() {
            return None;
        }
        let most = prompt.len() - 1;
        let length = |tokens: &[TokenId]| common(tokens, prompt).min(most);
        let live = live.map(|source| (length(source.tokens), Found::Live(source.sequence)));
        let kept = self.kept.iter().enumerate();
        let kept = kept.filter(|(_, kept)| kept.tenant == tenant);
        let kept = kept.map(|(place, kept)| (length(&kept.tokens), Found::Kept(place)));
        // The first of the longest, which is a live one where there is a choice: its cells are shared.
        live.chain(kept)
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// Lets `to`, which is empty, share the first `length` tokens of `from`; says how many it has: none if
    /// the engine, against its word, cannot.
    fn branch_off(&mut self, from: Sequence, to: Sequence, length: usize) -> usize {
        if self.cells.held(from.0) < length {
            return 0;
        }
        self.fork(from, to);
        self.cut(to, length)
    }

    /// Gives `to`, which is empty, the first `length` tokens of a kept prefix, or as many as there is room
    /// for; says how many.
    fn bring_back(&mut self, place: usize, to: Sequence, length: usize) -> usize {
        self.touch(place);
        let kept = &self.kept[place];
        let mut held = 0;
        for (block, tokens) in kept.blocks.iter().zip(kept.tokens.chunks(BLOCK_TOKENS)) {
            let room = held < length && tokens.len() <= self.cells.free();
            if !room || !self.engine.restore(to, block) {
                break;
            }
            self.cells.append(to.0, tokens.len());
            held += tokens.len();
        }
        self.cut(to, held.min(length))
    }

    /// Keeps the first `length` tokens of the sequence, or none; says how many.
    fn cut(&mut self, sequence: Sequence, length: usize) -> usize {
        match self.truncate(sequence, length as u32) {
            Ok(()) => length,
            Err(_) => {
                self.free_to(sequence);
                0
            }
        }
    }

    fn touch(&mut self, place: usize) {
        self.uses += 1;
        self.kept[place].used = self.uses;
    }

    /// An empty sequence. There is one for every branch.
    pub fn take(&mut self) -> Sequence {
        let unused = self.unused.pop();
        unused.expect("no more branches live than the engine has sequences")
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

    /// Keeps what a sequence holds of `tokens` for sessions to come, and frees it. What it begins with need
    /// not be kept beside it.
    pub fn keep(&mut self, tenant: Tenant, sequence: Sequence, tokens: Vec<TokenId>) {
        if self.is_worth_keeping(tenant, &tokens)
            && let Some(blocks) = self.save(tenant, sequence, &tokens)
        {
            let covered = |kept: &Kept| kept.tenant == tenant && tokens.starts_with(&kept.tokens);
            self.kept.retain(|kept| !covered(kept));
            self.uses += 1;
            let used = self.uses;
            self.kept.push(Kept {
                tenant,
                tokens,
                blocks,
                used,
            });
            self.evict();
        }
        self.free(sequence);
    }

    /// Whether these tokens are many enough, and not kept already.
    fn is_worth_keeping(&mut self, tenant: Tenant, tokens: &[TokenId]) -> bool {
        if tokens.len() < KEPT_TOKENS_MIN || !self.keeps() {
            return false;
        }
        let covers = |kept: &Kept| kept.tenant == tenant && kept.tokens.starts_with(tokens);
        match self.kept.iter().position(covers) {
            Some(place) => {
                self.touch(place);
                false
            }
            None => true,
        }
    }

    /// Blocks with all of `tokens`; those that a kept prefix has as well are its own.
    fn save(
        &mut self,
        tenant: Tenant,
        sequence: Sequence,
        tokens: &[TokenId],
    ) -> Option<Vec<Saved>> {
        let own = self.kept.iter().filter(|kept| kept.tenant == tenant);
        let alike = own.map(|kept| (common(&kept.tokens, tokens) / BLOCK_TOKENS, kept));
        let most = alike.max_by_key(|(alike, _)| *alike);
        let mut blocks = most.map_or_else(Vec::new, |(alike, kept)| kept.blocks[..alike].to_vec());
        for start in (blocks.len() * BLOCK_TOKENS..tokens.len()).step_by(BLOCK_TOKENS) {
            let end = tokens.len().min(start + BLOCK_TOKENS);
            blocks.push(self.engine.save(sequence, start as u32..end as u32)?);
        }
        Some(blocks)
    }

    /// Gives up the prefixes used longest ago, until the others are as few and as short as they must be.
    fn evict(&mut self) {
        while self.kept.len() > self.kept_max || self.kept_tokens() > self.kept_tokens_max {
            let kept = self.kept.iter().enumerate();
            let Some((place, _)) = kept.min_by_key(|(_, kept)| kept.used) else {
                return;
            };
            self.kept.swap_remove(place);
        }
    }

    /// Tokens of all kept prefixes, those that several have once; a block counts as a whole one if it is not the
    /// only one.
    fn kept_tokens(&self) -> usize {
        if let [kept] = &*self.kept {
            return kept.tokens.len();
        }
        let blocks = self.kept.iter().flat_map(|kept| &kept.blocks);
        let distinct: BTreeSet<usize> = blocks.map(Saved::id).collect();
        distinct.len() * BLOCK_TOKENS
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
