//! One try of one upstream.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use aigen_engine::text::{Claimed, TextEvent, TextFault, TextFinish, TextRequest};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use sse_stream::SseByteStream;
use tokio::time::Sleep;

use crate::limits::{
    ANSWER_BYTES_LEAST, ERROR_BYTES_MAX, RETRY_AFTER_LEAST, RETRY_AFTER_MAX, RETRY_AFTER_TOLD_MAX,
    USAGE_WAIT_MAX, WIRE_BYTES_PER_TOKEN,
};
use crate::reader::Reader;
use crate::road::{Post, Reply};
use crate::upstream::Upstream;
use crate::wire;
use crate::{Options, Secret, Timeouts};

/// A try that failed.
pub(crate) struct Failed {
    pub fault: TextFault,
    /// What of it are the upstream's words, which may repeat what it was asked or has answered.
    pub said: String,
    /// Whether another try, or another upstream, may do better.
    pub again: bool,
    /// Whether it counts against the upstream.
    pub blame: bool,
    /// What the upstream said about when.
    pub after: Option<Duration>,
}

impl Failed {
    /// The upstream's fault, and another may do better.
    pub fn upstream(reason: impl Into<String>) -> Self {
        Self {
            fault: TextFault::Unavailable {
                reason: reason.into(),
                retry_after_millis: None,
            },
            said: String::new(),
            again: true,
            blame: true,
            after: None,
        }
    }

    pub fn slow(phase: &'static str, bound: Duration) -> Self {
        let seconds = bound.as_secs();
        Self {
            fault: TextFault::Timeout { phase, seconds },
            ..Self::upstream("")
        }
    }

    pub fn broken(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            fault: TextFault::Broken { reason },
            ..Self::upstream("")
        }
    }

    /// It is not what an answer looks like; the error repeats what it is instead.
    pub fn unread(error: &serde_json::Error) -> Self {
        let said = error.to_string();
        Self {
            said: said.clone(),
            ..Self::broken(said)
        }
    }

    /// What the log may say of it: the fault without the upstream's words.
    pub fn logged(&self) -> String {
        let fault = self.fault.to_string();
        match fault.strip_suffix(&self.said) {
            Some(own) if !self.said.is_empty() => format!("{own}…"),
            _ => fault,
        }
    }

    /// Without the key, which some servers repeat where they complain of it.
    pub fn without(mut self, key: Option<&Secret>) -> Self {
        let reason = match &mut self.fault {
            TextFault::Unavailable { reason, .. }
            | TextFault::Refused { reason }
            | TextFault::Broken { reason }
            | TextFault::Schema { reason, .. } => reason,
            TextFault::Timeout { .. } => return self,
        };
        if let Some(key) = key {
            *reason = key.left_out(reason);
            self.said = key.left_out(&self.said);
        }
        self
    }
}

/// The whole of a good answer, less its text.
#[derive(Debug)]
pub(crate) struct Answered {
    pub finish: TextFinish,
    pub claimed: Option<Claimed>,
}

/// Asks once, and hands every part of the answer to `heard` as it comes.
pub(crate) async fn attempt(
    options: &Options,
    upstream: &Upstream,
    request: &TextRequest,
    heard: &mut (dyn FnMut(TextEvent) + Send),
) -> Result<Answered, Failed> {
    let answered = asked(options, upstream, request, heard).await;
    answered.map_err(|failed| failed.without(upstream.options.key.as_ref()))
}

async fn asked(
    options: &Options,
    upstream: &Upstream,
    request: &TextRequest,
    heard: &mut (dyn FnMut(TextEvent) + Send),
) -> Result<Answered, Failed> {
    let began = Instant::now();
    let timeouts = options.timeouts;
    let reply = send(options, upstream, post(options, upstream, request)).await?;
    let streamed = content_type(&reply).starts_with("text/event-stream");
    let mut reader = Reader::new(request, upstream.options.key.clone());
    let reading = pin!(async {
        match streamed {
            true => read_stream(reply, timeouts, &mut reader, heard).await,
            false => read_whole(reply, timeouts, &mut reader, heard).await,
        }
    });
    let left = timeouts.total.saturating_sub(began.elapsed());
    match tokio::time::timeout(left, reading).await {
        Ok(answered) => answered,
        Err(_) => Err(Failed::slow("the answer", timeouts.total)),
    }
}

fn post(options: &Options, upstream: &Upstream, request: &TextRequest) -> Post<'static> {
    Post {
        path: wire::path(request),
        body: wire::body(request, &upstream.options.model, options.stream),
        traceparent: request.traceparent.map(|parent| parent.to_string()),
    }
}

/// Asks, and waits for the beginning of an answer that can be read.
pub(crate) async fn send(
    options: &Options,
    upstream: &Upstream,
    post: Post<'_>,
) -> Result<Reply, Failed> {
    let asked = &upstream.options;
    let Timeouts {
        connect: patience,
        first_byte: first,
        ..
    } = options.timeouts;
    let reply = {
        let answering = pin!(upstream.road.post(asked, post, patience));
        let answered = tokio::time::timeout(first, answering).await;
        answered.map_err(|_| Failed::slow("the first byte", first))??
    };
    match reply.status {
        StatusCode::OK if is_understood(&reply) => Ok(reply),
        StatusCode::OK => Err(Failed::upstream(format!(
            "it answered with {:?} instead of JSON or an event stream",
            content_type(&reply)
        ))),
        _ => Err(refused(reply, asked.key.as_ref()).await),
    }
}

fn is_understood(reply: &Reply) -> bool {
    let kind = content_type(reply);
    kind.starts_with("text/event-stream") || kind.starts_with("application/json")
}

fn content_type(reply: &Reply) -> String {
    let kind = reply.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase()
}

/// What a status other than 200 means for the caller, and for the upstream.
async fn refused(reply: Reply, key: Option<&Secret>) -> Failed {
    let Reply {
        status,
        headers,
        mut parts,
    } = reply;
    let after = retry_after(&headers);
    let mut body = Vec::new();
    while body.len() < ERROR_BYTES_MAX
        && let Ok(Some(Ok(part))) = tokio::time::timeout(RETRY_AFTER_MAX, parts.next()).await
    {
        body.extend_from_slice(&part);
    }
    let said = wire::message(&body, key);
    let unavailable = |how, after: Option<Duration>| TextFault::Unavailable {
        reason: format!("it is {how} ({status}){}", quoted(&said)),
        retry_after_millis: after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
    };
    let failed = match status.as_u16() {
        300..=399 => Failed::upstream(format!("it redirects ({status}), which is not followed")),
        400 | 413 | 422 => Failed {
            fault: TextFault::Refused {
                reason: said.clone(),
            },
            again: false,
            blame: false,
            ..Failed::upstream("")
        },
        // A wrong key or name is the operator's to mend; the caller should not read about it.
        401 | 403 | 404 => Failed::upstream(format!("it refuses this node ({status})")),
        429 => Failed {
            // Busy is not broken.
            blame: false,
            fault: unavailable("busy", Some(after.unwrap_or(RETRY_AFTER_LEAST))),
            after,
            ..Failed::upstream("")
        },
        503 => Failed {
            fault: unavailable("unavailable", after),
            after,
            ..Failed::upstream("")
        },
        _ => Failed {
            after,
            ..Failed::upstream(format!("it failed ({status}){}", quoted(&said)))
        },
    };
    Failed { said, ..failed }
}

/// In seconds or as a date. More seconds than fit a number are more than anybody waits for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let after = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
    let after = match is_number {
        true => Duration::from_secs(after.parse().unwrap_or(u64::MAX)),
        false => {
            let date = httpdate::parse_http_date(after).ok()?;
            date.duration_since(SystemTime::now()).unwrap_or_default()
        }
    };
    Some(after.min(RETRY_AFTER_TOLD_MAX))
}

/// What an upstream said of itself, where it said anything.
fn quoted(said: &str) -> String {
    match said.is_empty() {
        true => String::new(),
        false => format!(": {said}"),
    }
}

async fn read_whole(
    reply: Reply,
    timeouts: Timeouts,
    reader: &mut Reader,
    heard: &mut (dyn FnMut(TextEvent) + Send),
) -> Result<Answered, Failed> {
    let body = whole(reply, bytes_of(reader.max_tokens()), timeouts).await?;
    let _ = reader.take_whole(&body, heard)?;
    match reader.is_finished() {
        true => reader.answered(heard),
        false => Err(Failed::broken("it has no finish reason")),
    }
}

/// All of an answer's bytes.
pub(crate) async fn whole(
    reply: Reply,
    bytes_max: u64,
    timeouts: Timeouts,
) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    let mut parts = bounded(reply, bytes_max);
    // A server that computes the whole answer first is as silent as the answer is long.
    while let Some(part) = next(&mut parts, "the answer", timeouts.first_byte).await? {
        body.extend_from_slice(&part.map_err(Failed::broken)?);
    }
    Ok(body)
}

async fn read_stream(
    reply: Reply,
    timeouts: Timeouts,
    reader: &mut Reader,
    heard: &mut (dyn FnMut(TextEvent) + Send),
) -> Result<Answered, Failed> {
    let followed = follow(reply, timeouts, reader, heard).await;
    // What came before a failure was said all the same.
    reader.tell(heard);
    followed?;
    reader.answered(heard)
}

/// Reads events for as long as they belong to the answer. What came together is told together: before anything is
/// waited for.
async fn follow(
    reply: Reply,
    timeouts: Timeouts,
    reader: &mut Reader,
    heard: &mut (dyn FnMut(TextEvent) + Send),
) -> Result<(), Failed> {
    let bytes = bounded(reply, bytes_of(reader.max_tokens()));
    let mut patience = Patience::new("the first byte", timeouts.first_byte);
    let beating = patience.pulse.clone();
    let bytes = bytes.map(move |part| {
        beating.beat();
        part.map_err(std::io::Error::other)
    });
    let mut events = Box::pin(SseByteStream::new(bytes));
    loop {
        let next = match reader.is_finished() {
            false => patience.next(&mut events, || reader.tell(heard)).await,
            true => {
                reader.tell(heard);
                next(&mut events, "usage", timeouts.idle.min(USAGE_WAIT_MAX)).await
            }
        };
        let event = match next {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(event))) => event,
            // What is missing is how long the answer was, and nothing of it.
            _ if reader.is_finished() => return Ok(()),
            Ok(Some(Err(error))) => return Err(Failed::broken(chain(&error))),
            Err(failed) => return Err(failed),
        };
        let Some(data) = event.data.filter(|data| !data.is_empty()) else {
            continue;
        };
        if data.trim() == "[DONE]" || reader.take(&data, heard)?.is_break() {
            return Ok(());
        }
        patience.enter("the next part", timeouts.idle);
    }
}

/// When bytes came last. Comments are life, too: some servers send nothing else while a request waits.
#[derive(Clone)]
struct Pulse(Arc<Mutex<Instant>>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Pulse {
    fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What is left of `bound` since.
    fn left(&self, bound: Duration) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bound.saturating_sub(last.elapsed())
    }
}

/// Waits for events as long as bytes come. There is one timer for all of them, which is set anew when it has run out and
/// not for each.
struct Patience {
    pulse: Pulse,
    phase: &'static str,
    bound: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    fn new(phase: &'static str, bound: Duration) -> Self {
        Self {
            pulse: Pulse::default(),
            phase,
            bound,
            timer: Box::pin(tokio::time::sleep(bound)),
        }
    }

    /// What is waited for from now on, and how long it may take.
    fn enter(&mut self, phase: &'static str, bound: Duration) {
        if self.phase != phase {
            self.phase = phase;
            self.bound = bound;
            self.set(self.pulse.left(bound));
        }
    }

    fn set(&mut self, left: Duration) {
        let until = tokio::time::Instant::now() + left;
        self.timer.as_mut().reset(until);
    }

    /// What comes next; `waits` is done before that is waited for.
    async fn next<S: Stream + Unpin>(
        &mut self,
        stream: &mut S,
        mut waits: impl FnMut(),
    ) -> Result<Option<S::Item>, Failed> {
        poll_fn(|context| {
            if let Poll::Ready(item) = stream.poll_next_unpin(context) {
                return Poll::Ready(Ok(item));
            }
            waits();
            while self.timer.as_mut().poll(context).is_ready() {
                let left = self.pulse.left(self.bound);
                if left.is_zero() {
                    return Poll::Ready(Err(Failed::slow(self.phase, self.bound)));
                }
                self.set(left);
            }
            Poll::Pending
        })
        .await
    }
}

/// Bytes that an answer of so many tokens can need.
fn bytes_of(max_tokens: u64) -> u64 {
    ANSWER_BYTES_LEAST + WIRE_BYTES_PER_TOKEN * max_tokens
}

/// The response's bytes, no more than it can need.
fn bounded(
    reply: Reply,
    bytes_max: u64,
) -> impl Stream<Item = Result<Bytes, String>> + Send + Unpin + use<> {
    let mut left = bytes_max;
    reply.parts.map(move |part| {
        let part = part?;
        match left.checked_sub(part.len() as u64) {
            Some(rest) => {
                left = rest;
                Ok(part)
            }
            None => Err("it is far longer than was asked for".to_owned()),
        }
    })
}

async fn next<S: Stream + Unpin>(
    stream: &mut S,
    phase: &'static str,
    bound: Duration,
) -> Result<Option<S::Item>, Failed> {
    let item = tokio::time::timeout(bound, stream.next()).await;
    item.map_err(|_| Failed::slow(phase, bound))
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
