//! The shortest way that can be found out of a grammar, for where there is little room left.

use aigen_engine::{TokenId, Tokenizer};

use crate::constraint::Mask;
use crate::limits::CLOSING_FUEL_MAX;
use crate::{Fault, Matcher};

/// Tokens that complete what the scout accepts, which goes them, `most` at most; `None` if no way out
/// was found. It is found without chance, so that a replay finds the same.
///
/// What is forced on the way is cut into tokens greedily: the model's tokenizer would take longer than the rest.
///
/// Greedy: what closes something goes first, in JSON's order of what closes what. The shortest
/// way through any grammar would take a search that no token's time allows, and text without an
/// end mark, like Lark's `/.*/ "END"`, has no way out that could be seen from outside.
pub(super) fn plan(
    scout: &Matcher,
    tokenizer: &dyn Tokenizer,
    closers: &Closers,
    most: usize,
) -> Result<Option<Vec<TokenId>>, Fault> {
    let (mut plan, mut fuel) = (Vec::new(), 0);
    while plan.len() <= most && fuel <= CLOSING_FUEL_MAX {
        if scout.accepting()? {
            return Ok(Some(plan));
        }
        let mut next = scout.forced_greedily()?;
        if next.is_empty() {
            let mask = scout.mask();
            fuel += scout.mask_fuel();
            match mask {
                Ok(mask) => next.extend(closers.closing(&mask, tokenizer)),
                Err(Fault::MaskEmpty) => {}
                Err(fault) => return Err(fault),
            }
        }
        if next.is_empty() {
            return Ok(None);
        }
        scout.advance(&next)?;
        plan.extend(next);
    }
    Ok(None)
}

/// Tokens of single bytes, in the order of what closes what. Made once: to have a text tokenised
/// takes longer than a mask.
pub(super) struct Closers {
    letters: Vec<TokenId>,
    inside: Vec<TokenId>,
    outside: Vec<TokenId>,
}

impl Closers {
    pub fn new(tokenizer: &dyn Tokenizer) -> Self {
        let mut of_byte = [None; 256];
        for token in (0..tokenizer.vocab_size()).rev() {
            if let [byte] = tokenizer.token_bytes(token) {
                of_byte[usize::from(*byte)] = Some(token);
            }
        }
        let tokens = |bytes: &[u8]| {
            let tokens = bytes.iter().filter_map(|byte| of_byte[usize::from(*byte)]);
            tokens.collect()
        };
        Self {
            letters: tokens(b"~Qz"),
            inside: tokens(b"\"}])>,0"),
            outside: tokens(b"}])>0123456789,\"[{"),
        }
    }

    /// The token that closes most, of those that may come.
    fn closing(&self, mask: &Mask, tokenizer: &dyn Tokenizer) -> Option<TokenId> {
        // Where nearly any letter may come this is a string's inside, in which brackets are text.
        let inside = self.letters.iter().all(|letter| mask.contains(*letter));
        let order = match inside && !self.letters.is_empty() {
            true => &self.inside,
            false => &self.outside,
        };
        let first = order.iter().copied().find(|token| mask.contains(*token));
        first.or_else(|| longest(mask, tokenizer))
    }
}

/// The token that says most; of equals the first.
fn longest(mask: &Mask, tokenizer: &dyn Tokenizer) -> Option<TokenId> {
    let length = |token: &TokenId| {
        let bytes = tokenizer.token_bytes(*token);
        let blank = bytes.iter().all(u8::is_ascii_whitespace);
        (!blank, bytes.len())
    };
    let tokens = mask.tokens().into_iter().rev();
    tokens
        .filter(|token| !tokenizer.is_special(*token))
        .max_by_key(length)
}
