use crate::door::{Door, Stream};
use crate::lanes::Lanes;
use crate::limits::{ACCEPT_PAUSE, HEAD_TIME_MAX};
use crate::linger::Lingering;
use crate::router::Api;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// Who answers. A router is asked one route at a time, and those around it once more each: requests to the API,
/// which are nearly all, go straight to it.
#[derive(Clone, Debug)]
pub struct Front {
    /// Of the routes that begin with `/v1/`.
    pub api: Api,
    /// Of all others.
    pub pages: Router,
}

impl Front {
    async fn answer(self: Arc<Self>, request: Request<Body>) -> Result<Response, Infallible> {
        match request.uri().path().starts_with("/v1/") {
            true => Ok(self.api.answer(request).await),
            false => self.pages.clone().call(request).await,
        }
    }
}

/// The API alone.
impl From<Api> for Front {
    fn from(api: Api) -> Self {
        let pages = api.clone().into();
        Self { api, pages }
    }
}

/// Serves until `shutdown` completes, then until the last reply is sent: whoever calls must
/// bound that wait, by shutting the node down.
///
/// A connection that is idle, or slow with a request's head, is closed after 60 seconds;
/// `axum::serve` would keep it for ever.
///
/// # Errors
/// None today: a connection that cannot be accepted is logged and the next one awaited.
pub async fn serve(
    door: impl Into<Door>,
    front: impl Into<Front>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let Door {
        listener,
        tls,
        lanes,
    } = door.into();
    let front = Arc::new(front.into());
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let serve = |accepted| serve_connection(&lanes, &connections, accepted, tls.clone(), Arc::clone(&front));
                if let Err(error) = accepted.and_then(serve) {
                    not_accepted(&error).await;
                }
            }
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
    Ok(())
}

fn serve_connection(
    lanes: &Lanes,
    connections: &GracefulShutdown,
    (stream, peer): (TcpStream, SocketAddr),
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
) -> std::io::Result<()> {
    // Events are small and must not wait for each other.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let watcher = connections.watcher();
    lanes.serve(stream, move |stream| async move {
        // A client that begins TLS and does not go on keeps nothing but its own connection.
        let opened = timeout(HEAD_TIME_MAX, Stream::open(stream, tls)).await;
        let Ok(Ok(stream)) = opened else {
            tracing::debug!("a connection did not speak TLS");
            return;
        };
        // Whoever counts attempts counts them by address.
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            Arc::clone(&front).answer(Lingering::in_place(request).map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            // Mostly clients that hang up: nothing that anyone here could do about.
            tracing::debug!(%error, "a connection ended early");
        }
    })
}

/// A client that is gone already concerns nobody; a full machine needs a pause.
async fn not_accepted(error: &Error) {
    let gone = [
        ErrorKind::ConnectionAborted,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionRefused,
    ];
    if !gone.contains(&error.kind()) {
        tracing::warn!(%error, "a connection was not accepted");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
