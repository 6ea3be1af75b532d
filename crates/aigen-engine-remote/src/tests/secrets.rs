//! Servers that repeat what they were sent.

use super::*;
use crate::RemoteEmbedder;
use crate::attempt::attempt;
use crate::engine::Shared;
use aigen_engine::{EmbedRequest, Embeddable, TextEmbedder};

const KEY: &str = "sk-operator/777";

/// Status, kind and body, with `KEY` where the upstream repeats its key; what a caller is told.
#[tokio::test]
async fn an_upstream_that_repeats_its_key_shows_it_to_nobody() {
    let long = format!("{}KEY", "x".repeat(crate::limits::ERROR_CHARS_MAX - 4));
    let rows: &[(u16, &str, &str, &str)] = &[
        (
            400,
            "application/json",
            "{\"error\": {\"message\": \"by Bearer KEY\"}}",
            "by Bearer (secret)",
        ),
        (
            400,
            "text/plain",
            "by Bearer KEY, KEY",
            "by Bearer (secret), (secret)",
        ),
        (
            400,
            "text/plain",
            "{\"by\": \"sk-operator\\/777\"",
            "{\"by\": \"(secret)\"",
        ),
        (400, "text/plain", &long, "xxx(sec"),
        (
            500,
            "application/json",
            "{\"detail\": \"by KEY\"}",
            "by (secret)",
        ),
        (429, "text/plain", "by KEY", "by (secret)"),
        (503, "text/plain", "by KEY", "by (secret)"),
        (
            200,
            "text/event-stream",
            "data: {\"error\": {\"message\": \"by KEY\"}}\n\n",
            "by (secret)",
        ),
        (
            200,
            "text/event-stream",
            "data: {\"choices\": \"KEY\"}\n\n",
            "(secret)",
        ),
    ];
    for (status, kind, body, expected) in rows {
        let said = body.replace("KEY", KEY);
        let (status, kind) = (*status, (*kind).to_owned());
        let upstream = Scripted::new(move |_, _| reply(status, &kind, said.clone())).await;
        let mut options = options(&[&upstream]);
        options.upstreams[0].key = Some(Secret(KEY.to_owned()));
        let (_, finish, _) = ask(&RemoteEngine::open(options).unwrap(), request()).await;
        let fault = finish.unwrap_err().to_string();
        assert!(fault.contains(expected), "{fault}: not {expected}");
        assert!(!fault.contains("sk-o"), "{fault}");
    }
}

/// One without a key leaves nothing out.
#[tokio::test]
async fn no_key_is_nothing_to_leave_out() {
    for key in [None, Some(Secret(String::new()))] {
        let upstream = Scripted::new(|_, _| reply(400, "text/plain", "too long")).await;
        let mut options = options(&[&upstream]);
        options.upstreams[0].key = key;
        let (_, finish, _) = ask(&RemoteEngine::open(options).unwrap(), request()).await;
        let fault = finish.unwrap_err().to_string();
        assert_eq!(fault, "the upstream refuses the request: too long");
    }
}

#[tokio::test]
async fn nor_does_one_that_makes_vectors() {
    let said = format!("{{\"data\": \"{KEY}\"}}");
    let upstream = Scripted::new(move |_, _| reply(200, "application/json", said.clone())).await;
    let mut options = options(&[&upstream]);
    options.upstreams[0].key = Some(Secret(KEY.to_owned()));
    let asked = EmbedRequest {
        texts: vec![Embeddable::Text("a".to_owned())],
        dimensions: None,
        traceparent: None,
    };
    let made = RemoteEmbedder::open(options).unwrap().embed(asked).await;
    let fault = made.unwrap_err().to_string();
    assert!(fault.contains("(secret)"), "{fault}");
    assert!(!fault.contains("sk-o"), "{fault}");
}

/// Status, kind and body of an upstream that repeats what it was asked; what the log says of it.
#[tokio::test]
async fn what_an_upstream_repeats_of_a_request_is_told_and_not_logged() {
    const STREAM: &str = "text/event-stream";
    let rows = [
        (
            400,
            "text/plain",
            "input: my diary",
            "the upstream refuses the request: …",
        ),
        (
            422,
            "application/json",
            "{\"detail\": \"my diary\"}",
            "the upstream refuses the request: …",
        ),
        (
            500,
            "text/plain",
            "my diary",
            "no upstream answers: it failed (500 Internal Server Error): …",
        ),
        (
            503,
            "text/plain",
            "my diary",
            "no upstream answers: it is unavailable (503 Service Unavailable): …",
        ),
        (
            401,
            "text/plain",
            "my diary",
            "no upstream answers: it refuses this node (401 Unauthorized)",
        ),
        (
            500,
            "text/plain",
            "",
            "no upstream answers: it failed (500 Internal Server Error)",
        ),
        (
            200,
            STREAM,
            "data: {\"error\": {\"message\": \"my diary\"}}\n\n",
            "the upstream's answer is broken: …",
        ),
        (
            200,
            STREAM,
            "data: {\"choices\": \"my diary\"}\n\n",
            "the upstream's answer is broken: …",
        ),
    ];
    for (status, kind, body, expected) in rows {
        let upstream = Scripted::new(move |_, _| reply(status, kind, body)).await;
        let shared = Shared::open(options(&[&upstream])).unwrap();
        let (one, asked) = (&shared.upstreams[0], request());
        let mut unheard = |_: TextEvent| {};
        let attempted = attempt(&shared.options, one, &asked, &mut unheard).await;
        let failed = attempted.unwrap_err();
        assert_eq!(failed.logged(), expected);
        let told = body.contains("diary") && status != 401;
        assert_eq!(
            failed.fault.to_string().contains("diary"),
            told,
            "{}",
            failed.fault
        );
    }
}
