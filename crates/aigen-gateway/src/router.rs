use crate::cors::Origins;
use crate::failure::Failure;
use crate::limits::BODY_BYTES_MAX;
use crate::state::{Gateway, GatewayState};
use crate::{access, aigen, anthropic, cors, functions, health, openai, tokens};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;

/// Every route. Cross-origin requests are answered without the headers that browsers ask for,
/// unless the operator names their origin: a key belongs on a server, not in a page.
pub fn router(state: GatewayState) -> Router {
    let origins = state.origins.clone();
    let gateway = Gateway::from(state);
    let durable = axum::middleware::from_fn_with_state(gateway.clone(), aigen::journal::durable);
    let routes = Router::new()
        .merge(health::routes())
        .merge(openai::routes())
        .merge(anthropic::routes())
        .merge(functions::routes())
        .merge(tokens::routes())
        .nest("/v1/aigen", aigen::routes().layer(durable))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(gateway.clone());
    surrounded(routes, gateway, origins)
}

/// With what every request passes.
pub(crate) fn surrounded(routes: Router, gateway: Gateway, origins: Origins) -> Router {
    let around_it = Around { gateway, origins };
    routes.layer(axum::middleware::from_fn_with_state(around_it, around))
}

#[derive(Clone)]
struct Around {
    gateway: Gateway,
    origins: Origins,
}

/// In one layer: each is another copy of the route that it leads to, for every request.
async fn around(
    State(Around { gateway, origins }): State<Around>,
    mut request: Request,
    next: Next,
) -> Response {
    DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
    let caught = async |request| {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| Failure::panicked().into_response())
    };
    let across = async |request| cors::answer(&origins, request, caught).await;
    access::log(&gateway, request, across).await
}

async fn no_route(method: Method, uri: Uri) -> Response {
    worded(uri.path(), Failure::route_unknown(&method, uri.path())).await
}

async fn no_method(method: Method, uri: Uri) -> Response {
    worded(uri.path(), Failure::method_not_allowed(&method, uri.path())).await
}

/// Whoever asks below a path of Anthropic's reads Anthropic's errors.
async fn worded(path: &str, failure: Failure) -> Response {
    match path.starts_with("/v1/messages") {
        true => anthropic::reword(failure.into_response()).await,
        false => failure.into_response(),
    }
}
