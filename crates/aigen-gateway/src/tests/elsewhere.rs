//! Functions on models that nobody holds to their type: every route verifies what they say, and asks again.

use super::functions::{ANSWER, SENTIMENT, call, published};
use super::world::{Reply, World, chat, request};
use crate::{GatewayState, router};
use aigen_engine::text::{
    Asked, OnText, TextControl, TextEnding, TextEngine, TextEvent, TextFault, TextFinish, TextInfo,
    TextPrompt, TextRequest,
};
use aigen_node::ControlLevel::{self, Schema, Text};
use aigen_types::{Amount, CallId, Digest};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// The value with what models like to put around it.
const WORDY: &str = "Here you are:\n```json\n{\"why\":\"         \",\"polarity\":\"bad\"}\n```";

/// Said by an upstream that breaks off.
const BROKEN: &str = "";

/// Said at the limit of tokens.
const CUT: &str = "{\"why\":\"";

/// Said before a filter holds the rest back.
const FILTERED: &str = "I was about to";

/// Another server's model, and what it says, answer by answer.
struct Elsewhere {
    control: ControlLevel,
    answers: Mutex<Vec<&'static str>>,
    /// The messages of each request.
    asked: Mutex<Vec<Vec<String>>>,
    /// Lets one answer go, where they do not go by themselves.
    gate: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
}

/// Ends nothing.
pub struct Unheard;

/// Another server's model.
pub fn info(control: ControlLevel) -> TextInfo {
    TextInfo {
        digest: Digest([7; 32]),
        context_tokens: 4096,
        answer_tokens: 500,
        control,
        tools: false,
        probabilities: false,
        upstreams: Vec::new(),
    }
}

impl TextControl for Unheard {
    fn hang_up(&self) {}

    fn cancel(&self) {}
}

impl TextEngine for Elsewhere {
    fn info(&self) -> TextInfo {
        info(self.control)
    }

    fn check(&self, _: &TextRequest) -> Result<(), String> {
        Ok(())
    }

    fn start(&self, request: TextRequest, mut on_event: OnText) -> Asked {
        assert_eq!(request.schema.is_some(), self.control == Schema);
        let TextPrompt::Chat(messages) = request.prompt else {
            panic!("a function is a conversation")
        };
        let messages = messages.into_iter().map(|message| message.content);
        self.asked.lock().unwrap().push(messages.collect());
        let text = self.answers.lock().unwrap().remove(0);
        let gate = Arc::clone(&self.gate);
        thread::spawn(move || {
            if let Some(gate) = &*gate.lock().unwrap() {
                let _ = gate.recv();
            }
            on_event(TextEvent::Started);
            let finish = match text {
                BROKEN => Err(TextFault::Broken {
                    reason: "it ends in the middle".to_owned(),
                }),
                CUT => Ok(TextFinish::Length),
                FILTERED => Ok(TextFinish::Filtered),
                _ => Ok(TextFinish::Stop),
            };
            on_event(TextEvent::Text(text.into()));
            let claimed = None;
            on_event(TextEvent::Finished(TextEnding { finish, claimed }));
        });
        Asked::elsewhere(Box::new(Unheard))
    }
}

async fn elsewhere(control: ControlLevel, answers: &[&'static str]) -> (World, Arc<Elsewhere>) {
    let engine = Arc::new(Elsewhere {
        control,
        answers: Mutex::new(answers.to_vec()),
        asked: Mutex::default(),
        gate: Arc::default(),
    });
    let world = World::remote(engine.clone()).await;
    published(&world, "ada/sentiment@1.0.0", SENTIMENT).await;
    (world, engine)
}

/// A way to call the function: path, body, where the value's text is, where its receipt is.
type Way = (&'static str, Value, &'static str, &'static str);

fn ways() -> [Way; 4] {
    let said = json!([{"role": "user", "content": "Lovely."}]);
    [
        (
            "/v1/functions/ada/sentiment",
            json!({"input": {"text": "Lovely."}}),
            "/value",
            "/receipt",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "fn:ada/sentiment", "messages": said}),
            "/choices/0/message/content",
            "/aigen",
        ),
        (
            "/v1/responses",
            json!({"model": "fn:ada/sentiment", "input": "Lovely."}),
            "/output/0/content/0/text",
            "/aigen",
        ),
        (
            "/v1/messages",
            json!({"model": "fn:ada/sentiment", "max_tokens": 100, "messages": said}),
            "/content/0/text",
            "/aigen",
        ),
    ]
}

/// The receipts' total in nano-AIGEN, which is what the account paid, and nothing is held.
fn charged(world: &World) -> u128 {
    let receipts = {
        let network = world.node.network();
        let totals = network.receipts();
        totals.map(|(_, receipt)| receipt.total().nano()).sum()
    };
    let (available, held, owned) = world.balance("user:ada");
    assert_eq!((held, available), (0, owned));
    assert_eq!(1_000_000_000 - owned, receipts);
    receipts
}

/// What a reply says of its calls: all of them are charged, and nothing else is.
#[track_caller]
fn check_receipt(world: &World, said: &Value, asked: usize) {
    assert_eq!(said["guarantee"], "retry", "{said}");
    let before = said["asked_before"].as_array().cloned().unwrap_or_default();
    assert_eq!(before.len() + 1, asked, "{said}");
    let own = said.get("receipt").or(said.get("id")).unwrap();
    for id in before.iter().chain([own]) {
        let id: CallId = id.as_str().unwrap().parse().unwrap();
        assert!(world.node.network().receipt(id).is_some());
    }
    let cost: Amount = said["cost"].as_str().unwrap().parse().unwrap();
    assert_eq!(cost.nano(), charged(world));
}

/// Text of a stream, and the `aigen` object in it, whatever its route.
fn streamed(reply: &Reply) -> (String, Value) {
    let data = reply
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let (mut text, mut aigen) = (String::new(), Value::Null);
    for event in events {
        let texts = ["/choices/0/delta/content", "/delta", "/delta/text"];
        let new = texts
            .iter()
            .find_map(|place| event.pointer(place)?.as_str());
        text.push_str(new.unwrap_or_default());
        let places = ["/aigen", "/response/aigen"];
        let said = places.iter().find_map(|place| event.pointer(place));
        if let Some(said) = said.filter(|said| said.is_object()) {
            aigen = said.clone();
        }
    }
    (text, aigen)
}

#[tokio::test]
async fn every_route_asks_again_and_every_answer_is_charged() {
    for control in [Schema, Text] {
        for (path, body, text, receipt) in ways() {
            let (world, engine) = elsewhere(control, &["[1]", BROKEN, WORDY]).await;
            let reply = world.post(&world.ada, path, &body).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
            let answer = reply.json();
            let value = answer.pointer(text).unwrap();
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            assert_eq!(value, ANSWER);
            let said = answer.pointer(receipt).unwrap();
            check_receipt(&world, said, 3);
            assert_eq!(reply.header("x-aigen-cost"), said["cost"].as_str());
            let own = said.get("receipt").or(said.get("id")).unwrap();
            assert_eq!(reply.header("x-aigen-receipt"), own.as_str());
            let asked = engine.asked.lock().unwrap().clone();
            let lengths: Vec<_> = asked.iter().map(Vec::len).collect();
            // Of what broke off there is nothing to say.
            assert_eq!(lengths, [2, 4, 4], "{asked:?}");
            assert!(asked[0][0].contains("\"polarity\""), "the schema is stated");
            assert_eq!(asked[1][2], "[1]");
            assert!(
                asked[1][3].contains("it must be an object"),
                "{:?}",
                asked[1]
            );
            world.settle().await;
        }
    }
}

/// What came is charged, and the last event says where the receipt is, on every route.
#[tokio::test]
async fn a_stream_that_breaks_says_what_it_cost() {
    let said = json!([{"role": "user", "content": "Hi"}]);
    for (path, body, place) in [
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "stream": true, "messages": said}),
            "/error/metadata",
        ),
        (
            "/v1/responses",
            json!({"model": "tiny", "stream": true, "input": "Hi"}),
            "/response/error/metadata",
        ),
    ] {
        let (world, _) = elsewhere(Text, &[BROKEN]).await;
        let reply = world.post(&world.ada, path, &body).await;
        let data = reply
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let mut told = events.filter_map(|event| event.pointer(place).cloned());
        let told = told
            .next_back()
            .unwrap_or_else(|| panic!("{path}: {}", reply.text));
        let receipt: CallId = told["receipt"].as_str().unwrap().parse().unwrap();
        assert!(world.node.network().receipt(receipt).is_some());
        let cost: Amount = told["cost"].as_str().unwrap().parse().unwrap();
        assert_eq!(cost.nano(), charged(&world));
        assert!(cost > Amount::ZERO);
        let metrics = world.get("", "/metrics").await.text;
        let counted = "aigen_overhead_seconds_count{model_name=\"tiny\"} 1\n";
        assert!(metrics.contains(counted), "{metrics}");
    }
}

/// What is left of an answer is no whole one, and the receipt says why.
#[tokio::test]
async fn a_filter_is_told_in_the_words_of_each_route() {
    let said = json!([{"role": "user", "content": "Hi"}]);
    for (path, mut body, place, word) in [
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": said}),
            "/choices/0/finish_reason",
            "content_filter",
        ),
        (
            "/v1/responses",
            json!({"model": "tiny", "input": "Hi"}),
            "/incomplete_details/reason",
            "content_filter",
        ),
        (
            "/v1/messages",
            json!({"model": "tiny", "max_tokens": 100, "messages": said}),
            "/stop_reason",
            "refusal",
        ),
    ] {
        let (world, _) = elsewhere(Text, &[FILTERED, FILTERED]).await;
        let reply = world.post(&world.ada, path, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        assert_eq!(reply.json().pointer(place), Some(&json!(word)), "{path}");
        assert!(reply.text.contains(FILTERED), "{path}: {}", reply.text);
        let id = reply.header("x-aigen-receipt").unwrap();
        let receipt = format!("/v1/aigen/receipts/{id}");
        let receipt = world.get(&world.ada, &receipt).await.json();
        assert_eq!(receipt["finish"], "content_filter", "{path}");
        body["stream"] = true.into();
        let reply = world.post(&world.ada, path, &body).await;
        assert!(
            reply.text.contains(&format!("\"{word}\"")),
            "{}",
            reply.text
        );
        world.settle().await;
    }
}

#[tokio::test]
async fn a_stream_is_verified_before_it_begins() {
    for (path, mut body, ..) in ways().into_iter().skip(1) {
        let (world, engine) = elsewhere(Text, &["[1]", WORDY]).await;
        body["stream"] = true.into();
        let reply = world.post(&world.ada, path, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        let (text, aigen) = streamed(&reply);
        assert_eq!(text, ANSWER, "{}", reply.text);
        check_receipt(&world, &aigen, 2);
        assert_eq!(reply.header("x-aigen-receipt"), aigen["receipt"].as_str());
        let id = aigen["receipt"].as_str().unwrap();
        assert!(
            reply.text.contains(&format!("_{id}\"")) || reply.text.contains(&format!("-{id}\""))
        );
        assert_eq!(engine.asked.lock().unwrap().len(), 2);
        world.settle().await;
    }
}

#[tokio::test]
async fn a_stream_that_takes_long_to_verify_begins_with_comments() {
    let (mut world, engine) = elsewhere(Schema, &["[1]", WORDY]).await;
    let mut state = GatewayState::new(world.node.clone());
    state.keep_alive = Duration::from_millis(5);
    world.router = router(state);
    let (go, gate) = mpsc::channel();
    *engine.gate.lock().unwrap() = Some(gate);
    let body = chat(json!({"model": "fn:ada/sentiment", "stream": true})).to_string();
    let asked = request("POST", &world.ada, "/v1/chat/completions", &body);
    let mut response = world.start(asked).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut seen = String::new();
    for _ in 0..3 {
        let frame = response.body_mut().frame().await.unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    assert_eq!(seen, ": keep-alive\n\n".repeat(3));
    go.send(()).unwrap();
    go.send(()).unwrap();
    let reply = super::world::collect(response).await;
    let (text, aigen) = streamed(&reply);
    assert_eq!(text, ANSWER, "{}", reply.text);
    check_receipt(&world, &aigen, 2);
    world.settle().await;
}

#[tokio::test]
async fn a_model_that_never_answers_rightly_is_given_up_with_a_status() {
    for (path, body, ..) in ways() {
        for stream in [false, true] {
            let mut body = body.clone();
            if stream && path.contains("functions") {
                continue;
            }
            if stream {
                body["stream"] = true.into();
            }
            let (world, _) = elsewhere(Text, &["[1]", "[2]", "I do not know."]).await;
            let reply = world.post(&world.ada, path, &body).await;
            assert_eq!(
                reply.status.as_u16(),
                502,
                "{path} {stream}: {}",
                reply.text
            );
            assert_eq!(reply.header("x-should-retry"), Some("false"));
            let said = reply.json();
            let error = &said["error"];
            assert!(
                error["message"]
                    .as_str()
                    .unwrap()
                    .contains("it holds no JSON")
            );
            if !path.contains("messages") {
                let metadata = &error["metadata"];
                assert_eq!(metadata["raw"], "I do not know.");
                assert_eq!(metadata["asked_before"].as_array().unwrap().len(), 2);
                let cost: Amount = metadata["cost"].as_str().unwrap().parse().unwrap();
                assert_eq!(cost.nano(), charged(&world));
            }
            assert_eq!(world.node.network().receipts().count(), 3);
            world.settle().await;
        }
    }
}

#[tokio::test]
async fn a_function_says_how_often_and_what_is_cut_off_is_not_asked_for_again() {
    for (retries, answers, status, asked) in [
        (0, vec!["[1]"], 502, 1),
        (1, vec!["[1]", "[2]"], 502, 2),
        (8, vec!["[1]"; 8], 200, 9),
        (8, vec![CUT], 422, 1),
        (8, vec!["[1]", CUT], 422, 2),
    ] {
        let answers = [&answers[..], &[WORDY]].concat();
        let (world, engine) = elsewhere(Text, &answers).await;
        let source = SENTIMENT.replace(
            "max_tokens = 40",
            &format!("max_tokens = 40\nretries = {retries}"),
        );
        let published = published(&world, "ada/patient@1.0.0", &source).await;
        let input = json!({"input": {"text": "a"}});
        let reply = call(&world, "ada/patient", input).await;
        assert_eq!(reply.status.as_u16(), status, "{published} {}", reply.text);
        assert_eq!(engine.asked.lock().unwrap().len(), asked);
        let shown = world.get(&world.ada, "/v1/functions/ada/patient").await;
        assert_eq!(shown.json()["retries"], retries);
        let said = json!([{"role": "user", "content": "a"}]);
        let body = json!({"model": "fn:ada/patient", "messages": said});
        let quoted = world.post(&world.ada, "/v1/aigen/quote", &body).await;
        assert_eq!(quoted.json()["retries"], retries, "{}", quoted.text);
        if status == 422 {
            let metadata = &reply.json()["error"]["metadata"];
            assert_eq!(metadata["raw"], CUT);
            let cost: Amount = metadata["cost"].as_str().unwrap().parse().unwrap();
            assert_eq!(cost.nano(), charged(&world));
        }
        world.settle().await;
    }
}

#[tokio::test]
async fn the_same_key_is_answered_once_however_often_the_model_was_asked() {
    for (path, body, ..) in ways() {
        let (world, engine) = elsewhere(Text, &["[1]", WORDY]).await;
        let asked = |world: &World| {
            let mut asked = request("POST", &world.ada, path, &body.to_string());
            let key = "one".parse().unwrap();
            asked.headers_mut().insert("idempotency-key", key);
            asked
        };
        let first = world.send(asked(&world)).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text);
        assert_eq!(world.send(asked(&world)).await.text, first.text);
        assert_eq!(engine.asked.lock().unwrap().len(), 2);
        // Another node, or this one after a restart, keeps no replies.
        let world = World {
            router: router(GatewayState::new(world.node.clone())),
            ..world
        };
        let gone = world.send(asked(&world)).await;
        assert_eq!(gone.status, StatusCode::CONFLICT, "{}", gone.text);
        assert_eq!(engine.asked.lock().unwrap().len(), 2);
        world.settle().await;
    }
}

/// A second request of the same key waits for the first, though its first call is over.
#[tokio::test]
async fn a_request_that_is_asked_again_is_in_progress_until_its_last_call() {
    let (world, engine) = elsewhere(Text, &["[1]", WORDY]).await;
    let (go, gate) = mpsc::channel();
    *engine.gate.lock().unwrap() = Some(gate);
    let asked = || {
        let body = json!({"input": {"text": "a"}}).to_string();
        let mut asked = request("POST", &world.ada, "/v1/functions/ada/sentiment", &body);
        let key = "one".parse().unwrap();
        asked.headers_mut().insert("idempotency-key", key);
        asked
    };
    go.send(()).unwrap();
    let second = async {
        while engine.asked.lock().unwrap().len() < 2 {
            super::world::breathe().await;
        }
        let reply = world.send(asked()).await;
        go.send(()).unwrap();
        reply
    };
    let (first, second) = tokio::join!(world.send(asked()), second);
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(second.error().1, "idempotency_in_progress");
    world.settle().await;
}

#[tokio::test]
async fn money_bounds_how_often_a_model_is_asked() {
    let (world, _) = elsewhere(Schema, &["[1]", "[2]", "[3]"]).await;
    let most = json!({"max_cost": "0.000000560"});
    let body = json!({"input": {"text": "a"}, "aigen": most});
    let reply = call(&world, "ada/sentiment", body).await;
    assert!(reply.status == 402 || reply.status == 502, "{}", reply.text);
    let spent = charged(&world);
    assert!(spent > 0 && spent <= 560, "{spent}");
    if reply.status == 402 {
        let metadata = &reply.json()["error"]["metadata"];
        let cost: Amount = metadata["cost"].as_str().unwrap().parse().unwrap();
        assert_eq!(cost.nano(), spent);
        assert!(!metadata["asked_before"].as_array().unwrap().is_empty());
    }
    world.settle().await;
}

/// What is computed elsewhere is asked for one text at a time, and says so by name.
#[tokio::test]
async fn several_prompts_and_tokens_are_refused_by_name() {
    let (world, engine) = elsewhere(Text, &[]).await;
    for prompt in [json!(["a", "b"]), json!([1, 2]), json!([[1], [2]])] {
        let body = json!({"model": "tiny", "prompt": prompt});
        let refused = world.post(&world.ada, "/v1/completions", &body).await;
        let (status, code, param) = refused.error();
        assert_eq!(
            (status, code.as_str(), param.as_deref()),
            (400, "unsupported_parameter", Some("prompt")),
            "{prompt}: {}",
            refused.text
        );
    }
    assert!(engine.asked.lock().unwrap().is_empty());
    world.settle().await;
}
