use alloc::string::String;
use core::{fmt, str::FromStr};

/// A publisher's ed25519 public key. Prints as 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublisherKey(pub [u8; 32]);

/// An ed25519 signature. Prints as 128 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 64]);

/// The text is not as many hex digits as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexError(usize);

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is written as {} hexadecimal digits", self.0)
    }
}

impl core::error::Error for HexError {}

macro_rules! hexadecimal {
    ($($name:ident: $bytes:literal),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                parse(text).map(Self).ok_or(HexError($bytes * 2))
            }
        }
    )*};
}
hexadecimal!(PublisherKey: 32, Signature: 64);

fn parse<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let pair: String = pair.iter().copied().map(char::from).collect();
        *byte = u8::from_str_radix(&pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn written_as_it_is_read() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(text.parse::<PublisherKey>().unwrap().to_string(), text);
        for wrong in [&text[1..], &text.replace('0', "g"), &text.repeat(2), ""] {
            assert!(wrong.parse::<PublisherKey>().is_err(), "{wrong}");
        }
        let text = text.repeat(2);
        assert_eq!(text.parse::<Signature>().unwrap().to_string(), text);
    }
}
