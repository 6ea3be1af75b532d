//! What strangers send: refused by name, never with a 500, never charged.

use super::sockets::listen;
use super::world::{World, chat, request};
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The status line that a server answers these bytes with.
async fn raw(world: &World, bytes: &[u8]) -> String {
    let (address, _stop) = listen(world, Duration::from_secs(10)).await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    // A server that has read enough hangs up.
    let _ = connection.write_all(bytes).await;
    let mut answer = [0; 4096];
    let count = connection.read(&mut answer).await.unwrap_or(0);
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn head(world: &World, extra: &str) -> Vec<u8> {
    let key = &world.ada;
    format!("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n{extra}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn bodies_of_100_mb_are_refused_before_they_are_read() {
    let world = World::polite().await;
    let declared = head(&world, "content-length: 104857600");
    assert_eq!(
        raw(&world, &declared).await,
        "HTTP/1.1 413 Payload Too Large"
    );
    // Who says nothing of its length is stopped at the bound.
    let part = || Ok::<_, std::io::Error>(vec![b' '; 1 << 20]);
    let parts = futures::stream::iter((0..100).map(move |_| part()));
    let reply = world.send(posted(&world, Body::from_stream(parts))).await;
    assert_eq!(reply.error(), (413, "body_too_large".to_owned(), None));
    world.settle().await;
}

#[tokio::test]
async fn lines_that_end_a_header_early_end_the_request() {
    let world = World::polite().await;
    for extra in [
        "content-length: 5\r\ncontent-length: 6",
        "idempotency-key: a\rb\r\ncontent-length: 2",
        "x-aigen-end-user: a\0b\r\ncontent-length: 2",
        "no colon",
    ] {
        let answer = raw(&world, &head(&world, extra)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{extra:?}: {answer:?}");
    }
    world.settle().await;
}

fn posted(world: &World, body: impl Into<Body>) -> Request<Body> {
    let mut asked = request("POST", &world.ada, "/v1/chat/completions", "{}");
    *asked.body_mut() = body.into();
    asked
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_by_name() {
    let world = World::polite().await;
    let deep = |count: usize| "[".repeat(count);
    let nested = format!("{}{}", "{\"a\":".repeat(50_000), "1");
    let schema = format!("{}1{}", "{\"not\":".repeat(3_000), "}".repeat(3_000));
    let tool = format!(
        r#"{{"model": "tiny", "messages": [{{"role": "user", "content": "Hi"}}], "tools": [{{"type": "function", "function": {{"name": "f", "parameters": {schema}}}}}]}}"#
    );
    for (body, status) in [
        (deep(100_000).into_bytes(), 400),
        (nested.into_bytes(), 400),
        (tool.into_bytes(), 400),
        (vec![0xff, 0xfe, b'{'], 400),
        (b"{\"model\": \"\xc3\x28\"}".to_vec(), 400),
        (b"\0".to_vec(), 400),
        (Vec::new(), 400),
        (b"null".to_vec(), 400),
        (b"{} {}".to_vec(), 400),
    ] {
        let shown: String = String::from_utf8_lossy(&body).chars().take(40).collect();
        let reply = world.send(posted(&world, body)).await;
        assert_eq!(reply.status.as_u16(), status, "{shown}: {}", reply.text);
        assert!(reply.json()["error"]["hint"].is_string(), "{shown}");
    }
    world.settle().await;
}

#[tokio::test]
async fn paths_lead_nowhere_else() {
    let world = World::polite().await;
    for path in [
        "/v1/models/../../etc/passwd",
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/v1/models/%00",
        "/v1/aigen/receipts/..%2f..%2fkeys",
        "/v1/aigen/accounts/..%2foperator",
        "/v1/aigen/controllers/..%2f..%2f",
        "/v1//aigen/keys",
        "/v1/aigen/../aigen/keys",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let reply = world.get(&world.ada, path).await;
        let status = reply.status.as_u16();
        assert!(
            [400, 403, 404].contains(&status),
            "{path}: {status} {}",
            reply.text
        );
    }
    world.settle().await;
}

#[tokio::test]
async fn headers_that_name_somebody_are_checked() {
    let world = World::polite().await;
    let with = |name: &'static str, value: &[u8]| {
        let mut asked = request(
            "POST",
            &world.ada,
            "/v1/chat/completions",
            &chat(json!({})).to_string(),
        );
        asked
            .headers_mut()
            .insert(name, HeaderValue::from_bytes(value).unwrap());
        asked
    };
    for (name, value, status) in [
        ("authorization", &b"Bearer \xff\xfe"[..], 401),
        ("authorization", b"Bearer aigen_ada-1.", 401),
        ("authorization", b"Basic YTpi", 401),
        ("x-aigen-end-user", b"user:ada", 400),
        ("x-aigen-end-user", b"../bob", 400),
        ("x-aigen-bill-to", b"user:bob", 403),
        ("x-aigen-bill-to", b"\xff", 400),
        ("idempotency-key", b"\xff", 400),
        ("content-type", b"text/plain", 415),
    ] {
        let reply = world.send(with(name, value)).await;
        assert_eq!(
            reply.status.as_u16(),
            status,
            "{name}: {value:?}: {}",
            reply.text
        );
    }
    world.settle().await;
}

/// A page of another origin gets no header that would let it read an answer.
#[tokio::test]
async fn other_origins_are_told_nothing() {
    let world = World::polite().await;
    let mut asked = request("OPTIONS", "", "/v1/chat/completions", "");
    let headers = asked.headers_mut();
    headers.insert("origin", HeaderValue::from_static("https://evil.example"));
    headers.insert(
        "access-control-request-method",
        HeaderValue::from_static("POST"),
    );
    let reply = world.send(asked).await;
    assert_eq!(reply.status, 405);
    assert!(
        reply
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
    world.settle().await;
}
