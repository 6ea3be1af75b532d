//! The API, asked inside this process.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

/// Nothing that is asked for is larger.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The API without a key.
#[derive(Clone)]
pub struct Api(Router);

/// The API refused, or answered something that is not understood.
#[derive(Debug)]
pub struct Trouble {
    /// Its status.
    pub status: u16,
    /// For people; it ends with the way out.
    pub message: String,
    /// Everything that it said.
    pub error: Value,
}

impl Api {
    pub fn new(router: Router) -> Self {
        Self(router)
    }

    pub async fn get(&self, key: &str, path: &str) -> Result<Value, Trouble> {
        self.send(Method::GET, key, path, Body::empty()).await
    }

    pub async fn post(&self, key: &str, path: &str, body: &Value) -> Result<Value, Trouble> {
        let body = Body::from(body.to_string());
        self.send(Method::POST, key, path, body).await
    }

    async fn send(
        &self,
        method: Method,
        key: &str,
        path: &str,
        body: Body,
    ) -> Result<Value, Trouble> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {key}"))
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(Trouble::unread)?;
        let reply = match self.0.clone().oneshot(request).await {
            Ok(reply) => reply,
            Err(never) => match never {},
        };
        let status = reply.status();
        let bytes = to_bytes(reply.into_body(), ANSWER_BYTES_MAX).await;
        let body: Value =
            serde_json::from_slice(&bytes.map_err(Trouble::unread)?).map_err(Trouble::unread)?;
        match status.is_success() {
            true => Ok(body),
            false => Err(Trouble::told(status, &body)),
        }
    }
}

impl Trouble {
    fn told(status: StatusCode, body: &Value) -> Self {
        let error = &body["error"];
        Self {
            status: status.as_u16(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            error: error.clone(),
        }
    }

    fn unread(error: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY.as_u16(),
            message: format!("the answer was not understood: {error}; the node's log says more"),
            error: Value::Null,
        }
    }
}
