use std::cell::OnceCell;
use std::collections::VecDeque;
use std::sync::Arc;

use aigen_engine::sampler::Sampling;
use aigen_engine::{TokenId, Tokenizer};

use super::closing::{self, Closers};
use super::healing::Healing;
use crate::constraint::Mask;
use crate::limits::{
    BIASES_MAX, CLOSING_TOKENS, OBSERVED_TOP_MAX, SPLICE_TOKENS_MAX, STOP_TEXT_BYTES_MAX,
};
use crate::{Allow, Fault, Generate, Matcher, Observe, Splice, Until, Wake};

/// A segment under way: what the host does alone between two decisions.
pub(super) struct Segment {
    tokenizer: Arc<dyn Tokenizer>,
    allow: Allow,
    until: Until,
    splices: Vec<Splice>,
    pub observe: Observe,
    /// The position the segment began at, in tokens.
    from: usize,
    /// Tokens that the matcher advanced over.
    advanced: usize,
    /// What is to be written anew before the constraint begins.
    heal: Option<Healing>,
    /// The mask for the next token, computed while the forward pass runs.
    mask: Option<Result<Mask, Fault>>,
    /// A way out of the grammar from here, if one was looked for.
    way_out: Option<Vec<TokenId>>,
    closers: OnceCell<Closers>,
    /// With how much room left a way out is looked for again, where none was found.
    look_below: usize,
    /// It is on its way out.
    closing: bool,
}

impl Segment {
    pub fn new(tokenizer: Arc<dyn Tokenizer>, generate: Generate, from: usize) -> Self {
        Self {
            tokenizer,
            allow: generate.allow,
            until: generate.until,
            splices: generate.splices,
            observe: generate.observe,
            from,
            advanced: 0,
            heal: None,
            mask: None,
            way_out: None,
            closers: OnceCell::new(),
            look_below: usize::MAX,
            closing: false,
        }
    }

    /// Has it begin with what was taken off the end, of the prompt or of the branch, which has
    /// `length` tokens now.
    pub fn heal(&mut self, healing: Healing, length: usize) {
        self.from = self.from.min(length);
        self.heal = Some(healing);
    }

    /// How many bytes of the next token the caller wrote.
    pub fn prompted(&self) -> usize {
        self.heal.as_ref().map_or(0, Healing::prompted)
    }

    /// Whether there is something to be written anew.
    pub fn heals(&self) -> bool {
        self.heal.is_some()
    }

    /// Computes the mask for the next token, once.
    pub fn prepare(&mut self) {
        if self.mask.is_some() {
            return;
        }
        self.mask = match (&self.heal, &self.allow) {
            (Some(healing), allow) => Some(Ok(self.healing_mask(healing, allow))),
            (None, Allow::Any) => None,
            (None, Allow::Matcher(matcher)) => Some(matcher.mask()),
            (None, Allow::Tokens(mask)) => Some(Ok(mask.as_ref().clone())),
        };
    }

    /// The tokens that heal. What was taken off is always among them.
    fn healing_mask(&self, healing: &Healing, allow: &Allow) -> Mask {
        let mut mask = healing.mask(&*self.tokenizer);
        if let Allow::Tokens(tokens) = allow {
            let mut both = mask.clone();
            both.intersect(tokens);
            if !both.is_empty() {
                mask = both;
            }
        }
        mask
    }

    /// The mask for the next token; `None` if every token may come.
    pub fn mask(&mut self) -> Result<Option<Mask>, Fault> {
        self.prepare();
        self.mask.take().transpose()
    }

    /// Whether the constraint accepts what this token says beyond the bytes that it heals.
    pub fn heals_with(&self, token: TokenId) -> Result<bool, Fault> {
        let (Some(healing), Allow::Matcher(matcher)) = (&self.heal, &self.allow) else {
            return Ok(true);
        };
        let Some(rest) = self.beyond(token, healing) else {
            return Ok(false);
        };
        let accepted = matcher.advance_while(&rest)?;
        matcher.rollback(accepted)?;
        Ok(accepted == rest.len())
    }

    /// The tokens of what this one says beyond what it heals; `None` if that is no text of its
    /// own.
    fn beyond(&self, token: TokenId, healing: &Healing) -> Option<Vec<TokenId>> {
        let bytes = self.tokenizer.token_bytes(token);
        let beyond = std::str::from_utf8(healing.beyond(bytes).unwrap_or_default()).ok()?;
        Some(self.tokenizer.encode(beyond, false, false))
    }

    pub fn advance(&mut self, token: TokenId) -> Result<(), Fault> {
        let healing = self.heal.take();
        let healed = healing.as_ref().map(|healing| self.beyond(token, healing));
        let bytes = self.tokenizer.token_bytes(token);
        self.heal = healing.and_then(|healing| healing.after(bytes));
        // Text that was there before the segment is none of its tokens.
        self.from += usize::from(self.heal.is_some());
        let way_out = self.way_out.take();
        self.way_out = way_out.filter(|way| way.first() == Some(&token));
        self.way_out = self.way_out.take().map(|way| way[1..].to_vec());
        let Allow::Matcher(matcher) = &self.allow else {
            return Ok(());
        };
        let tokens = match healed {
            Some(beyond) => beyond.unwrap_or_default(),
            None => vec![token],
        };
        self.advanced += tokens.len();
        matcher.advance(&tokens)
    }

    /// Whether this token would leave too little room for the grammar to be completed, while
    /// without it there is enough: `left` tokens, this one among them.
    pub fn strands(&mut self, token: TokenId, left: usize) -> Result<bool, Fault> {
        let Allow::Matcher(matcher) = &self.allow else {
            return Ok(false);
        };
        let known = self.way_out.as_ref();
        if left > self.look_below
            || self.heal.is_some()
            || known.is_some_and(|way| way.first() == Some(&token))
        {
            return Ok(false);
        }
        let ahead = matcher.fork();
        ahead.advance(&[token])?;
        let behind = self.plan(&ahead, left.saturating_sub(1))?;
        if let Some(behind) = behind {
            self.way_out = Some([&[token], &behind[..]].concat());
            return Ok(false);
        }
        if self.way_out.as_ref().is_none_or(|way| way.len() > left) {
            self.way_out = self.plan(&matcher.fork(), left)?;
        }
        if self.way_out.is_none() {
            // Text that nobody sees the end of: to look for it at every token would take more
            // time than the model does.
            self.look_below = left / 2;
        }
        Ok(self.way_out.is_some())
    }

    fn plan(&self, scout: &Matcher, most: usize) -> Result<Option<Vec<TokenId>>, Fault> {
        let tokenizer = &*self.tokenizer;
        let closers = self.closers.get_or_init(|| Closers::new(tokenizer));
        closing::plan(scout, tokenizer, closers, most)
    }

    /// Takes the way out: the tokens to be forced until the segment ends.
    pub fn close(&mut self) -> Result<VecDeque<TokenId>, Fault> {
        self.closing = true;
        let way_out = match (self.way_out.take(), &self.allow) {
            (Some(way), _) => Some(way),
            (None, Allow::Matcher(matcher)) => self.plan(&matcher.fork(), CLOSING_TOKENS)?,
            (None, _) => None,
        };
        Ok(way_out.unwrap_or_default().into())
    }

    /// What stands instead of the token, if the model chooses it.
    pub fn splice(&self, token: TokenId) -> Option<&Splice> {
        let bytes = self.tokenizer.token_bytes(token);
        let within = |healing: &Healing| healing.beyond(bytes).is_none();
        if self.heal.as_ref().is_some_and(within) {
            // The text that was there, and no choice.
            return None;
        }
        let chosen = |splice: &&Splice| splice.sampled.contains(&token);
        self.splices.iter().find(chosen)
    }

    /// The branch took back `count` tokens, so that it has `length`.
    pub fn take_back(&mut self, count: usize, length: usize) -> Result<(), Fault> {
        let back = if length <= self.from {
            self.advanced
        } else {
            count
        };
        self.from = self.from.min(length);
        self.advanced -= back.min(self.advanced);
        match &self.allow {
            Allow::Matcher(matcher) => matcher.rollback(back),
            Allow::Any | Allow::Tokens(_) => Ok(()),
        }
    }

    /// Whether the segment is over after the last token.
    pub fn over(&self, tokens: &[TokenId]) -> Option<Wake> {
        if self.closing {
            let out =
                matches!(&self.allow, Allow::Matcher(matcher) if matcher.accepting() == Ok(true));
            return out.then_some(Wake::MatcherFinished);
        }
        if self.heal.is_some() {
            return None;
        }
        let produced = &tokens[self.from.min(tokens.len())..];
        if self.finished() {
            return Some(Wake::MatcherFinished);
        }
        let last = produced.last()?;
        if self.until.triggers.contains(last) {
            Some(Wake::Triggered)
        } else if self.completes_stop(produced) {
            Some(Wake::StopMatched)
        } else if produced.len() >= self.token_limit() {
            Some(Wake::TokenLimit)
        } else {
            None
        }
    }

    /// Whether the last of the tokens completes a stop text, which may have begun before.
    fn completes_stop(&self, produced: &[TokenId]) -> bool {
        let mut stops = self.until.stops.iter().filter(|stop| !stop.is_empty());
        let Some(longest) = stops.clone().map(Vec::len).max() else {
            return false;
        };
        // Read once for all of them: there may be a thousand, at every token.
        let (text, last) = self.tail(produced, longest - 1);
        let completes = |stop: &Vec<u8>| {
            let most = last + stop.len() - 1;
            let tail = &text[text.len().saturating_sub(most)..];
            tail.windows(stop.len()).any(|window| window == stop)
        };
        stops.any(completes)
    }

    /// The text of the last token with so many bytes before it or more, as far as there are; and how
    /// many bytes the last token has.
    fn tail(&self, produced: &[TokenId], before: usize) -> (Vec<u8>, usize) {
        let bytes = |token: &TokenId| self.tokenizer.token_bytes(*token);
        let (mut first, mut length) = (produced.len().saturating_sub(1), 0);
        while first > 0 && length < before {
            first -= 1;
            length += bytes(&produced[first]).len();
        }
        let mut text = Vec::with_capacity(length);
        produced[first..]
            .iter()
            .for_each(|token| text.extend_from_slice(bytes(token)));
        let last = produced.last().map_or(0, |token| bytes(token).len());
        (text, last)
    }

    /// Tokens that must come next, whatever the model thinks.
    pub fn forced(&self) -> Result<VecDeque<TokenId>, Fault> {
        match (&self.heal, &self.allow) {
            (None, Allow::Matcher(matcher)) => Ok(matcher.forced()?.into()),
            _ => Ok(VecDeque::new()),
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

/// Refuses what no segment may be.
///
/// # Errors
/// [`Fault::DecisionTooLarge`], [`Fault::TokenUnknown`] and, for numbers that are none,
/// [`Fault::Unsupported`].
pub(super) fn check(generate: &Generate, vocab_size: u32) -> Result<(), Fault> {
    let Generate {
        allow,
        bias,
        params,
        splices,
        observe,
        until,
    } = generate;
    if let Allow::Matcher(matcher) = allow {
        matcher.check()?;
    }
    at_most(bias.len(), "biased tokens", BIASES_MAX)?;
    at_most(splices.len(), "splices", BIASES_MAX)?;
    at_most(until.stops.len(), "stop strings", BIASES_MAX)?;
    let stop_bytes: usize = until.stops.iter().map(Vec::len).sum();
    at_most(stop_bytes, "bytes of stop texts", STOP_TEXT_BYTES_MAX)?;
    at_most(until.triggers.len(), "triggers", BIASES_MAX)?;
    let named = splices
        .iter()
        .map(|splice| splice.sampled.len() + splice.tokens.len());
    at_most(named.sum(), "tokens in splices", SPLICE_TOKENS_MAX)?;
    if let Observe::Top(count) = *observe {
        let most = usize::from(OBSERVED_TOP_MAX);
        at_most(usize::from(count), "observed tokens", most)?;
    }
    let spliced = splices.iter().flat_map(|splice| &splice.tokens);
    let mut tokens = bias.iter().map(|(token, _)| token).chain(spliced);
    if let Some(&token) = tokens.find(|&&token| token >= vocab_size) {
        return Err(Fault::TokenUnknown { token, vocab_size });
    }
    let numbers = [params.temperature, params.top_p, params.min_p];
    let mut numbers = numbers.into_iter().flatten();
    if numbers.any(|number| !(number.is_finite() && number >= 0.0)) {
        let what = "a sampling parameter that is no number of at least 0";
        return Err(Fault::Unsupported { what });
    }
    match bias.iter().any(|(_, bias)| bias.is_nan()) {
        true => Err(Fault::Unsupported {
            what: "a bias that is no number",
        }),
        false => Ok(()),
    }
}

pub(super) fn at_most(count: usize, what: &'static str, max: usize) -> Result<(), Fault> {
    match count <= max {
        true => Ok(()),
        false => Err(Fault::DecisionTooLarge { what, max }),
    }
}

/// How the segment chooses its tokens: as the request says, where it says nothing else.
pub(super) fn sampling(request: &Sampling, generate: &Generate) -> Sampling {
    let params = generate.params;
    let mut sampling = request.clone();
    sampling.temperature = params.temperature.unwrap_or(sampling.temperature);
    sampling.top_p = params.top_p.unwrap_or(sampling.top_p);
    sampling.top_k = params.top_k.unwrap_or(sampling.top_k);
    sampling.min_p = params.min_p.unwrap_or(sampling.min_p);
    sampling.bias.extend(&generate.bias);
    sampling
}
