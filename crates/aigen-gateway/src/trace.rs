//! What is told of each finished request to whoever keeps traces: a span with OpenTelemetry's
//! attributes for generative AI. The trace is the caller's where a `traceparent` names one.

use crate::access::Facts;
use aigen_node::random_call_id;
use aigen_types::Slug;
use axum::http::{HeaderMap, Method};
use std::time::{Duration, SystemTime};

/// Takes spans. Called as requests end, so it must be quick and never wait.
pub trait Spans: Send + Sync + 'static {
    /// A request has ended.
    fn ended(&self, span: Span);
}

/// A finished request.
#[derive(Clone, Debug)]
pub struct Span {
    /// Where it belongs.
    pub context: TraceContext,
    /// What was done, and with which model: of few different texts.
    pub name: String,
    /// When it came.
    pub began: SystemTime,
    /// Until its reply had been read, or its caller was gone.
    pub took: Duration,
    /// Whether the fault is this server's.
    pub failed: bool,
    /// Names and values: counts, names and amounts, never a secret and nothing anyone said.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
    /// Texts.
    Texts(Vec<String>),
}

/// A request's place in a trace, by the W3C's recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not 0.
    pub trace: u128,
    /// This request's span; not 0.
    pub span: u64,
    /// The caller's span.
    pub parent: Option<u64>,
    /// Whether the caller, if it has an opinion, wants the trace kept.
    pub sampled: bool,
}

impl TraceContext {
    /// The caller's trace, or a new one where it names none, several or an invalid one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut named = headers.get_all("traceparent").iter();
        let parsed = match (named.next(), named.next()) {
            (Some(one), None) => one.to_str().ok().and_then(parse),
            _ => None,
        };
        let (trace, parent, sampled) = match parsed {
            Some((trace, parent, sampled)) => (trace, Some(parent), sampled),
            None => (drawn(), None, true),
        };
        Self {
            trace,
            span: drawn() as u64 | 1,
            parent,
            sampled,
        }
    }
}

fn drawn() -> u128 {
    random_call_id().0.max(1)
}

/// `version-trace-parent-flags`, in lower-case hexadecimal. A later version may have more parts.
fn parse(text: &str) -> Option<(u128, u64, bool)> {
    let mut parts = text.trim().split('-');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        part.bytes().all(hex).then_some(part)
    };
    let version = part(2).filter(|version| *version != "ff")?;
    let trace = u128::from_str_radix(part(32)?, 16).ok()?;
    let parent = u64::from_str_radix(part(16)?, 16).ok()?;
    let flags = u8::from_str_radix(part(2)?, 16).ok()?;
    let whole = version != "00" || parts.next().is_none();
    (whole && trace != 0 && parent != 0).then_some((trace, parent, flags & 1 == 1))
}

/// What a path does, in OpenTelemetry's words; nothing where no model is asked.
fn operation(path: &str) -> Option<&'static str> {
    match path {
        "/v1/chat/completions" | "/v1/responses" | "/v1/messages" => Some("chat"),
        "/v1/completions" => Some("text_completion"),
        "/v1/embeddings" => Some("embeddings"),
        _ => None,
    }
}

/// A request as it came, and how long it took.
pub(crate) struct Timed<'a> {
    pub context: TraceContext,
    pub method: &'a Method,
    pub path: &'a str,
    pub began: SystemTime,
    pub took: Duration,
}

impl Span {
    pub(crate) fn of(timed: &Timed<'_>, facts: &Facts, outcome: &str) -> Self {
        let operation = operation(timed.path);
        let words = [
            operation,
            facts.model.as_deref().filter(|_| operation.is_some()),
        ];
        let name: Vec<_> = words.into_iter().flatten().collect();
        let name = match name.is_empty() {
            true => timed.method.to_string(),
            false => name.join(" "),
        };
        let mut attributes = http(timed, facts, outcome);
        if let Some(operation) = operation {
            attributes.extend(generation(operation, facts, outcome));
        }
        Self {
            context: timed.context,
            name,
            began: timed.began,
            took: timed.took,
            failed: facts.status.is_some_and(|status| status >= 500),
            attributes,
        }
    }
}

fn http(timed: &Timed<'_>, facts: &Facts, outcome: &str) -> Vec<(&'static str, Attribute)> {
    let refused = facts.status.is_none_or(|status| status >= 400);
    let rows = [
        ("http.request.method", text(Some(timed.method))),
        ("url.path", text(Some(timed.path))),
        ("http.response.status_code", count(facts.status)),
        ("error.type", text(refused.then_some(outcome))),
        ("aigen.key", text(facts.key.as_ref().map(Slug::as_str))),
    ];
    present(rows)
}

fn generation(operation: &str, facts: &Facts, outcome: &str) -> Vec<(&'static str, Attribute)> {
    let model = text(facts.model.as_ref());
    let ran = facts.cost.is_some();
    let reasons = ran.then(|| Attribute::Texts(vec![outcome.to_owned()]));
    let tokens = |tokens: u64| count(ran.then_some(tokens));
    let first = facts
        .first_token
        .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    let rows = [
        ("gen_ai.operation.name", text(Some(operation))),
        ("gen_ai.provider.name", text(Some("aigen"))),
        ("gen_ai.response.model", model.clone().filter(|_| ran)),
        ("gen_ai.request.model", model),
        ("gen_ai.usage.input_tokens", tokens(facts.prompt_tokens)),
        (
            "gen_ai.usage.output_tokens",
            tokens(facts.completion_tokens),
        ),
        ("gen_ai.response.finish_reasons", reasons),
        ("aigen.time_to_first_token_micros", count(first)),
        ("aigen.controller", text(facts.controller)),
        ("aigen.cost", text(facts.cost)),
        ("aigen.hold", text(facts.hold)),
    ];
    present(rows)
}

fn text(value: Option<impl ToString>) -> Option<Attribute> {
    value.map(|value| Attribute::Text(value.to_string()))
}

fn count(value: Option<impl Into<u64>>) -> Option<Attribute> {
    value.map(|value| Attribute::Count(value.into()))
}

fn present<const N: usize>(
    rows: [(&'static str, Option<Attribute>); N],
) -> Vec<(&'static str, Attribute)> {
    let rows = rows.into_iter();
    rows.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_taken_only_as_it_should_be() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let span = "00f067aa0ba902b7";
        for (text, sampled) in [
            (format!("00-{trace}-{span}-01"), Some(true)),
            (format!("00-{trace}-{span}-00"), Some(false)),
            (format!("00-{trace}-{span}-03"), Some(true)),
            (format!("cc-{trace}-{span}-01-more"), Some(true)),
            (format!("00-{trace}-{span}-01-more"), None),
            (format!("ff-{trace}-{span}-01"), None),
            (format!("00-{}-{span}-01", trace.to_uppercase()), None),
            (format!("00-{}-{span}-01", "0".repeat(32)), None),
            (format!("00-{trace}-{}-01", "0".repeat(16)), None),
            (format!("00-{trace}-{span}"), None),
            (format!("00-{trace}-{span}x-01"), None),
            (String::new(), None),
        ] {
            assert_eq!(parse(&text).map(|(.., sampled)| sampled), sampled, "{text}");
        }
        let mut headers = HeaderMap::new();
        let value = format!("00-{trace}-{span}-01");
        headers.append("traceparent", value.parse().unwrap());
        let context = TraceContext::of(&headers);
        assert_eq!(format!("{:032x}", context.trace), trace);
        assert_eq!(context.parent, Some(0x00f0_67aa_0ba9_02b7));
        headers.append("traceparent", value.parse().unwrap());
        let two = TraceContext::of(&headers);
        assert_eq!(two.parent, None, "two say nothing");
        assert_ne!(two.trace, context.trace);
    }
}
