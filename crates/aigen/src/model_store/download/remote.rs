use super::partial::Partial;
use crate::failure::hinted;
use crate::failure::root_cause;
use anyhow::{Context, Result};
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use std::time::Duration;

/// Redirects followed; hubs need two.
const REDIRECTS_MAX: u32 = 10;

/// Seconds for a connection to stand, and for the next bytes to come.
const CONNECT_SECONDS_MAX: u64 = 10;
const SILENCE_SECONDS_MAX: u64 = 30;

/// A file on a server, and the reply that is about to give it from its beginning.
pub struct Remote {
    client: Client,
    /// What was asked for.
    url: Url,
    etag: Option<String>,
    /// Size of the file, if the server says it.
    pub bytes: Option<u64>,
    /// SHA-256 of the file in hex, if the server says it.
    pub sha256: Option<String>,
    response: Response,
}

impl Remote {
    /// Asks for the file.
    pub async fn find(url: Url) -> Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("aigen/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .read_timeout(Duration::from_secs(SILENCE_SECONDS_MAX))
            // Followed by hand: the hub names the checksum in the redirect itself.
            .redirect(redirect::Policy::none())
            .build()?;
        let (response, sha256) = get(&client, &url, 0).await?;
        if response.status() != StatusCode::OK {
            return Err(refused(&url, response.status()));
        }
        Ok(Self {
            etag: header(response.headers(), ETAG.as_str()),
            bytes: response.content_length(),
            client,
            url,
            sha256,
            response,
        })
    }

    /// A name for exactly this version of the file, so that a partial download is never
    /// continued with another's bytes.
    pub fn identity(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.url.as_str().as_bytes());
        hasher.update(format!("\n{:?} {:?}", self.etag, self.bytes).as_bytes());
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// The bytes after those that `partial` has; from the beginning, if the server cannot skip.
    pub async fn body(self, partial: &mut Partial) -> Result<Response> {
        if partial.bytes() == 0 {
            return Ok(self.response);
        }
        if self.bytes.is_none_or(|total| partial.bytes() > total) {
            partial.restart()?;
            return Ok(self.response);
        }
        let (response, _) = get(&self.client, &self.url, partial.bytes()).await?;
        let begins = format!("bytes {}-", partial.bytes());
        let range = header(response.headers(), CONTENT_RANGE.as_str());
        match response.status() {
            StatusCode::PARTIAL_CONTENT
                if range.is_some_and(|range| range.starts_with(&begins)) =>
            {
                Ok(response)
            }
            // Everything is here already: there are no bytes after the last.
            StatusCode::RANGE_NOT_SATISFIABLE if self.bytes == Some(partial.bytes()) => {
                Ok(response)
            }
            StatusCode::OK => {
                partial.restart()?;
                Ok(response)
            }
            _ => {
                partial.restart()?;
                Ok(self.response)
            }
        }
    }
}

/// Follows redirects to the file, from byte `from` on, and gathers its checksum on the way.
async fn get(client: &Client, url: &Url, from: u64) -> Result<(Response, Option<String>)> {
    let (mut at, mut sha256) = (url.clone(), None);
    for _ in 0..REDIRECTS_MAX {
        let mut request = client.get(at.clone());
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = request.send().await;
        let response = response.map_err(|error| unreachable(&at, error))?;
        sha256 = sha256.or_else(|| checksum(response.headers()));
        if !response.status().is_redirection() {
            return Ok((response, sha256));
        }
        let to = header(response.headers(), LOCATION.as_str());
        let to = to.with_context(|| format!("{at} redirects to nowhere"))?;
        at = at.join(&to)?;
    }
    anyhow::bail!("{url} redirects more than {REDIRECTS_MAX} times")
}

/// Hubs keep large files by their SHA-256 and give it as entity tag.
fn checksum(headers: &HeaderMap) -> Option<String> {
    ["x-linked-etag", "etag"].iter().find_map(|name| {
        let tag = header(headers, name)?;
        let tag = tag.trim_matches('"').to_lowercase();
        let is_sha256 = tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_sha256.then_some(tag)
    })
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn unreachable(url: &Url, error: reqwest::Error) -> anyhow::Error {
    let host = url.origin().ascii_serialization();
    hinted(
        format!("cannot reach {host}: {}", root_cause(error.into())),
        "check the network, or set AIGEN_HUB to a mirror; \
         a file that is already here is added with `aigen model add FILE`",
    )
}

fn refused(url: &Url, status: StatusCode) -> anyhow::Error {
    let hint = match status.as_u16() {
        401 | 403 => "it may need a login: download it in a browser, then `aigen model add FILE`",
        404 => "check owner, repository and file name on the hub's page of the model",
        _ => "try again later",
    };
    hinted(format!("{url} answered {status}"), hint)
}
