use crate::failure::Failure;
use crate::state::Gateway;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
}

/// The process is alive.
async fn health() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// It can answer completions: the network is founded, its journal takes commands, and there
/// is a model.
async fn ready(State(gateway): State<Gateway>) -> Result<Response, Failure> {
    gateway.node.reach_journal()?;
    if gateway.node.network().founded().is_none() {
        return Err(
            aigen_node::NodeError::Refused(aigen_node::network::Refusal::NotFounded).into(),
        );
    }
    if gateway.node.models().is_empty() {
        return Err(Failure::no_models());
    }
    Ok(Json(json!({"status": "ready"})).into_response())
}
