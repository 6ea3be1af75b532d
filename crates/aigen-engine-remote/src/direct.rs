//! Connections to one upstream over plain HTTP, each driven by whoever waits for its answer.
//!
//! A client that serves everything costs a request some 20 µs of processor time: layers for redirects,
//! proxies and retries that are not wanted here, a URL read anew, and a task for each connection that has
//! to be woken for each part. Upstreams over TLS or behind a proxy go that way: see [`crate::road`].

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::Stream;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

use crate::Secret;
use crate::limits::{IDLE_CONNECTIONS_MAX, IDLE_TIME_MAX, PARTS_DROPPED_MAX};
use crate::quiet::Quiet;
use crate::road::AGENT;

/// Headers of a request: those of all, and where it belongs.
const HEADERS_MAX: usize = 6;

/// Where an upstream is, and the connections to it that nobody uses.
pub(crate) struct Direct {
    /// Host and port.
    address: String,
    /// Of every request.
    pub headers: HeaderMap,
    /// What every path begins with.
    pub base: String,
    idle: Mutex<VecDeque<Kept>>,
}

/// Why there is no answer.
pub(crate) enum Undone {
    /// No connection came about in time.
    Slow,
    NoConnection(io::Error),
    Broken(hyper::Error),
}

/// A connection that nobody uses.
struct Kept {
    since: Instant,
    open: Open,
}

/// A connection.
pub(crate) struct Open {
    /// Who hears of its parts: woken from another runtime, whoever waits would be woken twice.
    runtime: Id,
    quiet: Quiet,
    sender: SendRequest<Full<Bytes>>,
    wire: Wire,
}

/// What reads and writes.
struct Wire {
    connection: Pin<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    ended: bool,
}

impl Direct {
    /// None of what is not plain HTTP, or carries a password in its URL.
    pub fn to(url: &reqwest::Url, key: Option<&Secret>) -> Option<Self> {
        let host = url.host_str()?;
        let is_plain = url.scheme() == "http" && url.username().is_empty();
        if !is_plain || url.password().is_some() || url.query().is_some() {
            return None;
        }
        let named = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Some(Self {
            address: format!("{host}:{}", url.port().unwrap_or(80)),
            headers: headers(&named, key)?,
            base: url.path().trim_end_matches('/').to_owned(),
            idle: Mutex::default(),
        })
    }

    /// Asks. A connection that was kept may have been closed meanwhile: that is no fault of the upstream's,
    /// and a new one is tried. Only one of them is: what was sent may have been computed, and a request that
    /// ends its server would end one after the other.
    pub async fn send(
        &self,
        request: &Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<(Response<Incoming>, Open), Undone> {
        if let Some(mut open) = self.kept() {
            match open.ask(request.clone()).await {
                Ok(answer) => return Ok((answer, open)),
                Err(error) if error.is_parse() => return Err(Undone::Broken(error)),
                Err(_) => {}
            }
        }
        let connecting = tokio::time::timeout(patience, Open::to(&self.address));
        let mut open = connecting.await.map_err(|_| Undone::Slow)??;
        let answer = open.ask(request.clone()).await.map_err(Undone::Broken)?;
        Ok((answer, open))
    }

    /// The connection used last, of those that are still open.
    fn kept(&self) -> Option<Open> {
        loop {
            let Kept { since, mut open } = self.last()?;
            if since.elapsed() < IDLE_TIME_MAX && open.is_ready() {
                return Some(open);
            }
        }
    }

    fn last(&self) -> Option<Kept> {
        let here = Handle::current().id();
        let mut idle = self.idle();
        let at = idle.iter().rposition(|kept| kept.open.runtime == here)?;
        idle.remove(at)
    }

    /// Keeps a connection for the next request.
    pub fn keep(&self, open: Open) {
        if open.wire.ended || open.sender.is_closed() {
            return;
        }
        let mut idle = self.idle();
        let now = Instant::now();
        while idle.len() >= IDLE_CONNECTIONS_MAX
            || idle
                .front()
                .is_some_and(|kept| kept.since + IDLE_TIME_MAX < now)
        {
            idle.pop_front();
        }
        idle.push_back(Kept { since: now, open });
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        // Every write leaves the list whole, so a poisoned lock is still good.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn headers(host: &str, key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(HEADERS_MAX);
    headers.insert(HOST, HeaderValue::from_str(host).ok()?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = key {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.0)).ok()?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Some(headers)
}

impl Open {
    async fn to(address: &str) -> Result<Self, Undone> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(Undone::Broken)?;
        Ok(Self {
            runtime: Handle::current().id(),
            quiet: Quiet::default(),
            sender,
            wire: Wire {
                connection: Box::pin(connection),
                ended: false,
            },
        })
    }

    /// Whether the other side is still there, after a look at what it sent meanwhile. Nobody waits for it.
    fn is_ready(&mut self) -> bool {
        self.wire.drive(&mut Context::from_waker(Waker::noop()));
        !self.wire.ended && self.sender.is_ready()
    }

    async fn ask(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let Self {
            quiet,
            sender,
            wire,
            ..
        } = self;
        let mut answer = pin!(sender.send_request(request));
        poll_fn(|context| {
            quiet.poll(
                context,
                |within| answer.as_mut().poll(within),
                |within| wire.drive(within),
            )
        })
        .await
    }
}

impl Wire {
    /// Writes and reads what there is to be written and read.
    fn drive(&mut self, context: &mut Context<'_>) {
        // Of what ended it the request and the body hear.
        self.ended = self.ended || self.connection.as_mut().poll(context).is_ready();
    }
}

impl From<io::Error> for Undone {
    fn from(error: io::Error) -> Self {
        Self::NoConnection(error)
    }
}

/// The parts of an answer's body. Its connection is kept once all of it is there; dropping it before
/// closes the connection, which is how an upstream hears of it.
pub(crate) struct Parts {
    direct: Arc<Direct>,
    reading: Option<(Incoming, Open)>,
}

impl Parts {
    pub fn of(direct: Arc<Direct>, answer: Incoming, open: Open) -> Self {
        let reading = Some((answer, open));
        Self { direct, reading }
    }
}

impl Stream for Parts {
    type Item = Result<Bytes, hyper::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some((answer, open)) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let part = ready!(poll_part(answer, open, context));
        if !matches!(part, Some(Ok(_)))
            && let Some((_, open)) = self.reading.take()
            && part.is_none()
        {
            self.direct.keep(open);
        }
        Poll::Ready(part)
    }
}

/// Of a stream whose last event was heard there is an end to be read, mostly there already.
impl Drop for Parts {
    fn drop(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..PARTS_DROPPED_MAX {
            match Pin::new(&mut *self).poll_next(&mut context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) | Poll::Pending => return,
            }
        }
    }
}

/// More of the answer, as far as it can be read now.
fn poll_part(
    answer: &mut Incoming,
    open: &mut Open,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, hyper::Error>>> {
    let Open { quiet, wire, .. } = open;
    loop {
        let frame = quiet.poll(
            context,
            |within| Pin::new(&mut *answer).poll_frame(within),
            |within| wire.drive(within),
        );
        let Some(frame) = ready!(frame) else {
            return Poll::Ready(None);
        };
        match frame.map(Frame::into_data) {
            Ok(Ok(part)) => return Poll::Ready(Some(Ok(part))),
            // Trailers say nothing here.
            Ok(Err(_)) => {}
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
    }
}
