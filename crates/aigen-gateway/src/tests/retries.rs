//! The same request twice.

use super::world::{Reply, World, chat, gated, request};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

fn keyed(key: &str, idempotency_key: &str, fields: Value) -> Request<Body> {
    let body = chat(fields).to_string();
    let mut request = request("POST", key, "/v1/chat/completions", &body);
    let headers = request.headers_mut();
    headers.insert("idempotency-key", idempotency_key.parse().unwrap());
    request
}

async fn ask(world: &World, idempotency_key: &str, fields: Value) -> Reply {
    world.send(keyed(&world.ada, idempotency_key, fields)).await
}

#[tokio::test]
async fn a_retry_gets_the_same_answer_and_is_charged_once() {
    let world = World::polite().await;
    let first = ask(&world, "order-1", json!({})).await;
    let again = ask(&world, "order-1", json!({})).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for header in ["x-aigen-receipt", "x-aigen-cost", "content-type"] {
        assert_eq!(first.header(header), again.header(header));
    }
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 30);
    let other = ask(&world, "order-2", json!({})).await;
    assert_ne!(first.text, other.text);
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 60);
    world.settle().await;
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let world = World::polite().await;
    ask(&world, "order-1", json!({})).await;
    let other = ask(&world, "order-1", json!({"max_tokens": 3})).await;
    assert_eq!(
        other.error(),
        (409, "idempotency_key_reused".to_owned(), None)
    );
    assert_eq!(other.header("x-should-retry"), Some("false"));
    world.settle().await;
}

#[tokio::test]
async fn keys_of_two_accounts_do_not_meet() {
    let world = World::polite().await;
    let bob = world.key("bob-1", "user:bob").await;
    world.fund("user:bob", "1").await;
    let first = ask(&world, "order-1", json!({})).await;
    let second = world.send(keyed(&bob, "order-1", json!({}))).await;
    assert_eq!(second.status, 200);
    assert_ne!(
        first.header("x-aigen-receipt"),
        second.header("x-aigen-receipt")
    );
    world.settle().await;
}

#[tokio::test]
async fn a_retry_of_a_stream_gets_the_same_events() {
    let world = World::polite().await;
    let first = ask(&world, "order-1", json!({"stream": true})).await;
    let again = ask(&world, "order-1", json!({"stream": true})).await;
    assert_eq!((again.status.as_u16(), &again.text), (200, &first.text));
    for header in ["x-aigen-receipt", "content-type"] {
        assert_eq!(first.header(header), again.header(header));
    }
    assert_eq!(again.header("x-aigen-cost"), Some("0.00000003"));
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 30);
    world.settle().await;
}

#[tokio::test]
async fn a_stream_that_nobody_read_is_not_kept_but_its_receipt_is_named() {
    let world = World::polite().await;
    let asked = keyed(&world.ada, "order-1", json!({"stream": true}));
    let first = world.start(asked).await;
    let receipt = first.headers()["x-aigen-receipt"].clone();
    drop(first);
    while world.node.network().receipts().count() == 0 {
        super::world::breathe().await;
    }
    let again = ask(&world, "order-1", json!({"stream": true})).await;
    assert_eq!(
        again.error(),
        (409, "idempotency_reply_gone".to_owned(), None)
    );
    let named = again.json()["error"]["metadata"]["receipt"].clone();
    assert_eq!(named.as_str(), receipt.to_str().ok());
    world.settle().await;
}

#[tokio::test]
async fn a_retry_of_a_running_call_is_told_to_wait() {
    let (script, go) = gated("ab");
    let world = World::new(script).await;
    let running = world
        .start(keyed(&world.ada, "order-1", json!({"stream": true})))
        .await;
    let again = ask(&world, "order-1", json!({"stream": true})).await;
    assert_eq!(
        again.error(),
        (409, "idempotency_in_progress".to_owned(), None)
    );
    assert_eq!(
        (again.header("x-should-retry"), again.header("retry-after")),
        (Some("true"), Some("1"))
    );
    drop(go);
    super::world::collect(running).await;
    world.settle().await;
}

#[tokio::test]
async fn a_bad_key_is_refused() {
    let world = World::polite().await;
    for bad in ["".to_owned(), " ".to_owned(), "x".repeat(256)] {
        let reply = ask(&world, &bad, json!({})).await;
        let expected = (
            400,
            "invalid_value".to_owned(),
            Some("Idempotency-Key".to_owned()),
        );
        assert_eq!(reply.error(), expected, "{bad:?}");
    }
    world.settle().await;
}
