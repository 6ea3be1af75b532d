//! The OpenAI API: completions with exact money behind them.

pub(crate) mod answer;
mod asking;
mod chat;
mod completions;
pub(crate) mod conclusion;
mod embeddings;
pub(crate) mod frame;
mod logprobs;
pub(crate) mod models;
mod once;
mod parting;
mod responses;
pub(crate) mod speech;
pub(crate) mod steering;
mod stream;
pub(crate) mod tools;
mod trace;
pub(crate) mod wording;

use crate::state::Gateway;
use axum::Router;
use axum::routing::{get, post};

pub(crate) use chat::quote;
pub(crate) use models::{describe, price};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route(chat::ROUTE, post(chat::create))
        .route(completions::ROUTE, post(completions::create))
        .route(responses::ROUTE, post(responses::create))
        .route(embeddings::ROUTE, post(embeddings::create))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::get))
}
