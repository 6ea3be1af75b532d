//! Keys where they do not belong: a key pasted into a path or a model's name must not stand in a
//! log or an error because of that.

use crate::auth::PREFIX;
use std::borrow::Cow;

/// Hex digits from which on a text is taken for a secret: a quarter of a whole one, since errors quote
/// the beginnings of texts.
const DIGITS_LEAST: usize = 16;

/// The same text with every `aigen_NAME.<secret>` shortened to `aigen_NAME.…`.
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut told = String::new();
    let mut rest = text;
    while let Some((before, after)) = next(rest) {
        told.push_str(before);
        told.push('…');
        rest = after;
    }
    match told.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(told + rest),
    }
}

/// Whether a text has a whole key in it.
#[must_use]
pub fn has_secret(text: &str) -> bool {
    next(text).is_some()
}

/// What stands before the first secret's digits, and what after them.
fn next(text: &str) -> Option<(&str, &str)> {
    text.match_indices(PREFIX).find_map(|(at, _)| {
        let begins = at + PREFIX.len();
        let key = text.get(begins..)?;
        let end = key.find(|c| !is_of_name(c)).unwrap_or(key.len());
        // Names may have dots: the digits begin after any of them.
        let mut dots = key.get(..end)?.match_indices('.');
        dots.find_map(|(dot, _)| {
            let from = begins + dot + 1;
            let digits = text.get(from..)?.bytes();
            let length = digits.take_while(u8::is_ascii_hexdigit).count();
            let found = length >= DIGITS_LEAST;
            found
                .then(|| text.split_at(from))
                .map(|(told, rest)| (told, rest.split_at(length).1))
        })
    })
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_name_wherever_it_stands() {
        let secret = "0f".repeat(32);
        let half = "0f".repeat(8);
        for (text, told) in [
            ("/v1/aigen/keys/ada-1".to_owned(), None),
            ("aigen_ada".to_owned(), None),
            ("aigen_ada.toml".to_owned(), None),
            (format!("/v1/models/{secret}"), None),
            ("aigen_ada.0f0f".to_owned(), None),
            (format!("aigen_.{secret}"), Some("aigen_.…")),
            (format!("aigen_v1.b.{secret}.x"), Some("aigen_v1.b.….x")),
            (format!("aigen_ada.{secret}"), Some("aigen_ada.…")),
            (format!("aigen_ada.{half}"), Some("aigen_ada.…")),
            (
                format!("keys/aigen_a-1.{secret}/limits"),
                Some("keys/aigen_a-1.…/limits"),
            ),
            (
                format!("aigen_ aigen_x.{secret}, aigen_y_2.{secret}!"),
                Some("aigen_ aigen_x.…, aigen_y_2.…!"),
            ),
        ] {
            assert_eq!(without_secrets(&text), told.unwrap_or(&text));
            assert_eq!(has_secret(&text), told.is_some(), "{text}");
        }
    }
}
