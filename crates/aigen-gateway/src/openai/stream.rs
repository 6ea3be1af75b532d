use super::answer::{Underway, finish};
use super::conclusion::{conclude, unsettled};
use super::frame::Frame;
use super::logprobs::logprobs;
use super::speech::Part;
use super::wording::Wording;
use crate::failure::Failure;
use crate::replies::{RECEIPT, header};
use aigen_node::{CallEvent, Ended};
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::stream;
use std::convert::Infallible;
use tokio::time::timeout;

/// Answers with server-sent events.
pub(super) fn respond<W: Wording>(underway: Underway<W>) -> Response {
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
        frame: Frame::default(),
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
    frame: Frame,
    over: bool,
}

impl<W: Wording> Events<W> {
    fn open(&mut self) {
        let Underway { wording, head, .. } = &mut self.underway;
        wording.open(&mut self.frame, head);
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
                Err(_) => self.frame.raw(b": keep-alive\n\n"),
            }
        }
        while !self.over
            && let Ok(event) = self.underway.running.events.try_recv()
        {
            self.take(Some(event));
        }
        Some(self.frame.take().into())
    }

    fn take(&mut self, event: Option<CallEvent>) {
        match event {
            Some(CallEvent::Piece { choice, piece }) => {
                let tokens = logprobs(piece.logprobs, self.underway.tokenizer.as_deref());
                let speech = &mut self.underway.speeches[choice as usize];
                let parts = speech.hear(piece.text, tokens);
                parts.into_iter().for_each(|part| self.part(choice, part));
            }
            Some(CallEvent::Ended(ended)) => self.end(*ended),
            None => {
                let call = self.underway.running.call;
                let broken = unsettled(&self.underway.access, call);
                self.fail(broken.failure);
            }
        }
    }

    fn part(&mut self, choice: u32, part: Part) {
        if matches!(&part, Part::Text { text, logprobs } if text.is_empty() && logprobs.is_empty())
        {
            return;
        }
        let Underway { wording, head, .. } = &mut self.underway;
        wording.part(&mut self.frame, head, choice, part);
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
            running,
            head,
            speeches,
            wording,
            ..
        } = &mut self.underway;
        match conclude(gateway, access, running.call, ended) {
            Ok(mut conclusion) => {
                finish(&mut conclusion, speeches);
                wording.close(&mut self.frame, head, conclusion);
                self.over = true;
            }
            Err(broken) => self.fail(broken.failure),
        }
    }

    fn fail(&mut self, failure: Failure) {
        let Underway { wording, head, .. } = &mut self.underway;
        wording.fail(&mut self.frame, head, failure);
        self.over = true;
    }
}
