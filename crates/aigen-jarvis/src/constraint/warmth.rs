//! A grammar's lexer builds its states as texts need them, and a session begins with those of the
//! prototype: what is walked through once is there for all.

use llguidance::Matcher;
use toktrie::{SimpleVob, TokTrie, TokenId};

/// Masks that are computed ahead, at most. A first one takes about 50 µs.
const MASKS: usize = 64;

/// Fuel of the lexer after which it is warm enough, 14,000 a millisecond: a grammar made to hurt
/// takes ten milliseconds longer to compile, and its sessions are no larger for it.
const FUEL: u64 = 150_000;

/// After so many tokens that go on the walk looks for the end of what it is in, like a string.
const GO_ON: usize = 3;

/// Tokens that a walk takes where they may come, in this order.
pub(super) struct Walk {
    on: Vec<TokenId>,
    out: Vec<TokenId>,
}

impl Walk {
    pub fn new(trie: &TokTrie) -> Self {
        let letters = |least: usize| {
            let mut tokens = 0..u32::try_from(trie.vocab_size()).unwrap_or(u32::MAX);
            tokens.find(|token| {
                let text = trie.token(*token);
                text.len() >= least && text.iter().all(u8::is_ascii_lowercase)
            })
        };
        let byte = |byte: &u8| trie.token_id(&[*byte]);
        Self {
            on: [6, 3, 1]
                .into_iter()
                .filter_map(letters)
                .chain(b"1 ".iter().filter_map(byte))
                .collect(),
            out: b"\"}],".iter().filter_map(byte).collect(),
        }
    }

    /// The matcher, whose lexer now knows what a plausible text needs; as it was where that
    /// text cost too much. The same grammar is always walked the same way, so that what a
    /// session's masks cost is the same in every run.
    pub fn warm(&self, prototype: Matcher) -> Matcher {
        let warm = prototype.deep_clone();
        // It shares the lexer of the one it is cloned from, and nothing else.
        let mut scout = warm.clone();
        match self.through(&mut scout) {
            Some(()) => warm,
            None => prototype,
        }
    }

    /// `None` where the matcher is in error.
    fn through(&self, scout: &mut Matcher) -> Option<()> {
        let begun = scout.last_step_stats().ok()?.lexer_cost;
        for step in 0..MASKS {
            let forced = scout.compute_ff_tokens();
            scout.consume_tokens(&forced).ok()?;
            if scout.is_stopped() {
                break;
            }
            let mask = scout.compute_mask().ok()?;
            if scout
                .last_step_stats()
                .ok()?
                .lexer_cost
                .saturating_sub(begun)
                > FUEL
            {
                break;
            }
            let token = self.choose(&mask, step % (GO_ON + 1) < GO_ON)?;
            scout.consume_token(token).ok()?;
        }
        (!scout.is_error()).then_some(())
    }

    fn choose(&self, mask: &SimpleVob, on: bool) -> Option<TokenId> {
        let (first, then) = match on {
            true => (&self.on, &self.out),
            false => (&self.out, &self.on),
        };
        let mut wanted = first.iter().chain(then).copied();
        let known = wanted.find(|token| mask.is_allowed(*token));
        known.or_else(|| mask.first_bit_set().and_then(|token| token.try_into().ok()))
    }
}
