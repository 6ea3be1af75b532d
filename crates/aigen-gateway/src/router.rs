use crate::failure::Failure;
use crate::limits::BODY_BYTES_MAX;
use crate::state::{Gateway, GatewayState};
use crate::{access, aigen, health, openai};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

/// Every route. Cross-origin requests are answered without the headers that browsers ask
/// for: a key belongs on a server, not in a page.
pub fn router(state: GatewayState) -> Router {
    Router::new()
        .merge(health::routes())
        .merge(openai::routes())
        .nest("/v1/aigen", aigen::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(Gateway::from(state))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_| {
            Failure::panicked().into_response()
        }))
        .layer(axum::middleware::from_fn(access::log))
}

/// Serves until `shutdown` completes, then until the last reply is sent: whoever calls must
/// bound that wait, by shutting the node down.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Events are small and must not wait for each other.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

async fn no_route(method: Method, uri: Uri) -> Response {
    Failure::route_unknown(&method, uri.path()).into_response()
}

async fn no_method(method: Method, uri: Uri) -> Response {
    Failure::method_not_allowed(&method, uri.path()).into_response()
}
