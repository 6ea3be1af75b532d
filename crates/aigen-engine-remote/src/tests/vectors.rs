//! Upstreams that make vectors, well and badly.

use super::{Scripted, options, reply};
use crate::{HangUp, RemoteEmbedder};
use aigen_engine::text::{Claimed, TextFault};
use aigen_engine::{EmbedRequest, Embeddable, TextEmbedder};
use serde_json::{Value, json};

fn texts(texts: &[&str]) -> EmbedRequest {
    let texts = texts
        .iter()
        .map(|text| Embeddable::Text((*text).to_owned()));
    EmbedRequest {
        texts: texts.collect(),
        dimensions: None,
        traceparent: None,
    }
}

/// What comes of two texts where the upstream says this, the last of it again and again: a status, or
/// an answer. And how often it was asked.
async fn asked(bodies: &[&str]) -> (Result<Vec<Vec<f32>>, TextFault>, usize) {
    let bodies: Vec<_> = bodies.iter().map(|body| (*body).to_owned()).collect();
    let upstream = Scripted::new(move |number, _| {
        let body = bodies[number.min(bodies.len() - 1)].clone();
        match body.parse() {
            Ok(status) => reply(status, "application/json", "{}"),
            Err(_) => reply(200, "application/json", body),
        }
    })
    .await;
    let embedder = RemoteEmbedder::open(options(&[&upstream])).unwrap();
    let made = embedder.embed(texts(&["a", "b"])).await;
    (made.map(|made| made.vectors), upstream.asked())
}

#[tokio::test]
async fn vectors_come_in_the_order_of_their_texts() {
    let good = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    for (bodies, tries) in [
        (
            &[
                r#"{"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}]}"#,
            ][..],
            1,
        ),
        (
            &[r#"{"data": [{"embedding": [1, 2]}, {"embedding": [3, 4]}]}"#],
            1,
        ),
        (
            &[
                "503",
                r#"{"data": [{"embedding": [1, 2]}, {"embedding": [3, 4]}]}"#,
            ],
            2,
        ),
    ] {
        let (made, count) = asked(bodies).await;
        assert_eq!((made.unwrap(), count), (good.clone(), tries), "{bodies:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_tried_again_and_then_a_fault() {
    for (body, says) in [
        (r#"{"data": [{"embedding": [1]}]}"#, "1 vectors of 2 texts"),
        (r#"{"data": []}"#, "0 vectors of 2 texts"),
        (
            r#"{"data": [{"embedding": [1]}, {"embedding": [1, 2]}]}"#,
            "2 numbers, the first 1",
        ),
        (
            r#"{"data": [{"embedding": []}, {"embedding": []}]}"#,
            "0 numbers",
        ),
        (
            r#"{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}"#,
            "no room for vector 0",
        ),
        (
            r#"{"data": [{"index": 7, "embedding": [1]}, {"embedding": [1]}]}"#,
            "no room for vector 7",
        ),
        (r#"{"data": "no"}"#, "invalid type"),
        ("500", "500"),
    ] {
        let (made, tries) = asked(&[body]).await;
        let fault = made.unwrap_err().to_string();
        assert!(fault.contains(says), "{body}: {fault}");
        assert_eq!(tries, 3, "{body}");
    }
    let (made, tries) = asked(&["400"]).await;
    assert!(matches!(made, Err(TextFault::Refused { .. })), "{made:?}");
    assert_eq!(tries, 1);
}

#[tokio::test]
async fn what_is_asked_is_passed_on_and_what_is_claimed_is_told() {
    let upstream = Scripted::new(|_, body: Value| {
        let texts = body["input"].as_array().unwrap().clone();
        let vectors = texts
            .iter()
            .map(|_| json!({"embedding": [body["dimensions"], 0]}));
        let data: Value = vectors.collect();
        let body = json!({"data": data, "usage": {"prompt_tokens": texts.len()}});
        reply(200, "application/json", body.to_string())
    })
    .await;
    let embedder = RemoteEmbedder::open(crate::Options {
        hang_up: HangUp::Drain,
        ..options(&[&upstream])
    })
    .unwrap();
    assert!(embedder.drains());
    let made = embedder.embed(EmbedRequest {
        texts: vec![Embeddable::Tokens(vec![1, 2]), Embeddable::Tokens(vec![3])],
        dimensions: Some(5),
        traceparent: None,
    });
    let made = made.await.unwrap();
    assert_eq!(made.vectors, [[5.0, 0.0], [5.0, 0.0]]);
    let claimed = made.claimed.unwrap_or_default();
    assert_eq!(
        claimed,
        Claimed {
            prompt: Some(2),
            ..Claimed::default()
        }
    );
}
