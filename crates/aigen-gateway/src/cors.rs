//! Which web pages may ask, by the Fetch standard's protocol: those of origins that the operator names.
//!
//! Everybody else is answered without the headers that browsers ask for. No cookie is ever read here, so
//! that a page has to have a key of its own.

use crate::limits::PREFLIGHT_SECONDS;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");

/// What a script may read of an answer beside its body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-request-id, x-aigen-receipt, x-aigen-cost, retry-after, x-should-retry, \
     x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, \
     x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens",
);

/// Origins, like `https://app.example`, whose pages may ask.
pub(crate) type Origins = Arc<[String]>;

/// The origin of a request that may ask.
pub(crate) struct Origin(HeaderValue);

impl Origin {
    pub fn allowed(origins: &[String], headers: &HeaderMap) -> Option<Self> {
        let origin = headers.get(ORIGIN)?;
        let is_named = origins.iter().any(|named| named.as_bytes() == origin);
        is_named.then(|| Self(origin.clone()))
    }

    /// Says that its page may read the answer.
    pub fn tell(self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

/// What a browser is told that asks before it asks: any header it names, since a key is what counts.
pub(crate) fn preflight(request: &Request) -> Option<Response> {
    let headers = request.headers();
    if request.method() != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut allowed = HeaderMap::new();
    allowed.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    allowed.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS.into());
    if let Some(named) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, named.clone());
    }
    Some((StatusCode::NO_CONTENT, allowed).into_response())
}
