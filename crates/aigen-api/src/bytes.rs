//! Serialised as base64: bytes that JSON has no form for.

use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serializer, de::Error};
use std::borrow::Cow;

/// For `Option<Vec<u8>>`; write `default` beside it so that a missing field is `None`.
pub(crate) mod option {
    use super::{Cow, Deserialize, Deserializer, Error, STANDARD, Serializer};
    use base64::Engine as _;

    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => to.serialize_str(&STANDARD.encode(bytes)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<Cow<str>>::deserialize(from)?;
        let decode = |text: Cow<str>| STANDARD.decode(text.as_bytes());
        text.map(decode).transpose().map_err(D::Error::custom)
    }
}
