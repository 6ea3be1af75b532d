use super::answer::{Streaming, Underway, json};
use super::conclusion::{conclude, unsettled};
use super::logprobs::logprobs;
use super::wording::Wording;
use crate::failure::Failure;
use crate::replies::{RECEIPT, header};
use aigen_node::{CallEvent, Ended};
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Serialize;
use std::convert::Infallible;
use tokio::time::timeout;

/// Answers with server-sent events, exactly as OpenAI words them.
pub(super) fn respond<W: Wording>(underway: Underway<W>, streaming: Streaming) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // nginx would otherwise gather events into pages.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
        (RECEIPT, header(&underway.running.call)),
    ];
    let mut events = Events {
        underway,
        streaming,
        frame: Vec::new(),
        over: false,
    };
    events.open();
    let frames = stream::unfold(events, |mut events| async move {
        let frame = events.next_frame().await?;
        Some((Ok::<_, Infallible>(frame), events))
    });
    (headers, Body::from_stream(frames)).into_response()
}

/// A stream on its way. Dropping it drops the call.
struct Events<W> {
    underway: Underway<W>,
    streaming: Streaming,
    /// Events that are ready and not written yet.
    frame: Vec<u8>,
    over: bool,
}

impl<W: Wording> Events<W> {
    fn open(&mut self) {
        let Underway { wording, head, .. } = &self.underway;
        if let Some(opening) = wording.opening(head) {
            write(&mut self.frame, &opening);
        }
    }

    /// Everything that is ready, in one write; a comment after too long a silence.
    async fn next_frame(&mut self) -> Option<Bytes> {
        while self.frame.is_empty() {
            if self.over {
                return None;
            }
            let event = self.underway.running.events.recv();
            match timeout(self.underway.gateway.keep_alive, event).await {
                Ok(event) => self.take(event),
                Err(_) => self.frame.extend_from_slice(b": keep-alive\n\n"),
            }
        }
        while !self.over
            && let Ok(event) = self.underway.running.events.try_recv()
        {
            self.take(Some(event));
        }
        Some(std::mem::take(&mut self.frame).into())
    }

    fn take(&mut self, event: Option<CallEvent>) {
        match event {
            Some(CallEvent::Piece(piece)) => {
                let Underway {
                    wording,
                    head,
                    tokenizer,
                    ..
                } = &mut self.underway;
                let tokens = logprobs(piece.logprobs, tokenizer.as_deref());
                if !piece.text.is_empty() || !tokens.is_empty() {
                    write(&mut self.frame, &wording.part(head, piece.text, tokens));
                }
            }
            Some(CallEvent::Ended(ended)) => self.end(*ended),
            None => {
                let call = self.underway.running.call;
                let broken = unsettled(&self.underway.access, call);
                self.fail(broken.failure);
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        let Underway {
            gateway,
            access,
            running,
            head,
            wording,
            ..
        } = &self.underway;
        let conclusion = match conclude(gateway, access, running.call, ended) {
            Ok(conclusion) => conclusion,
            Err(broken) => return self.fail(broken.failure),
        };
        if self.streaming.usage {
            write(
                &mut self.frame,
                &wording.ending(head, conclusion.finish, None),
            );
            let usage = wording.usage(head, conclusion.usage, conclusion.aigen);
            write(&mut self.frame, &usage);
        } else {
            let aigen = Some(conclusion.aigen);
            write(
                &mut self.frame,
                &wording.ending(head, conclusion.finish, aigen),
            );
        }
        self.frame.extend_from_slice(b"data: [DONE]\n\n");
        self.over = true;
    }

    /// The status line is long gone: the error is the last event.
    fn fail(&mut self, failure: Failure) {
        write(&mut self.frame, &failure.envelope());
        self.over = true;
    }
}

/// JSON has no line breaks of its own, so that one `data:` line holds it.
fn write<T: Serialize>(frame: &mut Vec<u8>, event: &T) {
    frame.extend_from_slice(b"data: ");
    frame.extend_from_slice(&json(event));
    frame.extend_from_slice(b"\n\n");
}
