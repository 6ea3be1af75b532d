//! The shortest way that can be found out of a grammar, for where there is little room left.

use aigen_engine::{TokenId, Tokenizer};

use crate::constraint::Mask;
use crate::{Fault, Matcher};

/// Tokens that complete what the matcher accepts, `most` of them at most; `None` if no way out
/// was found. It is found without chance, so that a replay finds the same.
///
/// Greedy: what closes something goes first, in JSON's order of what closes what. The shortest
/// way through any grammar would take a search that no token's time allows, and text without an
/// end mark, like Lark's `/.*/ "END"`, has no way out that could be seen from outside.
pub(super) fn plan(
    matcher: &Matcher,
    tokenizer: &dyn Tokenizer,
    most: usize,
) -> Result<Option<Vec<TokenId>>, Fault> {
    let (scout, mut plan) = (matcher.fork(), Vec::new());
    while plan.len() <= most {
        if scout.accepting()? {
            return Ok(Some(plan));
        }
        let mut next = scout.forced()?;
        if next.is_empty() {
            match scout.mask() {
                Ok(mask) => next.extend(closing(&mask, tokenizer)),
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

/// The token that closes most, of those that may come.
fn closing(mask: &Mask, tokenizer: &dyn Tokenizer) -> Option<TokenId> {
    // Where nearly any letter may come this is a string's inside, in which brackets are text.
    let letters = single(tokenizer, b"~Qz");
    let inside = letters.iter().all(|letter| mask.contains(*letter)) && !letters.is_empty();
    let order: &[u8] = match inside {
        true => b"\"}])>,0",
        false => b"}])>0123456789,\"[{",
    };
    let first = single(tokenizer, order).into_iter();
    let first = first.clone().find(|token| mask.contains(*token));
    first.or_else(|| longest(mask, tokenizer))
}

/// The tokens of these bytes alone, in their order.
fn single(tokenizer: &dyn Tokenizer, bytes: &[u8]) -> Vec<TokenId> {
    let token = |byte: &u8| {
        let text = char::from(*byte).to_string();
        match tokenizer.encode(&text, false, false)[..] {
            [token] if tokenizer.token_bytes(token) == [*byte] => Some(token),
            _ => None,
        }
    };
    bytes.iter().filter_map(token).collect()
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
