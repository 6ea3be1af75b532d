use crate::failure::Failure;
use crate::limits::BODY_BYTES_MAX;
use crate::state::{Gateway, GatewayState};
use crate::{access, aigen, anthropic, cors, functions, health, openai, tokens};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

/// Every route. Cross-origin requests are answered without the headers that browsers ask for,
/// unless the operator names their origin: a key belongs on a server, not in a page.
pub fn router(state: GatewayState) -> Router {
    let origins = state.origins.clone();
    let gateway = Gateway::from(state);
    let durable = axum::middleware::from_fn_with_state(gateway.clone(), aigen::journal::durable);
    Router::new()
        .merge(health::routes())
        .merge(openai::routes())
        .merge(anthropic::routes())
        .merge(functions::routes())
        .merge(tokens::routes())
        .nest("/v1/aigen", aigen::routes().layer(durable))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(gateway.clone())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_| {
            Failure::panicked().into_response()
        }))
        .layer(axum::middleware::from_fn_with_state(origins, cors::answer))
        .layer(axum::middleware::from_fn_with_state(gateway, access::log))
}

async fn no_route(method: Method, uri: Uri) -> Response {
    Failure::route_unknown(&method, uri.path()).into_response()
}

async fn no_method(method: Method, uri: Uri) -> Response {
    Failure::method_not_allowed(&method, uri.path()).into_response()
}
