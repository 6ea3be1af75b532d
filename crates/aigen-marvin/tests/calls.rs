//! Calls over HTTP, to a server whose answers are written here.
#![allow(missing_docs)]

use aigen_client::Client;
use aigen_marvin::{AiError, Guarantee, ai_fn, classify, extract, generate};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Sentiment {
    positive: bool,
    evidence: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Mood {
    Glad,
    Sad,
}

/// Judge the sentiment of `text`.
/// Sarcasm flips it.
#[ai_fn(max_tokens = 200, temperature = 0.0, check = evidence_is_quoted)]
async fn sentiment(
    /** the message to judge */
    text: &str,
    /** what it answers to */
    context: &[&str],
) -> Result<Sentiment, AiError>;

fn evidence_is_quoted(value: &Sentiment, text: &str, _: &[&str]) -> Result<(), String> {
    match value.evidence.iter().find(|quote| !text.contains(*quote)) {
        Some(quote) if quote == "panic" => panic!("as asked"),
        Some(quote) => Err(format!("{quote:?} is not in the text")),
        None => Ok(()),
    }
}

/// Answer the question.
#[ai_fn(retries = 0, controller = "ada/quote@1")]
async fn answer(question: String) -> Result<String, AiError> {
    format!("Facts about {} words.", question.split(' ').count())
}

const GLAD: &str = r#"{"positive":true,"evidence":["great"]}"#;

#[tokio::test]
async fn an_answer_becomes_a_value_with_a_receipt() {
    let server = Server::start([said(GLAD)]).await;
    let detailed = sentiment::call("a great day", &["How was it?"])
        .on(&server.client)
        .seed(7)
        .budget("0.5".parse().expect("an amount"))
        .detailed()
        .await
        .expect("an answer");
    assert!(detailed.value.positive);
    assert_eq!(detailed.raw, GLAD);
    assert_eq!(detailed.guarantee, Guarantee::Decoder);
    assert_eq!(detailed.cost().to_string(), "0.001");
    assert_eq!((detailed.asked_again, detailed.sent_again), (0, 0));
    let [request] = &server.requests()[..] else {
        panic!("one request");
    };
    let body = &request.body;
    assert_eq!(body["model"], "first");
    assert_eq!(body["max_completion_tokens"], 200);
    assert_eq!(
        (&body["temperature"], &body["seed"]),
        (&json!(0.0), &json!(7))
    );
    assert_eq!(body["aigen"]["max_cost"], "0.50");
    let format = &body["response_format"]["json_schema"];
    assert_eq!(
        (&format["name"], &format["strict"]),
        (&json!("sentiment"), &json!(true))
    );
    assert_eq!(
        &format["schema"],
        sentiment::schema().expect("a schema").as_value()
    );
    let prompt = sentiment::prompt("a great day", &["How was it?"]).expect("a prompt");
    assert_eq!(body["messages"][0]["content"], prompt.system.as_str());
    assert_eq!(
        prompt.user,
        "text:\na great day\n\ncontext:\n[\"How was it?\"]"
    );
    let head = "Judge the sentiment of `text`.\nSarcasm flips it.\n`text` is the message to judge.\n`context` is what it answers to.\n\nAnswer in JSON of this schema:\n{";
    assert!(prompt.system.starts_with(head), "{}", prompt.system);
}

#[tokio::test]
async fn a_refused_answer_is_asked_for_again_with_the_reason() {
    let invented = r#"{"positive":true,"evidence":["awful"]}"#;
    let server = Server::start([said(invented), said("no JSON"), said(GLAD)]).await;
    let call = sentiment::call("a great day", &[]).on(&server.client);
    let call = call.budget("0.5".parse().expect("an amount"));
    let detailed = call.detailed().await.expect("the third answer");
    assert_eq!((detailed.asked_again, detailed.receipts.len()), (2, 3));
    let requests = server.requests();
    let last = &requests[2].body;
    let said: Vec<_> = last["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .collect();
    assert_eq!(said[2]["content"], invented);
    let objection = "That was not accepted: \"awful\" is not in the text. Answer again.";
    assert_eq!(said[3]["content"], objection);
    // What the first two cost is off the budget.
    assert_eq!(last["aigen"]["max_cost"], "0.498");
    assert_ne!(requests[0].key, requests[1].key);
}

#[tokio::test]
async fn what_a_model_said_is_never_lost() {
    let panics = r#"{"positive":true,"evidence":["panic"]}"#;
    let server = Server::start([said(panics), said(panics), said(panics)]).await;
    let error = sentiment::call("x", &[]).on(&server.client).await;
    let Err(AiError::Check { raw, why, receipts }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (raw.as_str(), why.as_str(), receipts.len()),
        (panics, "the check itself panicked", 3)
    );

    let mut cut = said("{\"positive\":tr");
    cut.1["choices"][0]["finish_reason"] = json!("length");
    let mut unpaid = cut.clone();
    unpaid.1["aigen"]["stop"] = json!("budget");
    let server = Server::start([cut, unpaid]).await;
    let error = sentiment::call("x", &[]).on(&server.client).await;
    assert!(matches!(error, Err(AiError::Truncated { raw, .. }) if raw == "{\"positive\":tr"));
    let error = sentiment::call("x", &[]).on(&server.client).await;
    assert!(matches!(error, Err(AiError::Budget { raw, .. }) if raw == "{\"positive\":tr"));
}

/// Whatever ends a call, what was said and charged before stands in the error.
#[tokio::test]
async fn an_error_has_every_receipt_and_the_last_answer() {
    let invented = r#"{"positive":true,"evidence":["awful"]}"#;
    let mut cut = said("{\"posi");
    cut.1["choices"][0]["finish_reason"] = json!("length");
    let faulty = json!({ "error": {
        "message": "no", "type": "controller_error", "code": "controller_error",
        "metadata": { "raw": "half", "receipt": "0123456789abcdef0123456789abcdef", "cost": "0.002" },
    } });
    for (last, kind, raw, cost) in [
        (said(invented), "Check", invented, "0.003"),
        (
            failed(402, "insufficient_funds"),
            "Budget",
            invented,
            "0.002",
        ),
        (
            failed(400, "context_length_exceeded"),
            "Refused",
            invented,
            "0.002",
        ),
        (
            failed(500, "internal_error"),
            "Transport",
            invented,
            "0.002",
        ),
        (cut, "Truncated", "{\"posi", "0.003"),
        ((422, faulty), "Refused", "half", "0.004"),
    ] {
        let server = Server::start([said(invented), said(invented), last]).await;
        let error = sentiment::call("a great day", &[]).on(&server.client).await;
        let error = error.expect_err("three that are not accepted");
        assert!(format!("{error:?}").starts_with(kind), "{error:?}");
        assert_eq!(
            (error.raw(), &*error.cost().to_string()),
            (raw, cost),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn what_does_not_arrive_is_sent_again_under_the_same_key() {
    let full = || failed(503, "engine_busy");
    let server = Server::start([full(), full(), said(GLAD)]).await;
    let call = sentiment::call("a great day", &[]).on(&server.client);
    let detailed = call.detailed().await.expect("the third time");
    assert_eq!((detailed.asked_again, detailed.sent_again), (0, 2));
    let keys: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.key)
        .collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");

    let server = Server::start([
        failed(402, "insufficient_funds"),
        failed(404, "model_not_found"),
    ])
    .await;
    let error = sentiment::call("x", &[]).on(&server.client).await;
    assert!(matches!(error, Err(AiError::Budget { .. })), "{error:?}");
    let error = sentiment::call("x", &[]).on(&server.client).await;
    assert!(matches!(error, Err(AiError::Refused { .. })), "{error:?}");
    assert_eq!(server.requests().len(), 2);
}

/// Of a model elsewhere the server has read what it said: it is charged, and another answer is asked for.
#[tokio::test]
async fn what_a_server_found_unfit_is_asked_for_again() {
    let unfit = |raw: &str| {
        let metadata =
            json!({ "raw": raw, "receipt": "0123456789abcdef0123456789abcdef", "cost": "0.002" });
        let error = json!({
            "message": "it holds no JSON; ask again", "hint": "ask again",
            "type": "upstream_error", "code": "upstream_failed", "metadata": metadata,
        });
        (502, json!({ "error": error }))
    };
    let server = Server::start([unfit("Great!"), said(GLAD)]).await;
    let call = sentiment::call("a great day", &[]).on(&server.client);
    let call = call.budget("0.5".parse().expect("an amount"));
    let detailed = call.detailed().await.expect("the second answer");
    assert_eq!((detailed.asked_again, detailed.sent_again), (1, 0));
    assert_eq!(detailed.cost().to_string(), "0.003");
    let last = &server.requests()[1].body;
    assert_eq!(last["messages"][2]["content"], "Great!");
    let objection = "That was not accepted: it holds no JSON. Answer again.";
    assert_eq!(last["messages"][3]["content"], objection);
    assert_eq!(last["aigen"]["max_cost"], "0.498");

    let server = Server::start([unfit("a"), unfit("b"), unfit("c")]).await;
    let error = sentiment::call("x", &[]).on(&server.client).await;
    let Err(AiError::Check { raw, why, receipts }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (raw.as_str(), why.as_str(), receipts.len()),
        ("c", "it holds no JSON", 3)
    );
}

#[tokio::test]
async fn a_body_is_context_and_a_controller_steers() {
    let server = Server::start([said("\"forty\"")]).await;
    let call = answer::call("How many are there?".to_owned()).on(&server.client);
    let user = "user:ada".parse().expect("an address");
    let call = call.param("text", "forty, not four").bill_to(user);
    let detailed = call.detailed().await.expect("an answer");
    assert_eq!(
        (detailed.value.as_str(), detailed.guarantee),
        ("forty", Guarantee::Controller)
    );
    // Of a model elsewhere nothing was decided token by token, whatever steered.
    let mut elsewhere = said("\"forty\"");
    elsewhere.1["aigen"]["guarantee"] = json!("retry");
    let other = Server::start([elsewhere]).await;
    let call = answer::call("How many?".to_owned()).on(&other.client);
    let detailed = call.detailed().await.expect("an answer");
    assert_eq!(detailed.guarantee, Guarantee::Retry);
    let body = &server.requests()[0].body;
    let said = serde_json::json!({
        "controller": "ada/quote@1", "params": {"text": "forty, not four"}, "bill_to": "user:ada",
    });
    assert_eq!(body["aigen"], said);
    assert_eq!(body.get("response_format"), None);
    let system = body["messages"][0]["content"].as_str().expect("a text");
    assert!(system.contains("\n\nFacts about 4 words.\n\n"), "{system}");
    assert_eq!(body["messages"][1]["content"], "How many are there?");
}

#[tokio::test]
async fn many_calls_keep_their_order_and_fail_alone() {
    let glad = said("\"Glad\"");
    let server = Server::start([glad.clone(), failed(400, "invalid_value"), glad]).await;
    let texts = ["a", "b", "c"];
    let calls = texts.iter().map(|text| classify::<Mood>(text));
    let calls: aigen_marvin::Calls<'_, Mood> = calls.collect();
    let answers = calls.on(&server.client).concurrency(1).await;
    let answers: Vec<_> = answers.into_iter().map(Result::ok).collect();
    assert_eq!(answers, [Some(Mood::Glad), None, Some(Mood::Glad)]);

    let server = Server::start([said(GLAD), said(GLAD)]).await;
    let none: [&str; 0] = [];
    let items = [("a great day", &none[..]), ("great", &none[..])];
    let answers = sentiment::map(items).on(&server.client).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn shortcuts_need_no_signature() {
    let server = Server::start([said(GLAD), said("[1,2,3]")]).await;
    let extracted = extract::<Sentiment>("great").on(&server.client).await;
    assert!(extracted.expect("a value").positive);
    let generated = generate::<u8>(3).on(&server.client).await;
    assert_eq!(generated.expect("three"), [1, 2, 3]);
    let schema = &server.requests()[1].body["response_format"]["json_schema"]["schema"];
    assert_eq!(
        (&schema["minItems"], &schema["maxItems"]),
        (&json!(3), &json!(3))
    );
}

type Answer = (u16, Value);

/// The answer of [`said`] with a token for each of these: its text, and what might have come.
fn with_tokens(text: &str, tokens: Value) -> Answer {
    let (status, mut answer) = said(text);
    answer["choices"][0]["logprobs"] = json!({ "content": tokens });
    (status, answer)
}

fn token(text: &str, share: f64, others: &[(&str, f64)]) -> Value {
    let others = others.iter();
    let others = others.map(|(text, share)| json!({ "token": text, "logprob": share.ln() }));
    json!({ "token": text, "logprob": share.ln(), "top_logprobs": others.collect::<Vec<_>>() })
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Weather {
    Sun,
    Sunset,
    Rain,
}

/// What the model gave to anything else is left out.
#[tokio::test]
async fn labels_have_the_shares_of_the_tokens_that_tell_them_apart() {
    let forced = json!([token(
        "Sad",
        0.2,
        &[("Glad", 0.6), (" ", 0.1), ("Sad", 0.2)]
    )]);
    let whole = json!([token("\"Sad", 0.2, &[("\"Gl", 0.6), ("\"", 0.1)])]);
    for tokens in [forced, whole] {
        let server = Server::start([with_tokens("\"Sad\"", tokens)]).await;
        let found = classify::<Mood>("…")
            .on(&server.client)
            .probabilities()
            .await;
        let found = found.expect("shares");
        assert_eq!((&found[0].0, &found[1].0), (&Mood::Glad, &Mood::Sad));
        let near = |share: f64, expected: f64| (share - expected).abs() < 1e-6;
        assert!(
            near(found[0].1, 0.75) && near(found[1].1, 0.25),
            "{found:?}"
        );
        let body = &server.requests()[0].body;
        assert_eq!(
            (&body["logprobs"], &body["top_logprobs"]),
            (&json!(true), &json!(20))
        );
    }
    // The chosen token is one of two labels: the next tells them apart.
    let tokens = json!([
        token("Sun", 0.5, &[("Rain", 0.5)]),
        token("set", 0.1, &[("\"", 0.3)])
    ]);
    let server = Server::start([with_tokens("\"Sunset\"", tokens)]).await;
    let found = classify::<Weather>("…")
        .on(&server.client)
        .probabilities()
        .await;
    let shares: Vec<_> = found
        .expect("shares")
        .iter()
        .map(|(_, share)| (share * 1000.0).round())
        .collect();
    assert_eq!(shares, [375.0, 125.0, 500.0]);
    // It is one of two labels that was not chosen: nothing tells them apart.
    let tokens = json!([token("Rain", 0.5, &[("Sun", 0.5)])]);
    let server = Server::start([with_tokens("\"Rain\"", tokens)]).await;
    let refused = classify::<Weather>("…")
        .on(&server.client)
        .probabilities()
        .await;
    let refused = refused.expect_err("the same token").to_string();
    assert!(
        refused.contains("\"Sun\" and \"Sunset\" begin with the same token"),
        "{refused}"
    );
    let server = Server::start([said("\"Sad\"")]).await;
    let refused = classify::<Mood>("…")
        .on(&server.client)
        .probabilities()
        .await;
    assert!(
        refused
            .expect_err("none")
            .to_string()
            .contains("tells no probabilities")
    );
}

fn said(text: &str) -> Answer {
    let choice = json!({
        "index": 0, "finish_reason": "stop",
        "message": { "role": "assistant", "content": text },
    });
    let answer = json!({
        "id": "1", "object": "chat.completion", "created": 0, "model": "first", "choices": [choice],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
        "aigen": {
            "receipt": "0123456789abcdef0123456789abcdef", "cost": "0.001", "grammar_complete": true, "guarantee": "decoder",
        },
    });
    (200, answer)
}

fn failed(status: u16, code: &str) -> Answer {
    let error = json!({ "message": "no", "type": "invalid_request_error", "code": code });
    (status, json!({ "error": error }))
}

#[derive(Clone)]
struct Request {
    key: String,
    body: Value,
}

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
}

struct Server {
    client: Client,
    script: Arc<Script>,
}

impl Server {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Script::default()
        });
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/v1/models", get(models))
            .with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async { axum::serve(listener, router).await });
        let client = Client::new(&url, "key").expect("a client");
        Self { client, script }
    }

    fn requests(&self) -> Vec<Request> {
        self.script.requests.lock().expect("a lock").clone()
    }
}

async fn complete(
    State(script): State<Arc<Script>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let key = headers["idempotency-key"]
        .to_str()
        .expect("a text")
        .to_owned();
    script
        .requests
        .lock()
        .expect("a lock")
        .push(Request { key, body });
    let (status, answer) = script
        .answers
        .lock()
        .expect("a lock")
        .pop_front()
        .expect("an answer");
    (
        StatusCode::from_u16(status).expect("a status"),
        Json(answer),
    )
        .into_response()
}

async fn models() -> Json<Value> {
    let model = json!({ "id": "first", "object": "model", "created": 0, "owned_by": "aigen" });
    Json(json!({ "object": "list", "data": [model] }))
}
