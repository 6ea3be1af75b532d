use super::answer::{Underway, finish};
use super::conclusion::{conclude, unsettled};
use super::frame::Frame;
use super::logprobs::logprobs;
use super::once::Once;
use super::speech::Part;
use super::trace;
use super::wording::{Head, Wording};
use crate::failure::Failure;
use crate::limits::REPLIES_KEPT_BYTES_MAX;
use crate::replies::{Kind, RECEIPT, Reply, STREAM, header};
use aigen_node::{CallEvent, Ended, TraceStep};
use aigen_types::{Amount, CallId};
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use futures::stream;
use std::convert::Infallible;
use tokio::time::timeout;

/// What a stream says where there is nothing to say.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Answers with server-sent events; of one that still `waits`, with comments at first.
pub(super) fn respond<W: Wording>(underway: Box<Underway<W>>, once: Once, waits: bool) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (RECEIPT, header(&underway.asking.running().call)),
    ];
    let mut events = Events {
        underway,
        frame: Frame::default(),
        waits,
        over: false,
        recording: once.is_named().then(|| (once, Vec::new())),
        settled: None,
    };
    match waits {
        true => events.frame.raw(KEEP_ALIVE),
        false => events.open(),
    }
    let frames = stream::unfold(events, |mut events| async move {
        let frame = events.next_frame().await?;
        Some((Ok::<_, Infallible>(frame), events))
    });
    let between = AppendHeaders(STREAM);
    (headers, between, Body::from_stream(frames)).into_response()
}

/// A stream on its way. Dropping it drops the call.
struct Events<W> {
    underway: Box<Underway<W>>,
    frame: Frame,
    /// There is nothing to tell yet: the call has not left the line, or its answer is not verified.
    waits: bool,
    over: bool,
    /// Everything written so far, where it may be asked for again.
    recording: Option<(Once, Vec<u8>)>,
    /// Receipt and cost of an answer that is whole.
    settled: Option<(CallId, Amount)>,
}

impl<W: Wording> Events<W> {
    fn open(&mut self) {
        self.underway.begin();
        let Underway { wording, head, .. } = &mut *self.underway;
        wording.open(&mut self.frame, head);
    }

    /// Everything that is ready, in one write; a comment after too long a silence.
    async fn next_frame(&mut self) -> Option<Bytes> {
        while self.frame.is_empty() {
            if self.over {
                return None;
            }
            let keep_alive = self.underway.gateway.keep_alive;
            if timeout(keep_alive, self.hear()).await.is_err() {
                self.frame.raw(KEEP_ALIVE);
            }
        }
        while !self.over
            && !self.waits
            && let Some(event) = self.underway.asking.next_now().await
        {
            self.take(Some(event));
        }
        let bytes = self.frame.take();
        self.record(&bytes);
        Some(bytes.into())
    }

    /// What happens next. Nothing is lost if it is dropped before that.
    async fn hear(&mut self) {
        if !self.waits {
            let event = self.underway.asking.next().await;
            return self.take(event);
        }
        let ready = self.underway.asking.ready().await;
        self.waits = false;
        match ready {
            Ok(()) => self.open(),
            Err(error) => {
                let failure = Failure::to_payer(error, &self.underway.payer);
                let failure = self.underway.asking.before().charged_in(failure);
                self.underway
                    .access
                    .note(|facts| facts.outcome = Some(failure.code().to_owned()));
                self.fail(failure);
            }
        }
    }

    /// Keeps the whole stream for a retry, as a plain reply is kept: not if its reader left
    /// before the end, or it is too long.
    fn record(&mut self, bytes: &[u8]) {
        let Some((_, recorded)) = &mut self.recording else {
            return;
        };
        if recorded.len() + bytes.len() > REPLIES_KEPT_BYTES_MAX {
            self.recording = None;
            return;
        }
        recorded.extend_from_slice(bytes);
        if let Some((receipt, cost)) = self.settled
            && let Some((once, recorded)) = self.recording.take()
        {
            let reply = Reply {
                status: StatusCode::OK,
                receipt,
                cost,
                kind: Kind::Events,
                body: recorded.into(),
            };
            once.keep(&self.underway.gateway, &reply);
        }
    }

    fn take(&mut self, event: Option<CallEvent>) {
        match event {
            Some(CallEvent::Piece { choice, piece }) => {
                self.trace(choice, piece.trace);
                if !piece.reasoning.is_empty() {
                    self.part(choice, Part::Reasoning(piece.reasoning));
                }
                self.retract(choice, piece.retracted_bytes);
                let mut tokens = logprobs(piece.logprobs, self.underway.tokenizer.as_deref());
                let Self {
                    underway, frame, ..
                } = self;
                let speech = &mut underway.speeches[choice as usize];
                let (wording, head) = (&mut underway.wording, &underway.head);
                let before = frame.len();
                let parts = piece.text.parts();
                let others = parts.size_hint().0.saturating_sub(1);
                for (number, text) in parts.enumerate() {
                    speech.hear(text, std::mem::take(&mut tokens), |part| {
                        tell(wording, frame, head, choice, part);
                    });
                    if number == 0 && others > 0 {
                        frame.expect(others, frame.len() - before);
                    }
                }
            }
            Some(CallEvent::Ended(ended)) => self.end(*ended),
            None => {
                let call = self.underway.asking.running().call;
                let broken = unsettled(&self.underway.access, call);
                self.fail(broken.failure);
            }
        }
    }

    /// An event of our own, for those who asked for it: so many bytes of an answer's text so far go.
    fn retract(&mut self, choice: u32, bytes: u64) {
        if bytes > 0 {
            let event =
                format!("event: retract\ndata: {{\"index\":{choice},\"bytes\":{bytes}}}\n\n");
            self.frame.raw(event.as_bytes());
        }
    }

    /// An event of our own, for those who asked for it.
    fn trace(&mut self, choice: u32, steps: Vec<TraceStep>) {
        if !steps.is_empty() {
            let steps: Vec<_> = trace::steps(steps).collect();
            let event = serde_json::json!({ "index": choice, "steps": steps });
            self.frame.event("trace", &event);
        }
    }

    fn part(&mut self, choice: u32, part: Part<'_>) {
        let Underway { wording, head, .. } = &mut *self.underway;
        tell(wording, &mut self.frame, head, choice, part);
    }

    fn end(&mut self, ended: Ended) {
        let rests = (0..).zip(&mut self.underway.speeches);
        let rests = rests.filter_map(|(choice, speech)| Some((choice, speech.rest()?)));
        for (choice, rest) in rests.collect::<Vec<_>>() {
            self.part(choice, rest);
        }
        let Underway {
            gateway,
            access,
            asking,
            head,
            speeches,
            wording,
            ..
        } = &mut *self.underway;
        let (call, before) = (asking.running().call, asking.before());
        match conclude(gateway, access, (call, &before), ended) {
            Ok(mut conclusion) => {
                finish(&mut conclusion, speeches);
                self.settled = Some((conclusion.aigen.receipt, conclusion.aigen.cost));
                wording.close(&mut self.frame, head, conclusion);
                self.over = true;
            }
            Err(broken) => self.fail(broken.failure),
        }
    }

    fn fail(&mut self, failure: Failure) {
        let Underway { wording, head, .. } = &mut *self.underway;
        wording.fail(&mut self.frame, head, failure);
        self.over = true;
    }
}

/// Words a part, unless there is nothing in it.
fn tell<W: Wording>(wording: &mut W, frame: &mut Frame, head: &Head, choice: u32, part: Part<'_>) {
    if !matches!(&part, Part::Text { text, logprobs } if text.is_empty() && logprobs.is_empty()) {
        wording.part(frame, head, choice, part);
    }
}
