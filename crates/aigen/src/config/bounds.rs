//! Bounds of numbers, and what of a configuration may be repeated in an error.

use crate::failure::hinted;
use anyhow::Result;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// A day: whoever waits longer has made a mistake, and so much can be added to any time of the clock.
pub const SECONDS_MAX: u64 = 24 * 60 * 60;

/// A century, in days.
pub const DAYS_MAX: u64 = 36_500;

/// A pebibyte, in MiB.
pub const MIB_MAX: u64 = 1 << 30;

/// `key` says where the number stands.
///
/// # Errors
/// When the number is outside of its bounds.
pub fn within(key: &str, number: u64, bounds: RangeInclusive<u64>) -> Result<()> {
    match bounds.contains(&number) {
        true => Ok(()),
        false => Err(hinted(
            format!(
                "{key} is {number}, and may be {} to {}",
                bounds.start(),
                bounds.end()
            ),
            "leave it out for the default, which `aigen config --default` shows",
        )),
    }
}

/// A text with what URLs in it have before the `@` of their host taken out: errors are logged.
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed("");
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let ends = |letter: char| letter.is_whitespace() || "/\"'`?#".contains(letter);
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        let host = authority.rfind('@').unwrap_or_default();
        kept.to_mut().push_str(before);
        kept.to_mut()
            .push_str(if host > 0 { "://…" } else { "://" });
        rest = &after[host..];
    }
    match kept.is_empty() {
        true => Cow::Borrowed(text),
        false => kept + rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_of_urls_are_taken_out() {
        for (text, expected) in [
            ("no URL at all: a@b", "no URL at all: a@b"),
            ("`http://host:80/a@b` is", "`http://host:80/a@b` is"),
            (
                "`http://admin:secret@10.0.0.1/v1` is",
                "`http://…@10.0.0.1/v1` is",
            ),
            (
                "journal = [\"postgres://u:p@ss@h/db\"] and https://x?y=z@w",
                "journal = [\"postgres://…@h/db\"] and https://x?y=z@w",
            ),
            ("https://key@", "https://…@"),
        ] {
            assert_eq!(without_passwords(text), expected);
        }
    }

    #[test]
    fn a_bound_is_named_with_its_ends() {
        assert!(within("`days`", 1, 1..=2).is_ok());
        let error = within("`days`", 3, 1..=2).unwrap_err().to_string();
        assert!(
            error.starts_with("`days` is 3, and may be 1 to 2"),
            "{error}"
        );
    }
}
