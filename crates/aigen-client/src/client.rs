use crate::error::ClientError;
use crate::limits::CONNECT_SECONDS_MAX;
use crate::sse::SseDecoder;
use aigen_api::from_json;
use aigen_api::openai::{ChatChunk, ChatRequest, ChatResponse, ErrorEnvelope};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};
use std::{borrow::Cow, fmt, time::Duration};

/// The chunks of a streamed completion.
pub type ChatStream = BoxStream<'static, Result<ChatChunk, ClientError>>;

/// A gateway and a key for it. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
}

/// The key is not shown.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at `base_url`, with or without the final `/v1`. An empty key sends none.
    ///
    /// # Errors
    /// [`ClientError::Setup`] when the URL or the key cannot be sent.
    pub fn new(base_url: &str, key: &str) -> Result<Self, ClientError> {
        let base_url = base_url.trim_end_matches('/');
        let base_url = base_url.strip_suffix("/v1").unwrap_or(base_url).to_owned();
        let url = reqwest::Url::parse(&base_url);
        if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            let message = format!("{base_url:?} is not a URL like http://127.0.0.1:8080");
            return Err(ClientError::Setup(message));
        }
        install_tls();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .default_headers(credentials(key)?)
            .build()?;
        Ok(Self { http, base_url })
    }

    /// One chat completion.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, ClientError> {
        let request = with_stream(request, false);
        self.post("/v1/chat/completions", request.as_ref()).await
    }

    /// As [`Client::chat`], under a key of 1 to 255 visible characters: sent again with the same
    /// key, it is answered as the first time, and charged once.
    ///
    /// # Errors
    /// See [`ClientError`]; of the same key with another request, status 409.
    pub async fn chat_once(
        &self,
        request: &ChatRequest,
        key: &str,
    ) -> Result<ChatResponse, ClientError> {
        let request = with_stream(request, false);
        let call = self.request(Method::POST, "/v1/chat/completions");
        let call = call.header("Idempotency-Key", key).json(request.as_ref());
        read(send(call).await?).await
    }

    /// One chat completion, chunk by chunk as it is made. The stream ends when the
    /// server says `[DONE]`; dropping it earlier tells the server to stop.
    ///
    /// # Errors
    /// Before the first chunk as from [`Client::chat`]; later as the stream's last item.
    pub async fn chat_stream(&self, request: &ChatRequest) -> Result<ChatStream, ClientError> {
        let request = with_stream(request, true);
        let call = self.request(Method::POST, "/v1/chat/completions");
        let response = send(call.json(request.as_ref())).await?;
        Ok(chunks(response))
    }

    /// Reads a resource; `path` begins with a slash.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read(send(self.request(Method::GET, path)).await?).await
    }

    /// Creates or asks for something; `path` begins with a slash.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<B, T>(&self, path: &str, body: &B) -> Result<T, ClientError>
    where
        B: Serialize + ?Sized,
        T: DeserializeOwned,
    {
        read(send(self.request(Method::POST, path).json(body)).await?).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base_url))
    }
}

/// Makes TLS available to every `reqwest::Client` of this process; building one without it panics.
/// [`Client::new`] calls this; calling it again does nothing.
pub fn install_tls() {
    // An error says that a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn credentials(key: &str) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    if !key.is_empty() {
        let mut value = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| ClientError::Setup("the key has a character no key has".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// The request with `stream` as the method called needs it.
fn with_stream(request: &ChatRequest, stream: bool) -> Cow<'_, ChatRequest> {
    if request.is_stream() == stream {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    request.stream = Some(stream);
    if !stream {
        // Usage is in every plain reply; asking for it there is refused.
        request.stream_options = None;
    }
    Cow::Owned(request)
}

pub(crate) async fn send(request: RequestBuilder) -> Result<Response, ClientError> {
    let response = request.send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.bytes().await?;
    Err(ClientError::from_reply(status.as_u16(), &body))
}

pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    Ok(from_json(&response.bytes().await?)?)
}

/// Ends after the first error, and after `[DONE]`.
fn chunks(response: Response) -> ChatStream {
    let mut decoder = SseDecoder::default();
    let bytes = response.bytes_stream().map_err(ClientError::from);
    let events = bytes
        .map(move |bytes| decoder.push(&bytes?).map_err(|_| ClientError::Cut))
        .map_ok(|events| stream::iter(events.into_iter().map(Ok)))
        .try_flatten()
        // A stream that ends by itself was cut off.
        .chain(stream::iter([Err(ClientError::Cut)]));
    let items = events.map(|event| event.and_then(|data| read_event(&data)).transpose());
    let mut failed = false;
    items
        .take_while(|item| std::future::ready(item.is_some()))
        .filter_map(std::future::ready)
        .take_while(move |item| {
            let go_on = !failed;
            failed = item.is_err();
            std::future::ready(go_on)
        })
        .boxed()
}

/// `None` at the end of the stream.
fn read_event(data: &[u8]) -> Result<Option<ChatChunk>, ClientError> {
    if data == b"[DONE]" {
        return Ok(None);
    }
    match from_json(data) {
        Ok(chunk) => Ok(Some(chunk)),
        Err(shape) => match from_json::<ErrorEnvelope>(data) {
            Ok(_) => Err(ClientError::from_reply(200, data)),
            Err(_) => Err(shape.into()),
        },
    }
}

#[cfg(test)]
mod tests;
