use crate::access::Access;
use crate::cors::{Origin, Origins, preflight};
use crate::failure::Failure;
use crate::limits::BODY_BYTES_MAX;
use crate::state::{Gateway, GatewayState};
use crate::{aigen, anthropic, functions, health, openai, tokens};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};
use tower::Service;

/// Every route, with what each request passes.
///
/// It is no layer of the router's: each of those is another copy of the route that it leads to, and another future in a
/// box, for every request. Where a [`Router`] is asked for, `into` makes one.
#[derive(Clone)]
pub struct Api {
    routes: Router,
    gateway: Gateway,
    origins: Origins,
}

/// Every route. Cross-origin requests are answered without the headers that browsers ask for,
/// unless the operator names their origin: a key belongs on a server, not in a page.
pub fn router(state: GatewayState) -> Api {
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
    Api::around(routes, gateway, origins)
}

impl Api {
    pub(crate) fn around(routes: Router, gateway: Gateway, origins: Origins) -> Self {
        Self {
            routes,
            gateway,
            origins,
        }
    }

    pub(crate) async fn answer(&self, mut request: Request) -> Response {
        DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
        let access = Access::begin(&self.gateway, &mut request);
        let origin = Origin::allowed(&self.origins, request.headers());
        let mut response = match origin.as_ref().and_then(|_| preflight(&request)) {
            Some(allowed) => allowed,
            None => self.routed(request).await,
        };
        if let Some(origin) = origin {
            origin.tell(response.headers_mut());
        }
        access.end(&mut response);
        response
    }

    async fn routed(&self, request: Request) -> Response {
        let answering = async { self.routes.clone().call(request).await };
        match AssertUnwindSafe(answering).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Failure::panicked().into_response(),
        }
    }
}

impl Service<Request> for Api {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let api = self.clone();
        async move { Ok(api.answer(request).await) }.boxed()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl From<Api> for Router {
    fn from(api: Api) -> Self {
        Self::new().fallback_service(api)
    }
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
