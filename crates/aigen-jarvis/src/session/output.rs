use aigen_engine::{Step, TokenId};

use super::record::Origin;
use super::transcript::Transcript;
use crate::{Fault, Usage};

/// The output tokens of one branch, beside what the engine holds of them and
/// what the caller has seen of them.
pub(super) struct Output {
    tokens: Vec<TokenId>,
    origins: Vec<Origin>,
    /// The first `fed` tokens are in the engine's sequence.
    fed: usize,
    /// Tokens after those in the engine's sequence, taken back since.
    stale: u32,
    /// The first `committed` tokens can no longer be taken back.
    committed: usize,
    reach: u32,
    pub usage: Usage,
    pub transcript: Transcript,
}

impl Output {
    pub fn new(reach: u32, transcript: Transcript) -> Self {
        let (tokens, origins) = (Vec::new(), Vec::new());
        let (fed, stale, committed) = (0, 0, 0);
        let usage = Usage::default();
        Self {
            tokens,
            origins,
            fed,
            stale,
            committed,
            reach,
            usage,
            transcript,
        }
    }

    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// Tokens in the branch.
    pub fn position(&self) -> u32 {
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }

    pub fn push(&mut self, token: TokenId, origin: Origin, bytes: &[u8]) {
        self.tokens.push(token);
        self.origins.push(origin);
        self.transcript.push(bytes);
        *self.count(origin) += 1;
        let reach = usize::try_from(self.reach).unwrap_or(usize::MAX);
        self.committed = self.committed.max(self.tokens.len().saturating_sub(reach));
    }

    /// Takes back the last `tokens` tokens, and gives them.
    ///
    /// # Errors
    /// [`Fault::BacktrackTooFar`] if one of them is committed; nothing changed then.
    pub fn backtrack(&mut self, tokens: u32) -> Result<Vec<(TokenId, Origin)>, Fault> {
        let keep = self
            .tokens
            .len()
            .checked_sub(tokens.try_into().unwrap_or(usize::MAX));
        let Some(keep) = keep.filter(|&keep| keep >= self.committed) else {
            let revocable = self.position() - u32::try_from(self.committed).unwrap_or(u32::MAX);
            return Err(Fault::BacktrackTooFar {
                asked: tokens,
                revocable,
            });
        };
        let removed = self.tokens.split_off(keep);
        let removed: Vec<_> = removed
            .into_iter()
            .zip(self.origins.split_off(keep))
            .collect();
        for &(_, origin) in &removed {
            *self.count(origin) -= 1;
        }
        self.usage.discarded_tokens += u64::from(tokens);
        self.transcript.truncate(keep);
        self.stale += u32::try_from(self.fed.saturating_sub(keep)).unwrap_or(u32::MAX);
        self.fed = self.fed.min(keep);
        Ok(removed)
    }

    /// The text that is final now.
    pub fn release(&mut self) -> String {
        self.transcript.release(self.committed)
    }

    /// Whether the engine's logits belong to the last token.
    pub fn in_step(&self) -> bool {
        self.stale == 0 && self.fed == self.tokens.len()
    }

    /// What brings the engine's sequence to this branch's state.
    pub fn catch_up(&mut self) -> Step {
        let feed = self.tokens[self.fed..].to_vec();
        self.fed = self.tokens.len();
        match std::mem::take(&mut self.stale) {
            0 => Step::Feed(feed),
            remove => Step::Backtrack { remove, feed },
        }
    }

    fn count(&mut self, origin: Origin) -> &mut u64 {
        match origin {
            Origin::Sampled => &mut self.usage.sampled_tokens,
            Origin::Forced => &mut self.usage.forced_tokens,
        }
    }
}
