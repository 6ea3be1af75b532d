use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aigen_jarvis::{Answer, Answered, OutsideError};
use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::{Bounds, Origin, Tool, Web, is_public};

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(20),
    bytes: 1000,
};

/// A server on this machine, which is a private address.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start(routes: Router) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let routes = routes.layer(axum::middleware::map_request(
            move |request: axum::extract::Request| {
                count.fetch_add(1, Ordering::SeqCst);
                std::future::ready(request)
            },
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn origin(&self) -> Origin {
        self.url("").parse().unwrap()
    }
}

fn told(answered: &Answered) -> String {
    match answered {
        Ok(Answer::Page { status, body }) => {
            format!("{status} {}", String::from_utf8_lossy(body))
        }
        Ok(Answer::Text(text)) => text.clone(),
        Ok(Answer::Rows(_)) => "rows".to_owned(),
        Err(OutsideError::Denied(why)) => format!("denied: {why}"),
        Err(OutsideError::Limit(why)) => format!("limit: {why}"),
        Err(OutsideError::Unavailable(why)) => format!("unavailable: {why}"),
    }
}

#[test]
fn private_addresses_are_none_of_a_strangers() {
    for (address, public) in [
        ("1.1.1.1", true),
        ("100.63.255.255", true),
        ("2606:4700:4700::1111", true),
        ("127.0.0.1", false),
        ("0.0.0.0", false),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("192.168.1.1", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("192.0.0.8", false),
        ("198.18.0.1", false),
        ("203.0.113.1", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:1.1.1.1", true),
        ("::127.0.0.1", false),
        ("64:ff9b::10.0.0.1", false),
        ("64:ff9b::1.1.1.1", true),
        ("2002:7f00:1::", false),
        ("2001::1", false),
        ("2001:db8::1", false),
        ("fc00::1", false),
        ("fd12:3456::1", false),
        ("fe80::1", false),
        ("ff02::1", false),
    ] {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }
}

#[test]
fn origins_are_read_and_cover_each_other() {
    let origin = |text: &str| text.parse::<Origin>();
    for text in [
        "",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "Example.org",
        "example.org:8443",
        "example.org/a",
        "*.",
        "*",
        "ftp://example.org",
        "http://ada@example.org",
        "http://example.org/a",
        "*.1.2.3.4",
    ] {
        assert!(origin(text).is_err(), "{text}");
    }
    for (one, other, covers) in [
        ("example.org", "example.org", true),
        ("example.org", "a.example.org", false),
        ("*.example.org", "a.example.org", true),
        ("*.example.org", "*.example.org", true),
        ("*.example.org", "*.a.example.org", true),
        ("*.example.org", "example.org", false),
        ("*.example.org", "badexample.org", false),
        ("a.example.org", "*.example.org", false),
        ("http://10.0.0.1:80", "http://10.0.0.1", true),
        ("https://example.org", "example.org", false),
    ] {
        let (one, other) = (origin(one).unwrap(), origin(other).unwrap());
        assert_eq!(one.covers(&other), covers, "{one} {other}");
    }
    for (own, url, holds) in [
        ("example.org", "https://example.org/a?b", true),
        ("example.org", "https://example.org:443/", true),
        ("example.org", "http://example.org/", false),
        ("example.org", "https://example.org:8443/", false),
        ("example.org", "https://example.org.evil.com/", false),
        ("example.org", "https://EXAMPLE.org/", true),
        ("*.example.org", "https://a.b.example.org/", true),
        ("http://10.0.0.1:9000", "http://10.0.0.1:9000/x", true),
        ("http://10.0.0.1:9000", "http://10.0.0.1:9001/x", false),
    ] {
        let url = reqwest::Url::parse(url).unwrap();
        assert_eq!(origin(own).unwrap().holds(&url), holds, "{own} {url}");
    }
}

#[tokio::test]
async fn pages_come_from_granted_hosts_alone() {
    let inner = Server::start(Router::new().route("/", get(|| async { "secret" }))).await;
    let inside = inner.url("/");
    let to = move |target: String| get(move || async move { Redirect::temporary(&target) });
    let routes = Router::new()
        .route("/", get(|| async { "hello" }))
        .route(
            "/missing",
            get(|| async { (axum::http::StatusCode::NOT_FOUND, "no") }),
        )
        .route("/long", get(|| async { "x".repeat(1001) }))
        .route("/endless", get(endless))
        .route("/stalls", get(std::future::pending::<()>))
        .route("/round", to("/round".to_owned()))
        .route("/home", to("/".to_owned()))
        .route("/inside", to(inside.clone()))
        .route(
            "/nowhere",
            get(|| async { (axum::http::StatusCode::FOUND, [(LOCATION, "http://")]) }),
        );
    let server = Server::start(routes).await;
    let web = Web::open().unwrap();
    let origins = [server.origin()];
    let here = |path: &str| server.url(path);
    for (url, expected) in [
        (here("/"), "200 hello"),
        (here("/home"), "200 hello"),
        (here("/missing"), "404 no"),
        (here("/long"), "limit: it has more than 1000 bytes"),
        (here("/endless"), "limit: it has more than 1000 bytes"),
        (
            here("/round"),
            "limit: the page redirects more than 3 times",
        ),
        (
            here("/nowhere"),
            "unavailable: the page redirects to no address",
        ),
        ("no address".to_owned(), "denied: that is no address"),
        (
            format!("http://ada:secret@{}/", server.address),
            "denied: the address holds a name or a password",
        ),
        (
            "file:///etc/passwd".to_owned(),
            "denied: `null` is not among the hosts that this controller may read",
        ),
    ] {
        assert_eq!(
            told(&web.page(&url, &origins, BOUNDS).await),
            expected,
            "{url}"
        );
    }
    // Neither directly nor by a redirect is anything reached that is not on the list.
    for url in [inside, here("/inside")] {
        let said = told(&web.page(&url, &origins, BOUNDS).await);
        assert!(said.starts_with("denied: `http://127.0.0.1"), "{said}");
    }
    assert_eq!(inner.asked.load(Ordering::SeqCst), 0);
    let short = Bounds {
        time: Duration::from_millis(50),
        ..BOUNDS
    };
    let said = told(&web.page(&here("/stalls"), &origins, short).await);
    assert_eq!(said, "limit: it takes more than 0.05 s");
}

async fn endless() -> impl IntoResponse {
    let parts = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(100)));
    axum::body::Body::from_stream(parts)
}

#[tokio::test]
async fn tools_are_posted_json_and_answer_text() {
    let echo = post(|headers: HeaderMap, body: String| async move {
        let key = headers
            .get(AUTHORIZATION)
            .map(|key| key.to_str().unwrap().to_owned());
        format!("{} {body}", key.unwrap_or_default())
    });
    let routes = Router::new()
        .route("/echo", echo)
        .route(
            "/fails",
            post(|| async { (axum::http::StatusCode::BAD_GATEWAY, "no") }),
        )
        .route("/binary", post(|| async { vec![0xff_u8] }))
        .route("/stalls", post(std::future::pending::<()>));
    let server = Server::start(routes).await;
    let web = Web::open().unwrap();
    let tool = |path: &str| Tool {
        url: server.url(path).parse().unwrap(),
        key: Some("k".to_owned()),
    };
    let call = async |path: &str, bounds| {
        told(&web.call(&tool(path), "{\"a\":1}".to_owned(), bounds).await)
    };
    assert_eq!(call("/echo", BOUNDS).await, "Bearer k {\"a\":1}");
    assert_eq!(
        call("/fails", BOUNDS).await,
        "unavailable: the tool answers 502"
    );
    assert_eq!(
        call("/binary", BOUNDS).await,
        "unavailable: the tool answers what is no text"
    );
    let small = Bounds { bytes: 3, ..BOUNDS };
    assert_eq!(
        call("/echo", small).await,
        "limit: it has more than 3 bytes"
    );
    let short = Bounds {
        time: Duration::from_millis(50),
        ..BOUNDS
    };
    assert_eq!(
        call("/stalls", short).await,
        "limit: it takes more than 0.05 s"
    );
}
