//! What the access log says, and what it never says.

use super::world::{World, breathe, chat, gated, request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io;
use tower::ServiceExt;

thread_local! {
    /// What this test's thread has logged.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The fields of each access line.
fn access_lines(log: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let access = lines.filter(|line| line["target"] == "aigen::access");
    access.map(|line| line["fields"].clone()).collect()
}

const FIELDS: [&str; 8] = [
    "status",
    "key",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "hold",
    "outcome",
];

#[tokio::test]
async fn one_line_per_request_without_secrets_or_content() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(|| Log)
        .finish();
    // For all threads: with a subscriber of one thread, another thread that logs first would
    // switch the same line off for good.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::polite().await;
    LOGGED.take();
    world.chat(json!({})).await;
    world.chat(json!({"stream": true})).await;
    world.chat(json!({"model": "Hi there\n"})).await;
    world.get("aigen_ada-1.stolen", "/v1/aigen/account").await;
    let log = String::from_utf8(LOGGED.take()).unwrap();
    no_planted_secret_is_repeated(&world).await;
    no_key_in_the_wrong_place_is_repeated(&world).await;
    who_hangs_up_is_told_of_with_the_cost().await;
    let told = |line: &Value| {
        FIELDS
            .map(|field| line[field].to_string().replace('"', ""))
            .join(" ")
    };
    let lines = access_lines(&log);
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "200 ada-1 tiny 6 7 0.00000003 0.000000528 stop",
            "200 ada-1 tiny 6 7 0.00000003 0.000000528 stop",
            "404 ada-1 invalid 0 0 null null model_not_found",
            "401 null null 0 0 null null invalid_api_key",
        ]
    );
    for line in &lines[..2] {
        assert!(line["first_token_micros"].is_u64(), "{line}");
        assert!(line["first_token_micros"].as_u64() <= line["micros"].as_u64());
    }
    for line in &lines {
        let trace = line["trace"].as_str().unwrap();
        assert!(trace.len() == 32 && trace != "0".repeat(32), "{line}");
    }
    for never in [
        "Hello",
        "Hi",
        "stolen",
        world.ada.rsplit_once('.').unwrap().1,
    ] {
        assert!(!log.contains(never), "{never:?} was logged");
    }
    world.settle().await;
}

/// The line waits for the call to be settled, whole and streamed.
async fn who_hangs_up_is_told_of_with_the_cost() {
    for stream in [false, true] {
        let (script, go) = gated(&"a".repeat(100));
        let world = World::new(script).await;
        let asked = chat(json!({"stream": stream}));
        let asked = request(
            "POST",
            &world.ada,
            "/v1/chat/completions",
            &asked.to_string(),
        );
        let router = world.router.clone();
        // It reads whatever comes: a stream goes on as it is read.
        let client = tokio::spawn(async move {
            let reply = router.oneshot(asked).await.unwrap();
            drop(reply.into_body().collect().await);
        });
        // Fewer than the answer has: where nothing else ran for a while it would be over, and no call be there.
        (0..8).for_each(|_| go.send(()).unwrap());
        while world
            .node
            .network()
            .calls()
            .all(|(_, call)| call.used.sampled_tokens == 0)
        {
            breathe().await;
        }
        LOGGED.take();
        client.abort();
        drop(client.await);
        drop(go);
        world.settle().await;
        breathe().await;
        let log = String::from_utf8(LOGGED.take()).unwrap();
        let [line] = access_lines(&log).try_into().expect("one line");
        assert_eq!(line["outcome"], "client_gone", "{line}");
        assert!(line["completion_tokens"].as_u64() > Some(0), "{line}");
        let (_, receipt) = world
            .node
            .network()
            .receipts()
            .map(|(id, one)| (id, one.clone()))
            .next()
            .unwrap();
        assert_eq!(line["cost"], receipt.total().to_string());
    }
}

/// Whole keys where names belong: in paths, as a model, in bodies.
async fn no_key_in_the_wrong_place_is_repeated(world: &World) {
    let key = &world.operator;
    let mut answers = String::new();
    for path in [
        format!("/v1/aigen/keys/{key}/limits"),
        format!("/v1/aigen/keys/{key}/revoke"),
        format!("/v1/models/{key}"),
        format!("/v1/{key}"),
    ] {
        answers.push_str(&world.get(key, &path).await.text);
        answers.push_str(&world.post(key, &path, &json!({})).await.text);
    }
    let named = json!({ key.as_str(): 1 });
    for fields in [
        json!({"model": key}),
        json!({"model": format!("fn:ada/{key}")}),
        json!({"aigen": {"controller": key}}),
        json!({"aigen": {"bill_to": key}}),
        json!({"aigen": {"end_user": format!("{key} ")}}),
        json!({"aigen": named}),
        json!({"response_format": {"type": key}}),
    ] {
        answers.push_str(&world.chat(fields).await.text);
    }
    answers.push_str(&world.get("", "/metrics").await.text);
    let log = String::from_utf8(LOGGED.take()).unwrap();
    assert!(log.contains("/v1/aigen/keys/aigen_op.…/limits"), "{log}");
    assert!(answers.contains("aigen_op.…"), "{answers}");
    let secret = &key.rsplit_once('.').unwrap().1[..16];
    assert!(!log.contains(secret), "{log}");
    assert!(!answers.contains(secret), "{answers}");
}

/// Secrets in every place where a request can carry them: neither a log nor an answer repeats
/// one, nor what was said.
async fn no_planted_secret_is_repeated(world: &World) {
    let secret = "planted-secret-0123456789abcdef";
    let key = format!("aigen_ada-1.{secret}");
    let mut answers = String::new();
    for (key, path) in [
        (key.as_str(), "/v1/chat/completions"),
        (key.as_str(), "/v1/messages"),
        (secret, "/v1/responses"),
        (secret, "/v1/aigen/keys"),
    ] {
        let body = chat(json!({"user": secret, "metadata": {"k": secret}}));
        answers.push_str(&world.post(key, path, &body).await.text);
    }
    for fields in [
        json!({"stop": [secret], "temperature": 9}),
        json!({"tools": [{"type": "function", "function": {"name": "f", "description": secret, "parameters": {"type": "nothing"}}}]}),
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": secret, "schema": {"type": "nothing"}}}}),
    ] {
        answers.push_str(&world.chat(fields).await.text);
    }
    let mut keyed = request(
        "POST",
        &world.ada,
        "/v1/chat/completions",
        &chat(json!({})).to_string(),
    );
    keyed
        .headers_mut()
        .insert("idempotency-key", secret.parse().unwrap());
    answers.push_str(&world.send(keyed).await.text);
    answers.push_str(&world.get("", "/metrics").await.text);
    let log = String::from_utf8(LOGGED.take()).unwrap();
    assert!(log.contains("/v1/messages"));
    for never in [
        secret,
        world.ada.rsplit_once('.').unwrap().1,
        world.operator.rsplit_once('.').unwrap().1,
    ] {
        assert!(!log.contains(never), "{never:?} was logged: {log}");
        assert!(
            !answers.contains(never),
            "{never:?} was answered: {answers}"
        );
    }
}
