use crate::failure::Failure;
use crate::metrics;
use crate::state::Gateway;
use aigen_node::NodeError;
use aigen_node::network::Refusal;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(scrape))
        .route("/api-doc/openapi.json", get(document))
}

async fn document() -> Response {
    ([(CONTENT_TYPE, "application/json")], aigen_api::OPENAPI).into_response()
}

/// The process is alive.
async fn health() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// It can answer completions: it is not about to end, the network is founded, its journal takes
/// commands, the models that it starts with are loaded, and there is one that would answer. Says which models do, and how far those have
/// come that are being loaded.
async fn ready(State(gateway): State<Gateway>) -> Result<Response, Failure> {
    let node = &gateway.node;
    if node.is_draining() {
        return Err(NodeError::ShuttingDown.into());
    }
    node.reach_journal()?;
    if node.network().founded().is_none() {
        return Err(NodeError::Refused(Refusal::NotFounded).into());
    }
    let models = node.models();
    let available = models
        .iter()
        .map(|(name, served)| (name.to_string(), served.is_available()));
    let available: BTreeMap<_, _> = available.collect();
    let starting = gateway.starting.load(Ordering::Relaxed);
    if starting || !available.values().any(|available| *available) {
        return Err(Failure::no_models(&node.loading()));
    }
    let mut ready = json!({"status": "ready", "models": available});
    let loading = node.loading();
    if !loading.is_empty() {
        let loading = loading.iter();
        ready["loading"] = loading
            .map(|(name, percent)| (name.to_string(), json!(percent)))
            .collect();
    }
    if config_rejected(&gateway) {
        ready["config"] = "rejected".into();
    }
    Ok(Json(ready).into_response())
}

/// Whether an older configuration is in effect than the file says: it serves all the same.
fn config_rejected(gateway: &Gateway) -> bool {
    gateway.config_rejected.load(Ordering::Relaxed)
}

async fn scrape(State(gateway): State<Gateway>) -> Response {
    let text = gateway
        .metrics
        .text(&gateway.node, config_rejected(&gateway));
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}
