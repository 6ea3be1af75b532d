//! From a request to what a handler needs, or to the failure that names what is wrong.

use crate::access::Access;
use crate::failure::Failure;
use crate::limits::{BODY_BYTES_MAX, BODY_TIME_MAX, IDEMPOTENCY_KEY_BYTES_MAX};
use crate::parties::Parties;
use crate::state::Gateway;
use aigen_api::from_json;
use aigen_node::Caller;
use aigen_node::network::Scope;
use aigen_types::Digest;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::pin::{Pin, pin};
use std::str::FromStr;

/// Who asks, from `Authorization: Bearer` or `x-api-key`.
pub(crate) struct Key(pub Caller);

impl FromRequestParts<Gateway> for Key {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Failure> {
        let secret = secret(&parts.headers)?.ok_or_else(Failure::key_missing)?;
        // Every request has a key, so here each comes to know what other nodes have answered.
        gateway.node.catch_up().await;
        let caller = gateway.node.authenticate(secret)?;
        if let Some(access) = parts.extensions.get::<Access>() {
            access.note(|facts| facts.key = Some(caller.key.clone()));
            let scopes = scopes(&parts.method, access.path());
            gateway.node.must_have(&caller, scopes)?;
        }
        Ok(Self(caller))
    }
}

/// What a key is used for by a request of this path; any of several will do.
fn scopes(method: &Method, path: &str) -> &'static [Scope] {
    match path.starts_with("/v1/aigen/") {
        // Which models there are is read before any is asked.
        false if method.is_safe() => &[Scope::Complete, Scope::Read],
        false => &[Scope::Complete],
        // Rows are asked for with GET, and paid.
        true if is_paid(path) || path == "/v1/aigen/quote" => &[Scope::Complete],
        true if method.is_safe() => &[Scope::Read],
        true => &[Scope::Manage],
    }
}

fn is_paid(path: &str) -> bool {
    let of_dataset = path.starts_with("/v1/aigen/datasets/");
    of_dataset && (path.ends_with("/rows") || path.ends_with("/download"))
}

fn secret(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let bearer = only(headers, "Authorization")?.and_then(|value| {
        let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
    });
    let plain = only(headers, "X-Api-Key")?.and_then(|value| value.to_str().ok());
    Ok(bearer.or(plain).filter(|secret| !secret.is_empty()))
}

/// A header that says who asks, for whom or for which time: of two of them one would be ignored.
///
/// # Errors
/// There are several.
pub(crate) fn only<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a HeaderValue>, Failure> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(Failure::invalid(name, "the header is there more than once")),
        (one, None) => Ok(one),
    }
}

/// A request with a JSON body from a known caller. The key is checked before the body is read.
pub(crate) struct Post<T> {
    pub caller: Caller,
    pub access: Access,
    pub idempotency_key: Option<String>,
    /// What the headers say of them.
    pub parties: Parties,
    /// Large ones in a `Box`: what holds them is moved several times before it is answered.
    pub body: T,
    /// BLAKE3 of the body's bytes and of the parties that headers name.
    pub digest: Digest,
}

impl<T: DeserializeOwned> FromRequest<Gateway> for Post<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Key(caller) = Key::from_request_parts(&mut parts, gateway).await?;
        let Ok(access) = Access::from_request_parts(&mut parts, gateway).await;
        must_be_json(&parts.headers)?;
        let idempotency_key = idempotency_key(&parts.headers)?;
        if idempotency_key.is_some() && !is_done_once(access.path()) {
            return Err(Failure::never_done_once());
        }
        let parties = Parties::of_headers(&parts.headers)?;
        let max = bound(&parts)?;
        let reading = Bytes::from_request(Request::from_parts(parts, body), gateway);
        let bytes = read(pin!(reading), max).await?;
        Ok(Self {
            caller,
            access,
            idempotency_key,
            digest: parties.digest(&bytes),
            parties,
            body: from_json(&bytes)?,
        })
    }
}

/// Bytes of the body that a route takes, where it is another bound than everywhere.
#[derive(Clone, Copy)]
pub(crate) struct BodyMax(pub usize);

/// Bytes that a request's body may have. Who says that it sends more is not let send it.
fn bound(parts: &Parts) -> Result<usize, Failure> {
    let own = parts.extensions.get::<BodyMax>();
    let max = own.map_or(BODY_BYTES_MAX, |own| own.0);
    let declared = parts.headers.get(CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match declared.is_some_and(|length| length > max as u64) {
        true => Err(Failure::body_too_large(max)),
        false => Ok(max),
    }
}

/// The body, which stays where it is read: it would be part of each request three times otherwise.
async fn read(
    reading: Pin<&mut impl Future<Output = Result<Bytes, BytesRejection>>>,
    max: usize,
) -> Result<Bytes, Failure> {
    match tokio::time::timeout(BODY_TIME_MAX, reading).await {
        Err(_) => Err(Failure::body_slow()),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Failure::body_too_large(max))
        }
        Ok(Err(error)) => Err(Failure::body_broken(&error)),
        Ok(Ok(bytes)) => Ok(bytes),
    }
}

/// A body of another declared type is refused; one without a type is taken for JSON.
fn must_be_json(headers: &HeaderMap) -> Result<(), Failure> {
    let encoded = headers.get(CONTENT_ENCODING);
    if let Some(encoding) = encoded.filter(|encoding| *encoding != "identity") {
        return Err(Failure::encoded(&String::from_utf8_lossy(
            encoding.as_bytes(),
        )));
    }
    let Some(declared) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let declared = declared.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if essence == "application/json" || essence.ends_with("+json") {
        Ok(())
    } else {
        Err(Failure::not_json(essence))
    }
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = only(headers, "Idempotency-Key")? else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        return Err(Failure::invalid(
            "Idempotency-Key",
            format!("must be 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters"),
        ));
    }
    Ok(Some(key.to_owned()))
}

/// Whether what a path does has an id that an `Idempotency-Key` can stand for, so that asked again
/// it is done once: calls, transfers, and appeals, whose id is made of what they say. A quote does
/// nothing that could be done twice.
fn is_done_once(path: &str) -> bool {
    match path.strip_prefix("/v1/aigen/") {
        None | Some("issue" | "quote" | "transfers" | "stakes/add" | "stakes/remove") => true,
        Some(path) => {
            let paid_back = path.ends_with("/reverse") || path.ends_with("/refund");
            path.starts_with("receipts/") && paid_back || path.ends_with("/appeals")
        }
    }
}

/// The one parameter of the path, which may itself contain slashes.
pub(crate) struct Named<T>(pub T);

impl<T: FromStr<Err: Display>> FromRequestParts<Gateway> for Named<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Failure> {
        let Path(text): Path<String> = Path::from_request_parts(parts, gateway)
            .await
            .map_err(|error| Failure::invalid("path", error.body_text()))?;
        let parsed = text.parse().map(Self);
        parsed.map_err(|error: T::Err| {
            let reason = error.to_string();
            Failure::invalid("path", format!("{text:?}: {}", in_words(&reason)))
        })
    }
}

/// The query string.
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Gateway> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Failure> {
        let query = Query::from_request_parts(parts, gateway).await;
        let Query(asked) = query.map_err(|error| unasked(&error.body_text()))?;
        Ok(Self(asked))
    }
}

/// What a route is not asked: whoever asks it all the same would take the answer for another.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What is wrong with a query, in words of queries.
fn unasked(said: &str) -> Failure {
    let said = said.strip_prefix("Failed to deserialize query string: ");
    let said = said.unwrap_or("it cannot be read");
    let quoted = |before: &'static str| {
        let (name, _) = said.strip_prefix(before)?.split_once('`')?;
        Some((name, said))
    };
    let named = said.split_once(": ").filter(|(name, _)| is_word(name));
    let found = named
        .or(quoted("unknown field `"))
        .or(quoted("missing field `"))
        .or(quoted("duplicate field `"));
    let (name, reason) = found.unwrap_or(("query", said));
    Failure::invalid(name, in_words(reason))
}

/// Why something is no number, as people say it; other reasons are as they should be.
fn in_words(reason: &str) -> &str {
    match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number, 0 or more"
        }
        reason => reason,
    }
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
