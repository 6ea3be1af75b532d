use std::collections::VecDeque;

use aigen_engine::TokenId;

use super::transcript::Transcript;
use crate::constraint::Mask;
use crate::{Allow, Fault, Generate, Until, Wake};

/// A segment under way: what the host does alone between two decisions.
pub(super) struct Segment {
    allow: Allow,
    until: Until,
    /// The position the segment began at, in tokens.
    from: usize,
    /// The mask for the next token, computed while the forward pass runs.
    mask: Option<Result<Mask, Fault>>,
}

impl Segment {
    pub fn new(generate: Generate, from: usize) -> Self {
        let Generate { allow, until, .. } = generate;
        Self {
            allow,
            until,
            from,
            mask: None,
        }
    }

    /// Computes the mask for the next token, once.
    pub fn prepare(&mut self) {
        if self.mask.is_none() {
            self.mask = match &self.allow {
                Allow::Any => None,
                Allow::Matcher(matcher) => Some(matcher.mask()),
                Allow::Tokens(mask) => Some(Ok(mask.as_ref().clone())),
            };
        }
    }

    /// The mask for the next token; `None` if every token may come.
    pub fn mask(&mut self) -> Result<Option<Mask>, Fault> {
        self.prepare();
        self.mask.take().transpose()
    }

    pub fn advance(&self, token: TokenId) -> Result<(), Fault> {
        match &self.allow {
            Allow::Any | Allow::Tokens(_) => Ok(()),
            Allow::Matcher(matcher) => matcher.advance(&[token]),
        }
    }

    /// Whether the segment is over after the last token.
    pub fn over(&self, tokens: &[TokenId], transcript: &Transcript) -> Option<Wake> {
        let produced = tokens.len() - self.from;
        let last = tokens.last().filter(|_| produced > 0);
        if self.finished() {
            Some(Wake::MatcherFinished)
        } else if last.is_some_and(|last| self.until.triggers.contains(last)) {
            Some(Wake::Triggered)
        } else if produced > 0 && transcript.ends_with_any(&self.until.stops, self.from) {
            Some(Wake::StopMatched)
        } else if produced >= self.token_limit() {
            Some(Wake::TokenLimit)
        } else {
            None
        }
    }

    /// Tokens that must come next, whatever the model thinks.
    pub fn forced(&self) -> Result<VecDeque<TokenId>, Fault> {
        match &self.allow {
            Allow::Any | Allow::Tokens(_) => Ok(VecDeque::new()),
            Allow::Matcher(matcher) => Ok(matcher.forced()?.into()),
        }
    }

    /// Whether the output is complete under the grammar; `None` without one.
    pub fn complete(&self) -> Option<bool> {
        match &self.allow {
            Allow::Any | Allow::Tokens(_) => None,
            Allow::Matcher(matcher) => Some(matcher.accepting().unwrap_or(false)),
        }
    }

    fn token_limit(&self) -> usize {
        match self.until.tokens {
            0 => usize::MAX,
            tokens => tokens.try_into().unwrap_or(usize::MAX),
        }
    }

    fn finished(&self) -> bool {
        match &self.allow {
            Allow::Any | Allow::Tokens(_) => false,
            Allow::Matcher(matcher) => matcher.finished(),
        }
    }
}
