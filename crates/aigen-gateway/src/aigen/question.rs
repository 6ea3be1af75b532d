//! What questions for sums have in common: whose, of when, and what to tell apart.

use crate::failure::Failure;
use aigen_node::Caller;
use aigen_types::Address;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A part of a question as what it means.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Failure> {
    text.map(str::parse)
        .transpose()
        .map_err(|error| Failure::invalid(name, error))
}

/// `account`: the key's own when absent, and nobody else's.
pub(super) fn own(caller: &Caller, account: Option<&str>) -> Result<Address, Failure> {
    let account = parsed("account", account)?;
    let account = account.unwrap_or_else(|| caller.account.clone());
    caller.must_own(&account)?;
    Ok(account)
}

/// `from` and `to`, which counts; everything of `all` where they are absent.
pub(super) fn between<T: FromStr<Err: Display> + Clone>(
    from: Option<&str>,
    to: Option<&str>,
    all: RangeInclusive<T>,
) -> Result<RangeInclusive<T>, Failure> {
    let (first, last) = all.into_inner();
    let from = parsed("from", from)?.unwrap_or(first);
    Ok(from..=parsed("to", to)?.unwrap_or(last))
}

/// `by`: which of these words it names, by commas.
pub(super) fn told_apart<const N: usize>(
    by: Option<&str>,
    known: [&str; N],
) -> Result<[bool; N], Failure> {
    let mut named = [false; N];
    let words = by.unwrap_or_default().split(',');
    for word in words.filter(|word| !word.is_empty()) {
        let Some(at) = known.iter().position(|known| *known == word) else {
            let reason = format!("{word:?} is none of {}", known.join(", "));
            return Err(Failure::invalid("by", reason));
        };
        named[at] = true;
    }
    Ok(named)
}
