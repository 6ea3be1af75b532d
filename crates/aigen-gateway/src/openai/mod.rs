//! The OpenAI API: completions with exact money behind them.

mod answer;
mod chat;
mod completions;
mod conclusion;
mod logprobs;
mod models;
mod once;
mod steering;
mod stream;
mod wording;

use crate::state::Gateway;
use axum::Router;
use axum::routing::{get, post};

pub(crate) use models::price;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route(chat::ROUTE, post(chat::create))
        .route(completions::ROUTE, post(completions::create))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::get))
}
