//! The rest of a body that nobody reads.
//!
//! A reply may be ready before its request has wholly come: the key is wrong, the body too large. Were the
//! connection closed on what still comes, the client's machine would be told of a reset and forget the reply.

use crate::limits::LINGER_TIME_MAX;
use axum::body::{Bytes, HttpBody};
use axum::http::Request;
use axum::http::header::EXPECT;
use hyper::body::{Frame, Incoming, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A request's body. What is left of it when it is dropped is read and forgotten, for a while.
pub(crate) struct Lingering {
    /// `None` once it has ended.
    body: Option<Incoming>,
    /// What had come of it before anybody asked.
    first: Option<Result<Frame<Bytes>, hyper::Error>>,
    /// Whether its client sends it unasked.
    unasked: bool,
}

impl Lingering {
    pub fn in_place(request: Request<Incoming>) -> Request<Self> {
        // Who waits to be asked for its body sends none after a reply.
        let unasked = !request.headers().contains_key(EXPECT);
        request.map(|body| {
            let mut lingering = Self {
                body: Some(body),
                first: None,
                unasked,
            };
            if unasked {
                lingering.ask();
            }
            lingering
        })
    }

    /// Says that the body is wanted. Said now, the connection reads it behind the head, mostly from the same
    /// bytes; said later, all that is done for the connection is gone through once more to find it wanted.
    fn ask(&mut self) {
        let mut nobody_waits = Context::from_waker(Waker::noop());
        if let Poll::Ready(first) = Pin::new(&mut *self).poll_frame(&mut nobody_waits) {
            self.first = first;
        }
    }
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.first, &self.body) {
            (Some(_), _) => SizeHint::default(),
            (None, Some(body)) => body.size_hint(),
            (None, None) => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream());
        let left = left.filter(|_| self.unasked);
        // Without a runtime there is no connection either.
        if let (Some(left), Ok(runtime)) = (left, Handle::try_current()) {
            runtime.spawn(async move { timeout(LINGER_TIME_MAX, forget(left)).await });
        }
    }
}

async fn forget(mut body: Incoming) {
    while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {}
}
