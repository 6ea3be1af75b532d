use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aigen_jarvis::{Answer, Answered, OutsideError};
use futures::StreamExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url};

use crate::limits::{CONNECT_TIME_MAX, REDIRECTS_MAX, URL_BYTES_MAX};
use crate::{Origin, is_public};

/// Reads pages and calls tools. Clones share connections.
#[derive(Clone)]
pub struct Web {
    /// Connects to public addresses alone.
    guarded: Client,
    /// Connects wherever a name leads: for what an operator named with its scheme.
    trusted: Client,
}

/// What one answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until all of it is there.
    pub time: Duration,
    /// Bytes.
    pub bytes: usize,
}

/// A tool: a server that answers JSON that is posted to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Where it is.
    pub url: Url,
    /// The key that it is called with.
    pub key: Option<String>,
}

impl Web {
    /// # Errors
    /// When the TLS back end cannot start.
    pub fn open() -> Result<Self, reqwest::Error> {
        // Another provider that is installed already does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            guarded: client().dns_resolver(Arc::new(PublicOnly)).build()?,
            trusted: client().build()?,
        })
    }

    /// Reads a page within these origins. Nothing is connected to before it is checked.
    ///
    /// # Errors
    /// [`OutsideError::Denied`] where it is not within them, or leads into a private network;
    /// [`OutsideError::Limit`] where it is too long, or takes too long.
    pub async fn page(&self, url: &str, origins: &[Origin], bounds: Bounds) -> Answered {
        let reading = async {
            let mut url = parse(url)?;
            for _ in 0..=REDIRECTS_MAX {
                let response = self.get(&url, origins).await?;
                match redirected(&url, &response)? {
                    Some(next) => url = next,
                    None => return page(response, bounds).await,
                }
            }
            let why = format!("the page redirects more than {REDIRECTS_MAX} times");
            Err(OutsideError::Limit(why))
        };
        in_time(bounds, reading).await
    }

    /// Calls a tool with these arguments, which are JSON.
    ///
    /// # Errors
    /// [`OutsideError::Unavailable`] where it does not answer, or not with a status of success.
    pub async fn call(&self, tool: &Tool, arguments: String, bounds: Bounds) -> Answered {
        let calling = async {
            let mut post = self.trusted.post(tool.url.clone()).body(arguments);
            post = post.header(CONTENT_TYPE, "application/json");
            if let Some(key) = &tool.key {
                post = post.bearer_auth(key);
            }
            let response = send(post).await?;
            if !response.status().is_success() {
                let why = format!("the tool answers {}", response.status().as_u16());
                return Err(OutsideError::Unavailable(why));
            }
            let body = body(response, bounds).await?;
            match String::from_utf8(body) {
                Ok(text) => Ok(Answer::Text(text)),
                Err(_) => Err(OutsideError::Unavailable(
                    "the tool answers what is no text".to_owned(),
                )),
            }
        };
        in_time(bounds, calling).await
    }

    async fn get(&self, url: &Url, origins: &[Origin]) -> Result<Response, OutsideError> {
        let within = origins.iter().filter(|origin| origin.holds(url));
        let within: Vec<_> = within.collect();
        if within.is_empty() {
            return Err(OutsideError::Denied(format!(
                "`{}` is not among the hosts that this controller may read",
                url.origin().ascii_serialization()
            )));
        }
        let trusted = within.iter().any(|origin| origin.is_trusted());
        let client = match trusted {
            true => &self.trusted,
            false => &self.guarded,
        };
        send(client.get(url.clone())).await
    }
}

fn client() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        // A proxy would look names up itself, and connect where it likes.
        .no_proxy()
        .connect_timeout(CONNECT_TIME_MAX)
        .user_agent("aigen")
}

fn parse(url: &str) -> Result<Url, OutsideError> {
    let denied = |why: &str| OutsideError::Denied(why.to_owned());
    if url.len() > URL_BYTES_MAX {
        return Err(denied("the address is too long"));
    }
    let parsed = Url::parse(url).map_err(|_| denied("that is no address"))?;
    match parsed.username().is_empty() && parsed.password().is_none() {
        true => Ok(parsed),
        false => Err(denied("the address holds a name or a password")),
    }
}

/// Where the page is instead, if it is elsewhere.
fn redirected(url: &Url, response: &Response) -> Result<Option<Url>, OutsideError> {
    let location = response.headers().get(LOCATION);
    let Some(location) = location.filter(|_| response.status().is_redirection()) else {
        return Ok(None);
    };
    let next = location.to_str().ok().and_then(|next| url.join(next).ok());
    let lost = || OutsideError::Unavailable("the page redirects to no address".to_owned());
    parse(next.ok_or_else(lost)?.as_str()).map(Some)
}

async fn page(response: Response, bounds: Bounds) -> Answered {
    Ok(Answer::Page {
        status: response.status().as_u16(),
        body: body(response, bounds).await?,
    })
}

async fn send(request: RequestBuilder) -> Result<Response, OutsideError> {
    request.send().await.map_err(|error| failed(&error))
}

async fn body(response: Response, bounds: Bounds) -> Result<Vec<u8>, OutsideError> {
    let too_long = || OutsideError::Limit(format!("it has more than {} bytes", bounds.bytes));
    let said = response.content_length();
    if said.is_some_and(|said| usize::try_from(said).is_ok_and(|said| said > bounds.bytes)) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    let mut parts = response.bytes_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| failed(&error))?;
        if body.len() + part.len() > bounds.bytes {
            return Err(too_long());
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// What a controller may know of it: not the address, which may be the operator's, nor the
/// ones that a name leads to.
fn failed(error: &reqwest::Error) -> OutsideError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Private>() {
            return OutsideError::Denied(Private.to_string());
        }
        cause = error.source();
    }
    let why = match error {
        error if error.is_timeout() => "it does not answer in time",
        error if error.is_connect() => "there is no connection to it",
        _ => "its answer is broken",
    };
    OutsideError::Unavailable(why.to_owned())
}

async fn in_time(bounds: Bounds, asking: impl Future<Output = Answered>) -> Answered {
    let late = |_| {
        let seconds = bounds.time.as_secs_f64();
        OutsideError::Limit(format!("it takes more than {seconds} s"))
    };
    let answered = tokio::time::timeout(bounds.time, asking).await;
    answered.map_err(late)?
}

/// Names that lead to public addresses, and to no others.
struct PublicOnly;

/// A name leads into a private network.
#[derive(Debug, thiserror::Error)]
#[error("its name leads into a private network")]
struct Private;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            // One private address among public ones is no accident.
            match found.iter().all(|found| is_public(found.ip())) {
                true => Ok(Box::new(found.into_iter()) as Addrs),
                false => Err(Private.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that leads home is refused where the connection would be made, and by that name.
    #[tokio::test]
    async fn names_do_not_lead_into_private_networks() {
        let web = Web::open().unwrap();
        let url = "https://localhost:1/".parse::<Url>().unwrap();
        let refused = send(web.guarded.get(url.clone())).await.unwrap_err();
        let private = OutsideError::Denied(Private.to_string());
        assert_eq!(refused, private);
        let tried = send(web.trusted.get(url)).await.unwrap_err();
        let nobody = "there is no connection to it".to_owned();
        assert_eq!(tried, OutsideError::Unavailable(nobody));
    }
}
