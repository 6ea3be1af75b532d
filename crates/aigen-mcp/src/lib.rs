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
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
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

/// Bytes of a refusal of the protocol's server that are told: it says a sentence.
const REFUSAL_BYTES_MAX: usize = 4 << 10;

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
        return in_json(next.run(request).await).await;
    }
    let message = "the request carries no API key; send `Authorization: Bearer <key>`";
    let body = serde_json::json!({ "error": { "message": message, "code": "missing_api_key" } });
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (WWW_AUTHENTICATE, "Bearer"),
    ];
    (StatusCode::UNAUTHORIZED, headers, body.to_string()).into_response()
}

/// What the protocol's server refuses in plain text, as JSON-RPC words it: the same status, and what to do.
async fn in_json(response: Response) -> Response {
    let typed = response.headers().get(CONTENT_TYPE);
    let is_json = typed.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !response.status().is_client_error() || is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let said = to_bytes(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    // JSON-RPC 2.0: the body is no JSON, or no request.
    let (code, way_out) = match parts.status {
        StatusCode::METHOD_NOT_ALLOWED => {
            (-32600, "send requests with POST: there are no sessions")
        }
        _ => (
            -32700,
            "send JSON-RPC 2.0 as application/json, and accept application/json and text/event-stream",
        ),
    };
    let error = serde_json::json!({ "code": code, "message": format!("{said}; {way_out}") });
    let body = serde_json::json!({ "jsonrpc": "2.0", "id": null, "error": error });
    parts.headers.remove(CONTENT_LENGTH);
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(CONTENT_TYPE, json);
    Response::from_parts(parts, Body::from(body.to_string()))
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
