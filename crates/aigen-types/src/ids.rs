use core::fmt;

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Zero and `u128::MAX` are never valid ids. Prints as 32 hex digits.
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                crate::hex::write(self.0.to_be_bytes(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, IdParseError> {
                let hex = is_hex(text, 32).then(|| u128::from_str_radix(text, 16).ok());
                hex.flatten().map(Self).ok_or(IdParseError { digits: 32 })
            }
        }
    };
}

id128! {
    /// A ledger account.
    AccountId
}
id128! {
    /// A ledger transfer; chosen by whoever asks for it, so that a retry is the same transfer.
    TransferId
}
id128! {
    /// One metered call; the receipt has the same id.
    CallId
}

/// One process that serves calls: drawn at random when it starts. Zero is a node that nobody named.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for NodeId {
    type Err = IdParseError;

    fn from_str(text: &str) -> Result<Self, IdParseError> {
        let hex = is_hex(text, 16).then(|| u64::from_str_radix(text, 16).ok());
        hex.flatten().map(Self).ok_or(IdParseError { digits: 16 })
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdParseError {
    digits: usize,
}

impl fmt::Display for IdParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, like) = (self.digits, "6f1c09e2a4b87d305e9d4c3b2a190f8e");
        let like = like.get(..digits).unwrap_or(like);
        write!(f, "an id has {digits} hex digits, like {like}")
    }
}

impl core::error::Error for IdParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_told_what_one_looks_like() {
        assert_eq!("00ff".parse(), Ok(CallId(255)));
        assert_eq!("f".repeat(16).parse(), Ok(NodeId(u64::MAX)));
        for bad in ["", "xyz", "+f", "-1", "0x1f", "f f", &"0".repeat(33)] {
            let error = bad.parse::<CallId>().unwrap_err();
            let said = alloc::format!("{error}");
            assert_eq!(
                said, "an id has 32 hex digits, like 6f1c09e2a4b87d305e9d4c3b2a190f8e",
                "{bad}"
            );
        }
        let error = "g".parse::<NodeId>().unwrap_err();
        assert_eq!(
            alloc::format!("{error}"),
            "an id has 16 hex digits, like 6f1c09e2a4b87d30"
        );
    }
}
