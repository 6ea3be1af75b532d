//! The API for the program that a gateway runs in: the same routes without a connection.

use crate::router::Api;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};

/// Asks the routes, by one key.
#[derive(Clone, Debug)]
pub struct InProcess {
    api: Api,
    key: String,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// With its query, if there is one.
    pub path: &'a str,
    /// JSON that is posted; without it something is read.
    pub body: Option<&'a [u8]>,
    /// The `Idempotency-Key`.
    pub once: Option<&'a str>,
}

impl InProcess {
    /// By requests with this key.
    #[must_use]
    pub fn new(api: Api, key: String) -> Self {
        Self { api, key }
    }

    /// The status and the whole body, which is in this process's memory already.
    ///
    /// # Errors
    /// A path or a key that no header or URL can have; a body that ends before it should.
    pub async fn ask(&self, question: Question<'_>) -> Result<(StatusCode, Bytes), axum::Error> {
        let request = self.request(question).map_err(axum::Error::new)?;
        let reply = self.api.answer(request).await;
        let status = reply.status();
        Ok((status, to_bytes(reply.into_body(), usize::MAX).await?))
    }

    fn request(&self, question: Question<'_>) -> Result<Request<Body>, axum::http::Error> {
        let (method, body) = match question.body {
            Some(body) => (Method::POST, Body::from(body.to_vec())),
            None => (Method::GET, Body::empty()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(question.path)
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header(CONTENT_TYPE, "application/json");
        if let Some(once) = question.once {
            request = request.header("idempotency-key", once);
        }
        request.body(body)
    }
}
