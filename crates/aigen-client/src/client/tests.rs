//! Against a real server on the loopback address.

use super::*;
use aigen_api::openai::{Message, Role};
use aigen_api::resources::{Account, Fund};
use aigen_types::Amount;
use axum::routing::{get, post};
use axum::{Json, Router, http::StatusCode};
use serde_json::{Value, json};

async fn client(router: Router) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Client::new(&base_url, "my-key").unwrap()
}

/// A server whose chat route answers every request with this status and body.
async fn answering(status: u16, body: &'static str) -> Client {
    let status = StatusCode::from_u16(status).unwrap();
    let router = Router::new().route(
        "/v1/chat/completions",
        post(move || async move { (status, body) }),
    );
    client(router).await
}

fn question() -> ChatRequest {
    ChatRequest::new("aigen-tiny", vec![Message::new(Role::User, "Hi")])
}

fn chunk(delta: Value) -> String {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": null}]);
    let chunk = json!({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices});
    format!("data: {chunk}\n\n")
}

/// The texts of a stream with this body, and the error it ended with.
async fn streamed(body: String) -> (String, Option<ClientError>) {
    let client = answering(200, body.leak()).await;
    let mut chunks = client.chat_stream(&question()).await.unwrap();
    let mut text = String::new();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => text.extend(chunk.choices[0].delta.content.clone()),
            Err(error) => {
                assert!(chunks.next().await.is_none(), "an error is the last item");
                return (text, Some(error));
            }
        }
    }
    (text, None)
}

#[tokio::test]
async fn chat_sends_the_key_and_the_request_and_reads_the_answer() {
    let answer = |headers: axum::http::HeaderMap, Json(request): Json<Value>| async move {
        assert_eq!(headers["authorization"], "Bearer my-key");
        assert_eq!(
            request,
            json!({"model": "aigen-tiny", "messages": [{"role": "user", "content": "Hi"}]})
        );
        Json(json!({
            "id": "1", "object": "chat.completion", "created": 1, "model": "aigen-tiny",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            "aigen": {"receipt": "0f", "cost": "0.25"}
        }))
    };
    let client = client(Router::new().route("/v1/chat/completions", post(answer))).await;
    let response = client.chat(&question()).await.unwrap();
    assert_eq!(response.text(), "Hello");
    assert_eq!(response.aigen.unwrap().cost, Amount::from_nano(250_000_000));
}

#[tokio::test]
async fn resources_are_typed() {
    let account = || async {
        Json(
            json!({"address": "user:ada", "available_nano": "7", "held_nano": "0", "posted_nano": "7"}),
        )
    };
    let issue = |Json(fund): Json<Value>| async move {
        assert_eq!(fund, json!({"to": "user:ada", "amount": "5.00"}));
        Json(json!({}))
    };
    let router = Router::new()
        .route("/v1/aigen/accounts/user:ada", get(account))
        .route("/v1/aigen/issue", post(issue));
    let client = client(router).await;
    let account: Account = client.get("/v1/aigen/accounts/user:ada").await.unwrap();
    assert_eq!(account.available, Amount::from_nano(7));
    let fund = Fund {
        to: account.address,
        amount: "5".parse().unwrap(),
        id: None,
    };
    client
        .post::<_, Value>("/v1/aigen/issue", &fund)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_api_error_prints_its_hint() {
    let body = r#"{"error": {"message": "no money", "type": "insufficient_quota", "code": "insufficient_funds", "hint": "aigen fund"}}"#;
    let error = answering(402, body)
        .await
        .chat(&question())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no money\nhint: aigen fund");
    assert!(matches!(error, ClientError::Api { status: 402, .. }));
}

#[tokio::test]
async fn a_proxys_page_is_quoted() {
    let error = answering(502, "<h1>Bad Gateway</h1>\n")
        .await
        .chat(&question())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "HTTP 502: <h1>Bad Gateway</h1>");
}

#[tokio::test]
async fn a_reply_of_another_shape_is_named() {
    let error = answering(200, r#"{"id": 7}"#)
        .await
        .chat(&question())
        .await
        .unwrap_err();
    let ClientError::Shape(shape) = error else {
        panic!("{error:?}");
    };
    assert_eq!(shape.path.as_deref(), Some("id"));
}

#[tokio::test]
async fn a_stream_ends_at_done() {
    let body = [
        chunk(json!({"role": "assistant"})),
        ": keep-alive\n\n".into(),
        chunk(json!({"content": "Hel"})),
        chunk(json!({"content": "lo"})),
        "data: [DONE]\n\n".into(),
        "data: never read\n\n".into(),
    ];
    let (text, error) = streamed(body.concat()).await;
    assert_eq!(text, "Hello");
    assert!(error.is_none());
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let (text, error) = streamed(chunk(json!({"content": "Hel"}))).await;
    assert_eq!(text, "Hel");
    assert!(matches!(error, Some(ClientError::Cut)));
}

#[tokio::test]
async fn an_error_inside_a_stream_ends_it() {
    let failure =
        "data: {\"error\": {\"message\": \"engine failed\", \"type\": \"server_error\"}}\n\n";
    let body = [
        chunk(json!({"content": "Hel"})),
        failure.into(),
        chunk(json!({"content": "lo"})),
    ];
    let (text, error) = streamed(body.concat()).await;
    assert_eq!(text, "Hel");
    assert_eq!(error.unwrap().to_string(), "engine failed");
}

#[tokio::test]
async fn a_refused_stream_fails_before_its_first_chunk() {
    let body = r#"{"error": {"message": "no", "type": "authentication_error"}}"#;
    let client = answering(401, body).await;
    let refused = client.chat_stream(&question()).await.err().unwrap();
    assert!(matches!(refused, ClientError::Api { status: 401, .. }));
}

#[test]
fn what_cannot_be_sent_is_refused_and_the_key_is_not_printed() {
    for (url, key) in [
        ("localhost:8080", "k"),
        ("ftp://x", "k"),
        ("http://x", "a\nb"),
    ] {
        let refused = Client::new(url, key);
        assert!(
            matches!(refused, Err(ClientError::Setup(_))),
            "{url} {key:?}"
        );
    }
    let client = Client::new("https://example.org/v1", "secret").unwrap();
    assert_eq!(
        format!("{client:?}"),
        "Client { base_url: \"https://example.org\", .. }"
    );
}
