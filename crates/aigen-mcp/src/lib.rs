//! Published functions as tools of the Model Context Protocol, over the API and nothing else.
//!
//! ```text
//! client ─▶ POST /mcp ─▶ tools/list ─▶ GET /v1/aigen/functions ┐ in this process,
//!                    └─▶ tools/call ─▶ POST /v1/functions/…    ┘ with the caller's key
//! ```
//!
//! A tool is a function in the version that its name alone means; its value is structured content,
//! and its receipt stands in `_meta`. What the API refuses is a tool's error, in the API's words.
//!
//! Absent by construction: sessions (each request says everything), keys of the server's own, and
//! any way to the node but the API.

mod api;
mod name;
mod server;

use api::Api;
use axum::Router;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use server::Tools;
use std::sync::Arc;

/// Where the protocol is spoken.
pub const PATH: &str = "/mcp";

/// Bytes of a request: what the API takes of a call.
const BODY_BYTES_MAX: usize = 4 << 20;

/// The protocol at [`PATH`], and everything else as `api` answers it.
pub fn router(api: Router) -> Router {
    let tools = Tools::new(Api::new(api.clone()));
    // Every request carries a key, which a page of somebody else's does not have: the host it was
    // sent to proves nothing more. Browsers are refused as they are by the API.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(BODY_BYTES_MAX)
        .disable_allowed_hosts()
        .enforce_origin_validation();
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(tools.clone()), sessions, config);
    Router::new()
        .route_service(PATH, service)
        .route_layer(from_fn(with_key))
        .fallback_service(api)
}

/// A request without a key is told so before it is read.
async fn with_key(request: Request, next: Next) -> Response {
    if key(request.headers()).is_some() {
        return next.run(request).await;
    }
    let message = "the request carries no API key; send `Authorization: Bearer <key>`";
    let body = serde_json::json!({ "error": { "message": message, "code": "missing_api_key" } });
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (WWW_AUTHENTICATE, "Bearer"),
    ];
    (StatusCode::UNAUTHORIZED, headers, body.to_string()).into_response()
}

/// The caller's key, as the API reads it.
fn key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let plain = || headers.get("x-api-key")?.to_str().ok();
    bearer.or_else(plain).filter(|key| !key.is_empty())
}
