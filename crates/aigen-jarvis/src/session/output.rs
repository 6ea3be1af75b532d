use aigen_engine::{Step, TokenId, Transcript};

use super::record::Origin;
use crate::context::Shown;
use crate::{Fault, Usage};

/// The output tokens of one branch, beside what the engine holds of them and
/// what the caller has seen of them. A fork clones it.
#[derive(Clone)]
pub(super) struct Output {
    tokens: Vec<TokenId>,
    marks: Vec<Mark>,
    /// The first `fed` tokens are in the engine's sequence.
    fed: usize,
    /// Tokens after those in the engine's sequence, taken back since.
    stale: u32,
    /// The first `committed` tokens can no longer be taken back.
    committed: usize,
    /// The first `shared` tokens are of the time before a fork: another branch has them
    /// too, or had them.
    shared: usize,
    /// End tokens the model chose on the way here, and those of them since the last fork.
    ends: u64,
    own_ends: u64,
    reach: usize,
    /// How many of the last tokens may yet be written anew, so that they are not sent.
    pub healing: usize,
    /// What becomes of the tokens to come.
    pub shown: Shown,
    pub transcript: Transcript,
    /// What was said before the answer: never taken back, and cut where it ends.
    reasoning: Transcript,
}

/// How a token came, and whether the caller sees it.
#[derive(Clone, Copy)]
struct Mark {
    origin: Origin,
    shown: Shown,
}

impl Mark {
    fn add(self, usage: &mut Usage) {
        *count(usage, self.origin) += 1;
        usage.hidden_tokens += u64::from(self.shown == Shown::Hidden);
        usage.reasoning_tokens += u64::from(self.shown == Shown::Reasoning);
    }

    fn remove(self, usage: &mut Usage) {
        *count(usage, self.origin) -= 1;
        usage.hidden_tokens -= u64::from(self.shown == Shown::Hidden);
        usage.reasoning_tokens -= u64::from(self.shown == Shown::Reasoning);
    }
}

impl Output {
    pub fn new(reach: u32, transcript: Transcript, reasoning: Transcript) -> Self {
        Self {
            tokens: Vec::new(),
            marks: Vec::new(),
            fed: 0,
            stale: 0,
            committed: 0,
            shared: 0,
            ends: 0,
            own_ends: 0,
            reach: usize::try_from(reach).unwrap_or(usize::MAX),
            healing: 0,
            shown: Shown::Answer,
            transcript,
            reasoning,
        }
    }

    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// Tokens in the branch.
    pub fn position(&self) -> u32 {
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }

    /// Tokens in the branch, and end tokens that its controller did not leave it at: they are in
    /// no text, and count towards the request's length all the same.
    pub fn reached(&self) -> u32 {
        let ends = u32::try_from(self.own_ends).unwrap_or(u32::MAX);
        self.position().saturating_add(ends)
    }

    /// Appends a token, of whose bytes the caller may see `visible`.
    pub fn push(&mut self, token: TokenId, origin: Origin, visible: &[u8], usage: &mut Usage) {
        let shown = self.shown;
        self.tokens.push(token);
        let mark = Mark { origin, shown };
        self.marks.push(mark);
        let is_answer = shown == Shown::Answer;
        self.transcript.push(if is_answer { visible } else { &[] });
        if shown == Shown::Reasoning {
            self.reasoning.push(visible);
            self.reasoning.cut_at_stop();
        }
        mark.add(usage);
        let revocable = self.reach.max(self.healing);
        self.committed = self
            .committed
            .max(self.tokens.len().saturating_sub(revocable));
    }

    /// Counts an end token, which is computed and in no branch.
    pub fn end(&mut self, usage: &mut Usage) {
        self.ends += 1;
        self.own_ends += 1;
        usage.sampled_tokens += 1;
    }

    /// Everything up to here may be sent, and stays.
    pub fn commit(&mut self) {
        let kept = self.tokens.len().saturating_sub(self.healing);
        self.committed = self.committed.max(kept);
    }

    /// Takes back the last `tokens` tokens, and gives them.
    ///
    /// # Errors
    /// [`Fault::BacktrackTooFar`] if one of them is committed; nothing changed then.
    pub fn backtrack(
        &mut self,
        tokens: u32,
        usage: &mut Usage,
    ) -> Result<Vec<(TokenId, Origin)>, Fault> {
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
        Ok(self.cut(keep, usage))
    }

    /// Takes back the last tokens because the model is to write them anew; those that were never
    /// computed were never used either.
    pub fn chop(&mut self, count: usize, usage: &mut Usage) {
        let keep = self.tokens.len().saturating_sub(count);
        let computed = self.fed.saturating_sub(keep.max(self.shared));
        let before = usage.discarded_tokens;
        self.cut(keep, usage);
        usage.discarded_tokens = before + u64::try_from(computed).unwrap_or(u64::MAX);
    }

    /// The prompt's last tokens are to be written anew.
    pub fn chop_prompt(&mut self, count: usize) {
        self.stale += u32::try_from(count).unwrap_or(u32::MAX);
    }

    /// The last token stays: the end of the prompt is in it.
    pub fn stay(&mut self) {
        self.committed = self.tokens.len();
    }

    fn cut(&mut self, keep: usize, usage: &mut Usage) -> Vec<(TokenId, Origin)> {
        self.discard(keep, usage);
        let removed = self.tokens.split_off(keep);
        let marks = self.marks.split_off(keep);
        self.shared = self.shared.min(keep);
        self.transcript.truncate(keep);
        self.stale += u32::try_from(self.fed.saturating_sub(keep)).unwrap_or(u32::MAX);
        self.fed = self.fed.min(keep);
        let origins = marks.iter().map(|mark| mark.origin);
        removed.into_iter().zip(origins).collect()
    }

    /// Counts the branch's own tokens from `keep` on as discarded; how many that are.
    fn discard(&self, keep: usize, usage: &mut Usage) -> u64 {
        let own = &self.marks[keep.max(self.shared).min(self.marks.len())..];
        for mark in own.iter().copied() {
            mark.remove(usage);
            usage.discarded_tokens += 1;
        }
        u64::try_from(own.len()).unwrap_or(u64::MAX)
    }

    /// The branch was not kept: what it has for itself is discarded.
    pub fn abandon(&mut self, usage: &mut Usage) {
        usage.unkept_tokens += self.discard(0, usage) + self.own_ends;
        usage.sampled_tokens -= self.own_ends;
        usage.discarded_tokens += self.own_ends;
        self.own_ends = 0;
        self.shared = self.tokens.len();
    }

    /// What is here so far belongs to several branches from now on.
    pub fn share(&mut self) {
        self.shared = self.tokens.len();
        self.own_ends = 0;
    }

    /// The final usage of a session whose answer this branch is.
    pub fn kept(&self, total: Usage) -> Usage {
        let (mut kept, taken_back) = (Usage::default(), total.discarded_tokens);
        for mark in self.marks.iter().copied() {
            mark.add(&mut kept);
        }
        kept.sampled_tokens += self.ends;
        kept.discarded_tokens = total.computed() - kept.computed();
        kept.unkept_tokens = kept.discarded_tokens - (taken_back - total.unkept_tokens);
        kept.branches = total.branches;
        kept
    }

    /// What is new of what was said before the answer.
    pub fn reason(&mut self) -> String {
        match self.shown {
            Shown::Reasoning => self.reasoning.release(usize::MAX),
            // Nothing follows.
            Shown::Answer | Shown::Hidden => self.reasoning.finish(),
        }
    }

    /// The text that is final now.
    pub fn release(&mut self) -> String {
        self.transcript.release(self.committed)
    }

    /// Whether the engine's logits belong to the last token, once it computed what it has.
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
}

/// The final usage of a session that has no answer: all of it was in vain.
pub(super) fn nothing_kept(total: Usage) -> Usage {
    let taken_back = total.discarded_tokens - total.unkept_tokens;
    Usage {
        discarded_tokens: total.computed(),
        unkept_tokens: total.computed() - taken_back,
        branches: total.branches,
        ..Usage::default()
    }
}

fn count(usage: &mut Usage, origin: Origin) -> &mut u64 {
    match origin {
        Origin::Sampled => &mut usage.sampled_tokens,
        Origin::Forced => &mut usage.forced_tokens,
    }
}
