//! How requests get to an upstream: over a connection of our own where it speaks plain HTTP, else by a client
//! that knows TLS and the proxies that the environment names.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::attempt::{Failed, chain};
use crate::direct::{Direct, Parts, Undone};
use crate::{Timeouts, UpstreamOptions};

pub(crate) const AGENT: &str = "aigen";

/// The way to one upstream.
pub(crate) enum Road {
    Direct(Arc<Direct>),
    Client(Client),
}

/// What is asked, beside the path.
pub(crate) struct Post<'a> {
    pub path: &'a str,
    /// JSON.
    pub body: Vec<u8>,
    pub traceparent: Option<String>,
}

/// An answer whose body is still to come.
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub parts: Pin<Box<dyn Stream<Item = Result<Bytes, String>> + Send>>,
}

/// A client for all upstreams that need one.
///
/// # Errors
/// When the TLS back end cannot start.
pub(crate) fn client(timeouts: Timeouts) -> Result<Client, reqwest::Error> {
    let client = Client::builder().redirect(Policy::none());
    let client = client.connect_timeout(timeouts.connect);
    client.user_agent(AGENT).build()
}

impl Road {
    pub fn to(upstream: &UpstreamOptions, client: &Client) -> Self {
        let url = &upstream.url;
        let direct = || {
            let proxied = Matcher::from_system().intercept(&url.parse().ok()?);
            match proxied {
                Some(_) => None,
                None => Direct::to(&Url::parse(url).ok()?, upstream.key.as_ref()),
            }
        };
        match direct() {
            Some(direct) => Self::Direct(Arc::new(direct)),
            None => Self::Client(client.clone()),
        }
    }

    /// Asks, and waits for the beginning of the answer.
    pub async fn post(
        &self,
        upstream: &UpstreamOptions,
        post: Post<'_>,
        patience: Duration,
    ) -> Result<Reply, Failed> {
        match self {
            Self::Direct(direct) => by_direct(direct, post, patience).await,
            Self::Client(client) => by_client(client, upstream, post, patience).await,
        }
    }
}

async fn by_direct(
    direct: &Arc<Direct>,
    post: Post<'_>,
    patience: Duration,
) -> Result<Reply, Failed> {
    let request = request(direct, post);
    let request = request.map_err(|error| Failed::upstream(chain(&error)))?;
    let sent = direct.send(&request, patience).await;
    let (answer, open) = sent.map_err(|undone| match undone {
        Undone::Slow => Failed::slow("the connection", patience),
        Undone::NoConnection(error) => Failed::upstream(chain(&error)),
        Undone::Broken(error) => Failed::upstream(chain(&error)),
    })?;
    let (head, body) = answer.into_parts();
    let parts = Parts::of(Arc::clone(direct), body, open);
    let parts = parts.map(|part| part.map_err(|error| chain(&error)));
    Ok(Reply {
        status: head.status,
        headers: head.headers,
        parts: Box::pin(parts),
    })
}

fn request(direct: &Direct, post: Post<'_>) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::new(Full::from(post.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("{}/{}", direct.base, post.path).try_into()?;
    *request.headers_mut() = direct.headers.clone();
    if let Some(traceparent) = post.traceparent {
        let name = HeaderName::from_static("traceparent");
        request.headers_mut().insert(name, traceparent.try_into()?);
    }
    Ok(request)
}

async fn by_client(
    client: &Client,
    upstream: &UpstreamOptions,
    post: Post<'_>,
    patience: Duration,
) -> Result<Reply, Failed> {
    let url = format!("{}/{}", upstream.url.trim_end_matches('/'), post.path);
    let mut request = client.post(url).header(CONTENT_TYPE, "application/json");
    request = request.body(post.body);
    if let Some(key) = &upstream.key {
        request = request.bearer_auth(&key.0);
    }
    if let Some(traceparent) = post.traceparent {
        request = request.header("traceparent", traceparent);
    }
    let response = request.send().await.map_err(|error| {
        match error.is_connect() && error.is_timeout() {
            true => Failed::slow("the connection", patience),
            // Without the URL, which an operator may have put a password into.
            false => Failed::upstream(chain(&error.without_url())),
        }
    })?;
    Ok(Reply {
        status: response.status(),
        headers: response.headers().clone(),
        parts: Box::pin(
            response
                .bytes_stream()
                .map(|part| part.map_err(|error| chain(&error.without_url()))),
        ),
    })
}
