//! What happens to money when a call ends early.

use super::world::{World, breathe, chat, gated, receipt_of, request, watched};
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_node::network::Outcome;
use aigen_types::CallId;
use futures::StreamExt;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn the_money_ends_an_answer_at_the_last_covered_token() {
    let endless = || Script::replies([("Hi", ["a".repeat(400)])]);
    // 10 for the request and 6 for the prompt leave so many tokens of 2.
    for (balance, tokens) in [(18, 1), (19, 1), (30, 7), (616, 300)] {
        for stream in [false, true] {
            let world = World::new(endless()).await;
            let key = world.key("bob-1", "user:bob").await;
            world.fund("user:bob", &format!("0.{balance:09}")).await;
            let body = chat(json!({"stream": stream}));
            let reply = world.post(&key, "/v1/chat/completions", &body).await;
            assert_eq!(reply.status, 200, "{balance}: {}", reply.text);
            let (text, finish, aigen) = match stream {
                false => {
                    let body = reply.json();
                    let choice = &body["choices"][0];
                    (
                        choice["message"]["content"].clone(),
                        choice["finish_reason"].clone(),
                        body["aigen"].clone(),
                    )
                }
                true => {
                    let (events, _) = reply.events();
                    let text = events
                        .iter()
                        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
                    let last = events.last().unwrap();
                    (
                        json!(text.collect::<String>()),
                        last["choices"][0]["finish_reason"].clone(),
                        last["aigen"].clone(),
                    )
                }
            };
            assert_eq!(text, "a".repeat(tokens));
            assert_eq!(
                (finish, &aigen["stop"]),
                (json!("length"), &json!("budget"))
            );
            assert_eq!(
                world.balance("user:bob").0,
                (balance - 16 - 2 * tokens) as u128
            );
            world.settle().await;
        }
    }
}

#[tokio::test]
async fn a_bound_of_the_request_ends_it_too() {
    let world = World::new(Script::replies([("Hi", ["a".repeat(400)])])).await;
    let body = world
        .chat(json!({"aigen": {"max_cost": "0.00000003"}}))
        .await
        .json();
    assert_eq!(body["aigen"]["stop"], "budget");
    assert_eq!(body["aigen"]["cost"], "0.00000003");
    world.settle().await;
}

#[tokio::test]
async fn too_little_for_one_token_is_refused_with_whom_to_ask() {
    let world = World::polite().await;
    let key = world.key("bob-1", "user:bob").await;
    world.fund("user:bob", "0.000000017").await;
    let reply = world
        .post(&key, "/v1/chat/completions", &chat(json!({})))
        .await;
    assert_eq!(reply.error(), (402, "insufficient_funds".to_owned(), None));
    let error = &reply.json()["error"];
    assert_eq!(
        error["hint"],
        "ask the operator: aigen fund user:bob 0.000000001"
    );
    assert_eq!(error["metadata"]["reason"], "insufficient_funds");
    world.settle().await;
}

/// The receipt of the only call there was.
fn only_receipt(world: &World) -> aigen_node::network::Receipt {
    let network = world.node.network();
    let receipts: Vec<_> = network
        .receipts()
        .map(|(_, receipt)| Arc::unwrap_or_clone(receipt))
        .collect();
    let [receipt] = <[_; 1]>::try_from(receipts).unwrap();
    receipt
}

#[tokio::test]
async fn a_reader_who_leaves_mid_stream_pays_for_what_was_produced() {
    let (script, go) = gated("abcdefgh");
    let world = World::new(script).await;
    let body = chat(json!({"stream": true})).to_string();
    let response = world
        .start(request("POST", &world.ada, "/v1/chat/completions", &body))
        .await;
    let mut frames = response.into_body().into_data_stream();
    let mut seen = String::new();
    while !seen.contains("\"content\":\"c\"") {
        go.send(()).unwrap();
        seen.push_str(std::str::from_utf8(&frames.next().await.unwrap().unwrap()).unwrap());
    }
    drop(frames);
    breathe().await;
    drop(go);
    world.settle().await;
    let receipt = only_receipt(&world);
    assert_eq!(receipt.outcome, Outcome::Cancelled);
    let tokens = receipt.call.used.sampled_tokens;
    assert!(
        (3..8).contains(&tokens),
        "{tokens} tokens after the reader left at 3"
    );
    assert_eq!(receipt.charge.total.nano(), u128::from(10 + 6 + 2 * tokens));
    assert_eq!(
        world.balance("user:ada").0,
        1_000_000_000 - receipt.charge.total.nano()
    );
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_answer_pays_for_what_was_produced() {
    let (script, go, begun) = watched("abcdefgh");
    let world = World::new(script).await;
    let body = chat(json!({})).to_string();
    let asked = world.start(request("POST", &world.ada, "/v1/chat/completions", &body));
    let mut asked = Box::pin(asked);
    // Polled until the model computes its first token, then dropped.
    while begun.try_recv().is_err() {
        let _ = tokio::time::timeout(Duration::from_millis(1), &mut asked).await;
    }
    drop(asked);
    breathe().await;
    drop(go);
    world.settle().await;
    let receipt = only_receipt(&world);
    assert_eq!(receipt.outcome, Outcome::Cancelled);
    assert!(receipt.call.used.sampled_tokens < 8);
}

#[tokio::test]
async fn an_engine_that_fails_midway_is_told_with_the_receipt() {
    for stream in [false, true] {
        let script = Script::replies([("Hi", ["Hello!"])]);
        let engine = ScriptedEngine::new(Vocabulary::bytes(), script).failing_at(4);
        let world = World::of(engine).await;
        let reply = world.chat(json!({"stream": stream})).await;
        let error = match stream {
            false => {
                assert_eq!(reply.error().0, 500);
                assert_eq!(reply.header("x-should-retry"), Some("false"));
                reply.json()["error"].clone()
            }
            true => {
                let (events, done) = reply.events();
                assert!(!done);
                events.last().unwrap()["error"].clone()
            }
        };
        assert_eq!(
            (&error["code"], &error["metadata"]["fault"]),
            (&json!("engine_failed"), &json!("engine"))
        );
        let receipt: CallId = error["metadata"]["receipt"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(receipt, receipt_of(&reply));
        let cost = world.node.network().receipt(receipt).unwrap().charge.total;
        assert_eq!(error["metadata"]["cost"], cost.to_string());
        world.settle().await;
    }
}

#[tokio::test]
async fn a_node_that_stops_ends_streams_with_an_error() {
    let (script, go) = gated("abcdefgh");
    let world = World::new(script).await;
    let body = chat(json!({"stream": true})).to_string();
    let response = world
        .start(request("POST", &world.ada, "/v1/chat/completions", &body))
        .await;
    go.send(()).unwrap();
    let stopping = world.node.clone();
    let stopped = tokio::spawn(async move { stopping.shut_down(Duration::ZERO).await });
    drop(go);
    let reply = super::world::collect(response).await;
    stopped.await.unwrap();
    let (events, _) = reply.events();
    let last = events.last().unwrap();
    if let Some(error) = last.get("error") {
        assert_eq!(error["code"], "shutting_down");
    } else {
        // The model was done before the node was.
        assert_eq!(last["choices"][0]["finish_reason"], "stop");
    }
    let refused = world.chat(json!({})).await;
    assert_eq!(refused.error(), (503, "shutting_down".to_owned(), None));
    assert_eq!(refused.header("retry-after"), Some("1"));
    world.settle().await;
}

#[tokio::test]
async fn a_reader_who_reads_no_further_does_not_keep_the_node_from_stopping() {
    let world = World::new(Script::replies([("Hi", ["a".repeat(2_000)])])).await;
    let body = chat(json!({"stream": true})).to_string();
    let response = world
        .start(request("POST", &world.ada, "/v1/chat/completions", &body))
        .await;
    // The call goes on as it is read, so that it stands where its reader left it.
    let mut frames = response.into_body().into_data_stream();
    let mut seen = String::new();
    while !seen.contains("\"content\":\"a") {
        seen.push_str(std::str::from_utf8(&frames.next().await.unwrap().unwrap()).unwrap());
    }
    breathe().await;
    assert_eq!(world.node.running_calls(), 1);
    let stopped = tokio::time::timeout(
        Duration::from_secs(60),
        world.node.shut_down(Duration::ZERO),
    );
    stopped.await.expect("the node waits for nobody");
    world.settle().await;
    drop(frames);
}

/// All of it is written for each request, and read again from afar where many are under way.
#[tokio::test]
async fn a_request_takes_little_room() {
    let world = World::new(Script::replies([("Hi", ["Hello"])])).await;
    let body = chat(json!({})).to_string();
    let asked = request("POST", &world.ada, "/v1/chat/completions", &body);
    let bytes = size_of_val(&world.router.answer(asked));
    assert!(bytes <= 1_536, "{bytes}");
}
