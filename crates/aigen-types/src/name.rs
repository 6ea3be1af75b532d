use alloc::string::String;
use alloc::sync::Arc;
use core::{fmt, str::FromStr};

const NAME_BYTES_MAX: usize = 128;

/// Twice a name: any name fits behind the word that says what the address is for.
const ADDRESS_BYTES_MAX: usize = 2 * NAME_BYTES_MAX;

/// Why a text is not a name of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    kind: &'static str,
    rule: &'static str,
    text: String,
}

impl NameError {
    /// `text` is not `kind` ("a name"), because of `rule` (what to write instead).
    #[must_use]
    pub fn new(kind: &'static str, rule: &'static str, text: &str) -> Self {
        let text = text.chars().take(60).collect();
        Self { kind, rule, text }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not {}: {}", self.text, self.kind, self.rule)
    }
}

impl core::error::Error for NameError {}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
}

/// In one pass, since every journalled payment is read through it.
fn are_words(text: &str) -> bool {
    let mut before = b':';
    for byte in text.bytes() {
        if byte == b':' && before == b':' || !(is_plain(byte) || matches!(byte, b'/' | b'@' | b':'))
        {
            return false;
        }
        before = byte;
    }
    before != b':'
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $bytes_max:expr, $accepts:expr) => {
        $(#[$doc])*
        ///
        /// Cheap to clone: one text is shared.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The checked text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let accepts: fn(&str) -> bool = $accepts;
                if text.is_empty() || text.len() > $bytes_max || !accepts(text) {
                    return Err(NameError::new($kind, $rule, text));
                }
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name! {
    /// One plain word: the owner or the short name of something.
    Slug, "a name", "use 1 to 128 of a-z 0-9 - _ .",
    NAME_BYTES_MAX,
    |text| text.bytes().all(is_plain)
}

name! {
    /// The human-readable name of a ledger account: words joined by colons, like `app:tutor:user:42`.
    Address, "an address", "use words of a-z 0-9 - _ . / @ joined by single colons, like user:ada",
    ADDRESS_BYTES_MAX,
    are_words
}

name! {
    /// Whose spending a budget bounds: an address with everything below it, or with `:user:*` at
    /// its end each end user of an address, like `app:tutor:user:*`.
    BudgetPath, "a budget's path", "write an address, or one with :user:* at its end, like app:tutor:user:*",
    ADDRESS_BYTES_MAX,
    |text| text.strip_suffix(crate::path::EACH_USER).unwrap_or(text).parse::<Address>().is_ok()
}

name! {
    /// A model of the catalogue, like `aigen-tiny` or `acme/llama-8b`.
    ModelName, "a model name", "use a-z A-Z 0-9 - _ . / :",
    NAME_BYTES_MAX,
    |text| text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_fits_into_an_address() {
        let name: Slug = "x".repeat(NAME_BYTES_MAX).parse().unwrap();
        let address = alloc::format!("developer:{name}");
        assert!(address.parse::<Address>().is_ok());
        assert!("x".repeat(NAME_BYTES_MAX + 1).parse::<Slug>().is_err());
        assert!(
            "x".repeat(ADDRESS_BYTES_MAX + 1)
                .parse::<Address>()
                .is_err()
        );
    }

    #[test]
    fn addresses_are_words_joined_by_colons() {
        for good in [
            "treasury",
            "user:ada",
            "app:tutor:user:42",
            "controller:ada/quiz@1.0.0",
        ] {
            assert!(good.parse::<Address>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ":",
            "user:",
            "a::b",
            "User:ada",
            "user ada",
            "user:\u{e9}",
            "a\n",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }
}
