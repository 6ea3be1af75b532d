//! The API, asked inside this process.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

/// Nothing that a page asks for is larger: lists come by the page.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The API without a key.
#[derive(Clone)]
pub struct Api(Router);

/// The API with somebody's key.
pub struct Asked<'a> {
    api: &'a Api,
    key: &'a str,
}

/// The API refused, or answered something that is not understood.
#[derive(Debug)]
pub struct Trouble {
    pub status: StatusCode,
    pub message: String,
    pub hint: String,
}

impl Api {
    pub fn new(router: Router) -> Self {
        Self(router)
    }

    pub fn with<'a>(&'a self, key: &'a str) -> Asked<'a> {
        Asked { api: self, key }
    }
}

impl Asked<'_> {
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        read(self.send(Method::GET, path, Body::empty()).await?).await
    }

    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        read(self.open(path, body).await?).await
    }

    /// A reply whose body is still to come.
    pub async fn open(&self, path: &str, body: &impl Serialize) -> Result<Response, Trouble> {
        let body = serde_json::to_vec(body).map_err(Trouble::unread)?;
        self.send(Method::POST, path, body.into()).await
    }

    /// What is text and no JSON.
    pub async fn text(&self, path: &str) -> Result<String, Trouble> {
        let reply = self.send(Method::GET, path, Body::empty()).await?;
        let bytes = to_bytes(reply.into_body(), ANSWER_BYTES_MAX).await;
        let bytes = bytes.map_err(Trouble::unread)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> Result<Response, Trouble> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(Trouble::unread)?;
        let reply = match self.api.0.clone().oneshot(request).await {
            Ok(reply) => reply,
            Err(never) => match never {},
        };
        if reply.status().is_success() {
            return Ok(reply);
        }
        Err(Trouble::told(reply).await)
    }
}

async fn read<T: DeserializeOwned>(reply: Response) -> Result<T, Trouble> {
    let bytes = to_bytes(reply.into_body(), ANSWER_BYTES_MAX).await;
    serde_json::from_slice(&bytes.map_err(Trouble::unread)?).map_err(Trouble::unread)
}

impl Trouble {
    /// From the envelope that the API sends.
    async fn told(reply: Response) -> Self {
        let status = reply.status();
        let bytes = to_bytes(reply.into_body(), ANSWER_BYTES_MAX).await;
        let body: Value = serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default();
        let told = |field: &str| body["error"][field].as_str().unwrap_or_default().to_owned();
        let (message, hint) = (told("message"), told("hint"));
        // For who reads the message alone it ends in the way out, which pages say by itself.
        let alone = message
            .strip_suffix(&hint)
            .map(|rest| rest.trim_end_matches("; "));
        Self {
            status,
            message: alone.unwrap_or(&message).to_owned(),
            hint,
        }
    }

    fn unread(error: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            message: format!("the answer was not understood: {error}"),
            hint: "reload; if it stays, the node's log says more".to_owned(),
        }
    }
}
