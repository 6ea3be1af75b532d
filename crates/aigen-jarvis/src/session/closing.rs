//! The shortest way that can be found out of a grammar, for where there is little room left.

use aigen_engine::{TokenId, Tokenizer};
use std::collections::BTreeMap;

use crate::constraint::Mask;
use crate::limits::{CLOSING_FUEL_MAX, CLOSING_TOKENS};
use crate::{Fault, Matcher};

/// Tokens that complete what the scout accepts, `most` at most; `None` if no way out was found. It is found without
/// chance, so that a replay finds the same; and which it is does not depend on `most`, since a replay has more room.
///
/// The shortest way through any grammar would take a search that no token's time allows. It is looked for greedily, and
/// where the text may have to contain a word, like the `xxy` of `.*xxy`, to which from outside no letter shows the way,
/// through one of those that stand in the grammar's source: see [`crate::constraint`].
pub(super) fn plan(
    scout: &Matcher,
    tokenizer: &dyn Tokenizer,
    closers: &Closers,
    most: usize,
) -> Result<Option<Vec<TokenId>>, Fault> {
    let walk = |scout: &Matcher, patience| {
        let bounds = Bounds {
            patience,
            tokens: CLOSING_TOKENS,
        };
        greedily(scout, tokenizer, closers, bounds)
    };
    let words = scout.words();
    if !words.is_empty() {
        let through = |word: &Vec<TokenId>| {
            let behind = scout.fork();
            // What goes wrong with this one is no matter of the text's.
            if behind.advance_while(word) != Ok(word.len()) {
                return None;
            }
            let rest = walk(&behind, PATIENCE).ok()??;
            Some([&word[..], &rest[..]].concat())
        };
        let way = walk(&scout.fork(), PATIENCE)?;
        if let Some(way) = way.or_else(|| words.iter().find_map(through)) {
            return Ok(Some(way).filter(|way| way.len() <= most));
        }
    }
    let bounds = Bounds {
        patience: usize::MAX,
        tokens: most,
    };
    greedily(scout, tokenizer, closers, bounds)
}

/// How far somebody goes who looks for a way out.
#[derive(Clone, Copy)]
struct Bounds {
    /// Tokens that change nothing of what may come.
    patience: usize,
    /// Tokens at all.
    tokens: usize,
}

/// The same without a word, which the scout goes: what closes something goes first, in JSON's order of what closes
/// what, then what stands between words.
///
/// What is forced on the way is cut into tokens greedily: the model's tokenizer would take longer than the rest.
fn greedily(
    scout: &Matcher,
    tokenizer: &dyn Tokenizer,
    closers: &Closers,
    bounds: Bounds,
) -> Result<Option<Vec<TokenId>>, Fault> {
    let (mut plan, mut fuel) = (Vec::new(), 0);
    let mut taken = Taken::default();
    let (mut last, mut unchanged) = (None, 0);
    while plan.len() <= bounds.tokens && fuel <= CLOSING_FUEL_MAX {
        if scout.accepting()? {
            return Ok(Some(plan));
        }
        let mut next = scout.forced_greedily()?;
        if next.is_empty() {
            let mask = scout.mask();
            fuel += scout.mask_fuel();
            match mask {
                Ok(mask) => {
                    unchanged = match last.as_ref() == Some(&mask) {
                        true => unchanged + 1,
                        false => 0,
                    };
                    if unchanged >= bounds.patience {
                        return Ok(None);
                    }
                    next.extend(closers.closing(&mask, &mut taken, tokenizer));
                    last = Some(mask);
                }
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

/// Tokens that change nothing before a word is tried: of `[a-z]{20}` so many, of `.*` all.
const PATIENCE: usize = 24;

/// Tokens of single bytes, in the order of what closes what. Made once: to have a text tokenised
/// takes longer than a mask.
pub(super) struct Closers {
    letters: Vec<TokenId>,
    inside: Vec<TokenId>,
    outside: Vec<TokenId>,
    /// What stands between words, like the hyphen of `[a-z]+-[a-z]+`.
    between: Vec<TokenId>,
    quote: Option<TokenId>,
}

/// How often each token closed something on a way out. What was of no use again and again is none.
type Taken = BTreeMap<TokenId, u32>;

/// In a text nearly every byte may come, and what is text there closes nothing however often it comes; two are
/// what patterns like `[0-9]{2}` want.
const INSIDE_MAX: u32 = 2;

/// As deep as anything is nested that has a way out within so many tokens.
const OUTSIDE_MAX: u32 = 64;

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
            // What ends a number goes before what makes it longer, and what ends a text of digits too.
            outside: tokens(b"}])>\",0123456789[{"),
            between: tokens(b"-@.:/+_ ;#"),
            quote: of_byte[usize::from(b'"')],
        }
    }

    /// The token that closes most, of those that may come and were not taken too often.
    fn closing(
        &self,
        mask: &Mask,
        taken: &mut Taken,
        tokenizer: &dyn Tokenizer,
    ) -> Option<TokenId> {
        // Where nearly any letter may come this is a string's inside, in which brackets are text.
        let inside = self.letters.iter().all(|letter| mask.contains(*letter));
        let (order, most) = match inside && !self.letters.is_empty() {
            true => (&self.inside, INSIDE_MAX),
            false => (&self.outside, OUTSIDE_MAX),
        };
        let most = |token: &TokenId| match self.quote == Some(*token) {
            true => OUTSIDE_MAX,
            false => most,
        };
        let may_come = |token: &TokenId| mask.contains(*token);
        let is_of_use = |token: &TokenId, most| taken.get(token).is_none_or(|count| *count < most);
        let mut closers = order.iter().copied().filter(may_come);
        let first = closers.find(|token| is_of_use(token, most(token)));
        let mut between = self.between.iter().copied().filter(may_come);
        let next = first.or_else(|| between.find(|token| is_of_use(token, INSIDE_MAX)));
        if let Some(token) = next {
            *taken.entry(token).or_default() += 1;
        }
        next.or_else(|| longest(mask, tokenizer))
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
