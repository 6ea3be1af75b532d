use crate::extract::only;
use crate::failure::Failure;
use aigen_api::openai::Extension;
use aigen_types::{Address, Digest, Slug};
use axum::http::HeaderMap;
use std::fmt::Display;
use std::str::FromStr;

const END_USER: (&str, &str) = ("X-Aigen-End-User", "aigen.end_user");
const BILL_TO: (&str, &str) = ("X-Aigen-Bill-To", "aigen.bill_to");

/// For whom a request is and who pays for it, where that is not the key's own account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parties {
    /// An end user of the key's spender. One word: it can name nobody else's account.
    pub end_user: Option<Slug>,
    /// A user who allows the key's account to spend.
    pub bill_to: Option<Address>,
}

impl Parties {
    /// # Errors
    /// A header that is not the name of such a party.
    pub fn of_headers(headers: &HeaderMap) -> Result<Self, Failure> {
        Ok(Self {
            end_user: header(headers, END_USER.0)?,
            bill_to: header(headers, BILL_TO.0)?,
        })
    }

    /// What headers and body say together.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn with(&self, extension: Option<&Extension>) -> Result<Self, Failure> {
        let extension = extension.cloned().unwrap_or_default();
        Ok(Self {
            end_user: one(self.end_user.clone(), extension.end_user, END_USER)?,
            bill_to: one(self.bill_to.clone(), extension.bill_to, BILL_TO)?,
        })
    }

    /// The digest of a request with this body: the same body for somebody else is another one.
    pub fn digest(&self, body: &[u8]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(body);
        if *self != Self::default() {
            let end_user = self.end_user.as_ref().map(Slug::as_str);
            let bill_to = self.bill_to.as_ref().map(Address::as_str);
            for name in [end_user, bill_to] {
                hasher.update(&[0]);
                hasher.update(name.unwrap_or_default().as_bytes());
            }
        }
        Digest(*hasher.finalize().as_bytes())
    }
}

fn header<T: FromStr<Err: Display>>(headers: &HeaderMap, name: &str) -> Result<Option<T>, Failure> {
    let Some(value) = only(headers, name)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let parsed = text.trim().parse().map(Some);
    parsed.map_err(|error: T::Err| match name {
        name if name == END_USER.0 => {
            let advice = "an e-mail address or any other text can be sent as its SHA-256, in hex";
            Failure::invalid(name, format!("{error} ({advice})"))
        }
        name => Failure::invalid(name, error),
    })
}

/// The same said twice is said once.
fn one<T: PartialEq>(
    header: Option<T>,
    field: Option<T>,
    (header_name, param): (&str, &str),
) -> Result<Option<T>, Failure> {
    match (header, field) {
        (Some(header), Some(field)) if header != field => {
            let reason = format!("is not what the header {header_name} says");
            Err(Failure::invalid(param, reason))
        }
        (header, field) => Ok(header.or(field)),
    }
}
