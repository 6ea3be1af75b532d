use crate::state::Gateway;
use crate::trace::{Span, Spans, Timed, TraceContext};
use aigen_node::{TraceParent, random_call_id, without_secrets};
use aigen_types::{Amount, CallId, Digest, Slug};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::Response;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One request's line in the access log: written when the last clone is dropped, which for a
/// stream is when its body ends or its reader is gone.
///
/// It carries names, counts and amounts; never a secret and nothing anyone said.
#[derive(Clone)]
pub(crate) struct Access(Arc<Line>);

struct Line {
    id: String,
    method: Method,
    path: String,
    began: Instant,
    came: SystemTime,
    context: TraceContext,
    spans: Option<Arc<dyn Spans>>,
    facts: Mutex<Facts>,
}

/// What becomes known while a request is served.
#[derive(Default)]
pub(crate) struct Facts {
    /// `None`: the client was gone before there was a reply.
    pub status: Option<u16>,
    /// Public part of the key.
    pub key: Option<Slug>,
    pub model: Option<String>,
    pub controller: Option<Digest>,
    /// The last of its calls, as its receipt names it.
    pub call: Option<CallId>,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Of all its calls; tokens are those of the last.
    pub cost: Option<Amount>,
    /// What calls before the last one cost.
    pub cost_before: Amount,
    /// All that was held for it, released or not.
    pub hold: Option<Amount>,
    pub first_token: Option<Duration>,
    /// How a completion ended, or the code of the failure.
    pub outcome: Option<String>,
}

/// Rides on a response to tell the log why it is a failure.
#[derive(Clone)]
pub(crate) struct Outcome(pub String);

impl Access {
    /// Names the request.
    pub fn begin(gateway: &Gateway, request: &mut Request) -> Self {
        let (method, path) = (request.method(), request.uri().path());
        let access = Self::new(method, path, request.headers(), gateway);
        request.extensions_mut().insert(access.clone());
        access
    }

    /// Names it in its answer, and takes note of that.
    pub fn end(self, response: &mut Response) {
        let status = response.status().as_u16();
        let failure = response.extensions_mut().remove::<Outcome>();
        self.note(|facts| {
            facts.status = Some(status);
            facts.outcome = facts.outcome.take().or(failure.map(|Outcome(code)| code));
        });
        if let Ok(id) = HeaderValue::from_str(&self.0.id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
    }

    fn new(method: &Method, path: &str, headers: &HeaderMap, gateway: &Gateway) -> Self {
        Self(Arc::new(Line {
            id: format!("req_{}", random_call_id()),
            method: method.clone(),
            path: without_secrets(path).into_owned(),
            began: Instant::now(),
            came: SystemTime::now(),
            context: TraceContext::of(headers),
            spans: gateway.spans.clone(),
            facts: Mutex::default(),
        }))
    }

    /// The whole path of the request, without what looks like a key in it.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What whoever is asked on the request's behalf is told of its trace.
    pub fn traceparent(&self) -> TraceParent {
        let TraceContext {
            trace,
            span,
            sampled,
            ..
        } = self.0.context;
        TraceParent {
            trace,
            span,
            sampled,
        }
    }

    /// Adds to what the line will say.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) {
        // A panic elsewhere leaves facts that are still true.
        change(&mut self.0.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let facts = self.facts.get_mut().unwrap_or_else(PoisonError::into_inner);
        let outcome = facts.outcome.as_deref();
        let outcome = outcome.unwrap_or(default_outcome(facts.status));
        tracing::info!(
            target: "aigen::access",
            id = self.id,
            trace = format_args!("{:032x}", self.context.trace),
            method = %self.method,
            path = self.path,
            status = facts.status,
            key = facts.key.as_ref().map(Slug::as_str),
            model = facts.model,
            controller = facts.controller.map(tracing::field::display),
            call = facts.call.map(tracing::field::display),
            prompt_tokens = facts.prompt_tokens,
            completion_tokens = facts.completion_tokens,
            cost = facts.cost.map(tracing::field::display),
            hold = facts.hold.map(tracing::field::display),
            first_token_micros = facts.first_token.map(micros),
            outcome,
            micros = micros(took),
            "request"
        );
        if let Some(spans) = self.spans.take().filter(|_| self.context.sampled) {
            let timed = Timed {
                context: self.context,
                method: &self.method,
                path: &self.path,
                began: self.came,
                took,
            };
            spans.ended(Span::of(&timed, facts, outcome));
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn default_outcome(status: Option<u16>) -> &'static str {
    match status {
        Some(_) => "ok",
        None => "client_gone",
    }
}

impl FromRequestParts<Gateway> for Access {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Infallible> {
        let access = parts.extensions.get::<Self>().cloned();
        let (method, path, headers) = (&parts.method, parts.uri.path(), &parts.headers);
        Ok(access.unwrap_or_else(|| Self::new(method, path, headers, gateway)))
    }
}
