//! Spans to an OpenTelemetry collector: OTLP over HTTP, in its JSON encoding.
//!
//! Written out here rather than taken from the `opentelemetry` crates: the messages of theirs come
//! with tonic and prost, some thirty crates, and what is sent is one small object.

use crate::config::TelemetryConfig;
use crate::failure::hinted;
use aigen_gateway::{Attribute, Span, Spans};
use anyhow::Result;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::env;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Spans that wait to be sent, at most; those beyond it are lost, and counted.
const WAITING_MAX: usize = 4_096;

/// Spans of one request to the collector: about half a megabyte.
const BATCH_MAX: usize = 512;

/// How long a span may wait for others to go with it.
const BATCH_TIME: Duration = Duration::from_secs(1);

/// How long the collector may take to answer.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);

/// Tries of a batch that the collector was too busy for.
const TRIES_MAX: u32 = 3;

/// How long the end of the process waits for the last spans.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(3);

/// The way to a collector.
pub struct Telemetry(mpsc::Sender<Told>);

enum Told {
    Span(Box<Span>),
    /// Everything before it is to be sent; then its sender hears of it.
    Flush(oneshot::Sender<()>),
}

impl Spans for Telemetry {
    fn ended(&self, span: Span) {
        if self.0.try_send(Told::Span(Box::new(span))).is_err() {
            tracing::debug!("the collector does not keep up: a span is lost");
        }
    }
}

impl Telemetry {
    /// Begins to send.
    ///
    /// # Errors
    /// A variable of the environment that should hold a secret and does not.
    pub fn start(config: &TelemetryConfig) -> Result<Arc<Self>> {
        let headers = config.authorization_env.as_deref().map(authorization);
        let client = Client::builder()
            .timeout(SEND_TIME_MAX)
            .default_headers(headers.transpose()?.unwrap_or_default())
            .build()?;
        let url = format!("{}/v1/traces", config.otlp.trim_end_matches('/'));
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(send_all(waiting, client, url));
        Ok(Arc::new(Self(sender)))
    }

    /// Waits until what was told so far is sent, or nobody takes it in time.
    pub async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        let flushed = async {
            let _ = self.0.send(Told::Flush(done)).await;
            let _ = sent.await;
        };
        let _ = timeout(FLUSH_TIME_MAX, flushed).await;
    }
}

fn authorization(variable: &str) -> Result<HeaderMap> {
    let value = env::var(variable).ok().filter(|value| !value.is_empty());
    let value = value.and_then(|value| HeaderValue::try_from(value).ok());
    let mut value = value.ok_or_else(|| {
        hinted(
            format!("the environment variable {variable} holds no `Authorization` header"),
            format!("set it, like {variable}=\"Bearer …\", or remove `authorization_env`"),
        )
    })?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

async fn send_all(mut waiting: mpsc::Receiver<Told>, client: Client, url: String) {
    while let Some(first) = waiting.recv().await {
        let (mut spans, mut flushed) = (Vec::new(), None);
        let mut next = Some(first);
        let until = Instant::now() + BATCH_TIME;
        while let Some(told) = next {
            match told {
                Told::Span(span) => spans.push(*span),
                Told::Flush(done) => flushed = Some(done),
            }
            let full = flushed.is_some() || spans.len() >= BATCH_MAX;
            next = match full {
                true => None,
                false => timeout_at(until, waiting.recv()).await.ok().flatten(),
            };
        }
        if !spans.is_empty() {
            send(&client, &url, &batch(&spans)).await;
        }
        if let Some(done) = flushed {
            let _ = done.send(());
        }
    }
}

async fn send(client: &Client, url: &str, batch: &Value) {
    for tries in 1..=TRIES_MAX {
        let (busy, problem) = match client.post(url).json(batch).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => (is_busy(answer.status()), answer.status().to_string()),
            Err(error) => (true, error.without_url().to_string()),
        };
        if !busy || tries == TRIES_MAX {
            tracing::warn!(problem, "the collector did not take spans: they are lost");
            return;
        }
        sleep(BATCH_TIME * tries).await;
    }
}

/// The answers that OTLP wants tried again.
fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

fn batch(spans: &[Span]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [
        attribute("service.name", &Attribute::Text("aigen".to_owned())),
        attribute("service.version", &Attribute::Text(version.to_owned())),
    ];
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{
            "scope": {"name": "aigen.gateway", "version": version},
            "spans": spans.iter().map(written).collect::<Vec<_>>(),
        }],
    }]})
}

/// `SPAN_KIND_SERVER`.
const SERVER: u8 = 2;

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// Ids are hexadecimal and 64-bit numbers text: OTLP's own rules for JSON.
fn written(span: &Span) -> Value {
    let context = &span.context;
    let attributes = span.attributes.iter();
    let attributes: Vec<_> = attributes
        .map(|(name, value)| attribute(name, value))
        .collect();
    let mut written = json!({
        "traceId": format!("{:032x}", context.trace),
        "spanId": format!("{:016x}", context.span),
        "name": span.name,
        "kind": SERVER,
        "startTimeUnixNano": nanos(span.began).to_string(),
        "endTimeUnixNano": nanos(span.began + span.took).to_string(),
        "attributes": attributes,
    });
    if let Some(parent) = context.parent {
        written["parentSpanId"] = format!("{parent:016x}").into();
    }
    if span.failed {
        written["status"] = json!({"code": ERROR});
    }
    written
}

fn attribute(name: &str, value: &Attribute) -> Value {
    let value = match value {
        Attribute::Text(text) => json!({"stringValue": text}),
        Attribute::Count(count) => json!({"intValue": count.to_string()}),
        Attribute::Texts(texts) => {
            let values = texts.iter().map(|text| json!({"stringValue": text}));
            json!({"arrayValue": {"values": values.collect::<Vec<_>>()}})
        }
    };
    json!({"key": name, "value": value})
}

fn nanos(at: SystemTime) -> u128 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}
