//! The Anthropic API: the same answers, at the same price, in Anthropic's words.

mod errors;
mod messages;
mod wording;

use crate::state::Gateway;
use axum::Router;
use axum::middleware::map_response;
use axum::routing::post;
pub(crate) use errors::reword;

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route(messages::ROUTE, post(messages::create))
        .route("/v1/messages/count_tokens", post(messages::count_tokens))
        .layer(map_response(reword))
}
