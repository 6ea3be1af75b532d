//! Published functions, called by name, as models, and where they do not give a value.

use super::world::{World, receipt_of, request};
use aigen_engine::scripted::Script;
use axum::http::StatusCode;
use serde_json::{Value, json};

pub const SENTIMENT: &str = r#"
description = "Judge the sentiment of `text`."
max_tokens = 40
output = '{"type": "object", "required": ["why", "polarity"], "properties": {"why": {"type": "string", "maxLength": 9}, "polarity": {"enum": ["good", "bad"]}}}'

[input]
type = "object"
required = ["text"]
properties.text = { type = "string", maxLength = 20 }

[[golden]]
input = { text = "Lovely." }
expect = { polarity = "good" }
"#;

/// The least that the schema allows: what is forced is nothing that the script goes on from.
pub const ANSWER: &str = r#"{"why":"         ","polarity":"bad"}"#;

async fn world() -> World {
    let world = World::new(Script::replies([("", ["ok"])])).await;
    published(&world, "ada/sentiment@1.0.0", SENTIMENT).await;
    world
}

pub async fn published(world: &World, reference: &str, source: &str) -> Value {
    let new = json!({"reference": reference, "kind": "function", "source": source, "description": "Sentiment"});
    let reply = world
        .post(&world.operator, "/v1/aigen/controllers", &new)
        .await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    reply.json()
}

pub async fn call(world: &World, name: &str, body: Value) -> super::world::Reply {
    world
        .post(&world.ada, &format!("/v1/functions/{name}"), &body)
        .await
}

#[tokio::test]
async fn a_function_is_called_scored_and_paid_like_any_controller() {
    let world = world().await;
    for name in ["ada/sentiment", "ada/sentiment@1", "ada/sentiment@1.0.0"] {
        let reply = call(&world, name, json!({"input": {"text": "Lovely."}})).await;
        assert_eq!(reply.status, StatusCode::OK, "{name}: {}", reply.text);
        let body = reply.json();
        assert_eq!(body["value"].to_string(), ANSWER);
        assert_eq!(body["receipt"]["guarantee"], "decoder");
        assert_eq!(body["receipt"]["function"], "ada/sentiment@1.0.0");
        assert_eq!(body["receipt"]["model"], "tiny");
        assert_eq!(body["receipt"]["id"], receipt_of(&reply).to_string());
        let receipt = format!("/v1/aigen/receipts/{}", receipt_of(&reply));
        let receipt = world.get(&world.ada, &receipt).await.json();
        assert_eq!(receipt["guarantee"], "decoder");
        let split = receipt["split"].as_array().unwrap();
        assert!(split.iter().any(|share| share["role"] == "controller"));
    }
    world.settle().await;
}

#[tokio::test]
async fn the_same_key_is_charged_once_and_another_function_is_another_request() {
    let world = world().await;
    published(&world, "ada/other@1.0.0", SENTIMENT).await;
    let asked = |name: &str| {
        let body = json!({"input": {"text": "Lovely."}}).to_string();
        let mut asked = request("POST", &world.ada, &format!("/v1/functions/{name}"), &body);
        asked
            .headers_mut()
            .insert("idempotency-key", "one".parse().unwrap());
        asked
    };
    let first = world.send(asked("ada/sentiment")).await;
    let again = world.send(asked("ada/sentiment")).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    let other = world.send(asked("ada/other")).await;
    assert_eq!(other.error().1, "idempotency_key_reused");
    assert_eq!(world.node.network().receipts().count(), 1);
    world.settle().await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_its_path_before_any_charge() {
    let world = world().await;
    let text = |text: &str| json!({"input": {"text": text}});
    let rows = [
        (
            "ada/sentiment",
            json!({"input": {"text": 5}}),
            422,
            "invalid_input",
            Some("input.text"),
        ),
        (
            "ada/sentiment",
            text(&"a".repeat(21)),
            422,
            "invalid_input",
            Some("input.text"),
        ),
        (
            "ada/sentiment",
            json!({"input": {}}),
            422,
            "invalid_input",
            Some("input"),
        ),
        (
            "ada/sentiment",
            json!({}),
            422,
            "invalid_input",
            Some("input"),
        ),
        (
            "ada/sentiment",
            json!({"input": {"text": "a", "b": 1}}),
            422,
            "invalid_input",
            Some("input"),
        ),
        (
            "ada/sentiment",
            json!({"text": "a"}),
            400,
            "invalid_json",
            Some("text"),
        ),
        (
            "ada/sentiment@2",
            text("a"),
            404,
            "function_not_found",
            None,
        ),
        ("ada/none", text("a"), 404, "function_not_found", None),
        ("nothing", text("a"), 404, "function_not_found", None),
        (
            "ada/sentiment",
            json!({"input": {"text": "a"}, "aigen": {"model": "huge"}}),
            404,
            "model_not_found",
            Some("model"),
        ),
        (
            "ada/sentiment",
            json!({"input": {"text": "a"}, "aigen": {"temperature": 3}}),
            400,
            "invalid_value",
            Some("aigen.temperature"),
        ),
        (
            "ada/sentiment",
            json!({"input": {"text": "a"}, "aigen": {"max_cost": "0.000000001"}}),
            402,
            "budget_too_small",
            Some("aigen.max_cost"),
        ),
    ];
    for (name, body, status, code, param) in rows {
        let (at, found, path) = call(&world, name, body.clone()).await.error();
        assert_eq!(
            (at, found.as_str(), path.as_deref()),
            (status, code, param),
            "{name} {body}"
        );
    }
    let yank = json!({"reference": "ada/sentiment@1.0.0", "standing": "yanked", "reason": "wrong"});
    world
        .post(&world.operator, "/v1/aigen/controllers/standing", &yank)
        .await;
    let yanked = call(&world, "ada/sentiment@1.0.0", text("a")).await.error();
    assert_eq!((yanked.0, yanked.1.as_str()), (422, "controller_yanked"));
    let gone = call(&world, "ada/sentiment", text("a")).await.error();
    assert_eq!(
        gone.1, "controller_yanked",
        "and not as if it had never been"
    );
    assert_eq!(world.node.network().receipts().count(), 0);
    world.settle().await;
}

/// What a call of a function costs is said of its input, and of it as a model; nothing is charged.
#[tokio::test]
async fn a_function_is_priced_with_its_input() {
    let world = world().await;
    let asked = |content: &str| {
        let messages = json!([{"role": "user", "content": content}]);
        json!({"model": "fn:ada/sentiment", "messages": messages})
    };
    let quote = async |content: &str| {
        let body = asked(content);
        world.post(&world.ada, "/v1/aigen/quote", &body).await
    };
    let quoted = quote(r#"{"text": "Lovely."}"#).await.json();
    assert_eq!(
        (
            &quoted["model"],
            &quoted["output_tokens"],
            &quoted["retries"]
        ),
        (&json!("tiny"), &json!(40), &json!(0))
    );
    assert_eq!(
        quote("Lovely.").await.json(),
        quoted,
        "the one text it takes"
    );
    let reply = call(
        &world,
        "ada/sentiment",
        json!({"input": {"text": "Lovely."}}),
    )
    .await;
    let usage = &reply.json()["receipt"]["usage"];
    assert_eq!(usage["prompt_tokens"], quoted["prompt_tokens"]);
    let (status, code, param) = quote(r#"{"txt": "Lovely."}"#).await.error();
    assert_eq!(
        (status, &*code, param.as_deref()),
        (422, "invalid_input", Some("input"))
    );
    assert_eq!(world.node.network().receipts().count(), 1);
    world.settle().await;
}

#[tokio::test]
async fn a_value_that_is_cut_off_is_an_error_with_what_there_is_of_it() {
    let world = world().await;
    for (options, stop, raw) in [
        (json!({"max_tokens": 12}), "length", r#"{"why":"    "#),
        (json!({"max_cost": "0.000000270"}), "budget", r#"{"why":"#),
    ] {
        let body = json!({"input": {"text": "a"}, "aigen": options});
        let reply = call(&world, "ada/sentiment", body).await;
        let (status, code, _) = reply.error();
        assert_eq!(
            (status, code.as_str()),
            (422, "truncated"),
            "{}",
            reply.text
        );
        let metadata = &reply.json()["error"]["metadata"];
        assert_eq!(metadata["stop"], stop, "{metadata}");
        let said = metadata["raw"].as_str().unwrap();
        assert!(
            ANSWER.starts_with(said) && said.starts_with(&raw[..4]),
            "{said}"
        );
        assert_eq!(metadata["receipt"], receipt_of(&reply).to_string());
        assert_ne!(metadata["cost"], "0");
    }
    world.settle().await;
}

#[tokio::test]
async fn a_function_is_a_model_whole_and_streamed() {
    let world = world().await;
    let ask = |model: &str, content: &str, stream: bool| json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": content}]});
    let path = "/v1/chat/completions";
    for content in ["Lovely.", r#"{"text": "Lovely."}"#] {
        let whole = world
            .post(&world.ada, path, &ask("fn:ada/sentiment", content, false))
            .await;
        let body = whole.json();
        assert_eq!(body["choices"][0]["message"]["content"], ANSWER, "{body}");
        assert_eq!(body["aigen"]["guarantee"], "decoder");
        assert_eq!(body["aigen"]["controller"], "ada/sentiment@1.0.0");
        assert_eq!(body["model"], "tiny");
        let streamed = world
            .post(&world.ada, path, &ask("fn:ada/sentiment@1", content, true))
            .await;
        let (events, done) = streamed.events();
        let said = events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
        assert_eq!(said.collect::<String>(), ANSWER);
        assert!(done);
    }
    let rows = [
        (
            ask("fn:ada/none", "a", false),
            404,
            "function_not_found",
            Some("model"),
        ),
        (
            ask("fn:ada/sentiment", &"a".repeat(21), false),
            422,
            "invalid_input",
            Some("input.text"),
        ),
    ];
    for (body, status, code, param) in rows {
        let (at, found, path) = world.post(&world.ada, path, &body).await.error();
        assert_eq!(
            (at, found.as_str(), path.as_deref()),
            (status, code, param),
            "{body}"
        );
    }
    for (model, aigen, param) in [
        (
            "fn:ada/sentiment",
            json!({"controller": "regex"}),
            "aigen.controller",
        ),
        ("tiny", json!({"model": "tiny"}), "aigen.model"),
    ] {
        let mut body = ask(model, "a", false);
        body["aigen"] = aigen;
        let refused = world.post(&world.ada, path, &body).await.error();
        assert_eq!(refused.2.as_deref(), Some(param));
    }
    let mut formatted = ask("fn:ada/sentiment", "a", false);
    formatted["response_format"] = json!({"type": "json_object"});
    let refused = world.post(&world.ada, path, &formatted).await.error();
    assert_eq!(refused.2.as_deref(), Some("response_format"));
    for (path, body) in [
        (
            "/v1/completions",
            json!({"model": "fn:ada/sentiment", "prompt": "a"}),
        ),
        (
            "/v1/embeddings",
            json!({"model": "fn:ada/sentiment", "input": "a"}),
        ),
    ] {
        let refused = world.post(&world.ada, path, &body).await;
        assert!(
            refused.text.contains("functions are not served here"),
            "{path}: {}",
            refused.text
        );
        assert_eq!(refused.error().2.as_deref(), Some("model"), "{path}");
    }
    let models = world.get(&world.ada, "/v1/models").await.json();
    let ids: Vec<_> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(ids, ["tiny", "fn:ada/sentiment@1.0.0"]);
    for id in ["fn:ada/sentiment", "fn:ada/sentiment@1.0.0"] {
        let one = world
            .get(&world.ada, &format!("/v1/models/{id}"))
            .await
            .json();
        assert_eq!(one["owned_by"], "ada");
    }
    world.settle().await;
}

/// The text of a stream's deltas, whatever its route.
fn streamed(reply: &super::world::Reply) -> String {
    let data = reply
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let text = |event: Value| match &event["delta"] {
        Value::String(text) => Some(text.clone()),
        delta => Some(delta["text"].as_str()?.to_owned()),
    };
    events.filter_map(text).collect()
}

#[tokio::test]
async fn a_function_is_a_model_in_the_words_of_other_routes() {
    let world = world().await;
    let responses = |model: &str, text: &str, stream: bool| {
        let body = json!({"model": model, "stream": stream, "input": text});
        ("/v1/responses", body)
    };
    let messages = |model: &str, text: &str, stream: bool| {
        let said = json!([{"role": "user", "content": text}]);
        let body = json!({"model": model, "stream": stream, "max_tokens": 100, "messages": said});
        ("/v1/messages", body)
    };
    for (body, text) in [
        (
            &responses as &dyn Fn(&str, &str, bool) -> (&'static str, Value),
            "/output/0/content/0/text",
        ),
        (&messages, "/content/0/text"),
    ] {
        for said in ["Lovely.", r#"{"text": "Lovely."}"#] {
            let (path, whole) = body("fn:ada/sentiment", said, false);
            let reply = world.post(&world.ada, path, &whole).await;
            let answer = reply.json();
            assert_eq!(answer.pointer(text).unwrap(), ANSWER, "{answer}");
            assert_eq!(answer["aigen"]["guarantee"], "decoder");
            assert_eq!(answer["aigen"]["controller"], "ada/sentiment@1.0.0");
            let (path, parts) = body("fn:ada/sentiment@1", said, true);
            let reply = world.post(&world.ada, path, &parts).await;
            assert_eq!(streamed(&reply), ANSWER, "{}", reply.text);
        }
    }
    // Refused before any charge, in each route's own words.
    let charged = world.node.network().receipts().count();
    let long = "a".repeat(21);
    for stream in [false, true] {
        let (path, body) = responses("fn:ada/none", "a", stream);
        let (status, code, param) = world.post(&world.ada, path, &body).await.error();
        assert_eq!(
            (status, &*code, param.as_deref()),
            (404, "function_not_found", Some("model"))
        );
        let (path, body) = responses("fn:ada/sentiment", &long, stream);
        let (status, code, param) = world.post(&world.ada, path, &body).await.error();
        assert_eq!(
            (status, &*code, param.as_deref()),
            (422, "invalid_input", Some("input.text"))
        );
        let (path, body) = messages("fn:ada/none", "a", stream);
        let refused = world.post(&world.ada, path, &body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["type"]),
            (404, &json!("error"))
        );
        assert_eq!(refused.json()["error"]["type"], "not_found_error");
        let (path, body) = messages("fn:ada/sentiment", &long, stream);
        let refused = world.post(&world.ada, path, &body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["type"]),
            (422, &json!("error"))
        );
        assert!(refused.text.contains("input.text"), "{}", refused.text);
    }
    assert_eq!(world.node.network().receipts().count(), charged);
    // What is counted is the function's own prompt, as a call of it has it.
    let (path, body) = messages("fn:ada/sentiment", "Lovely.", false);
    let called = world.post(&world.ada, path, &body).await.json();
    let counted = world
        .post(&world.ada, "/v1/messages/count_tokens", &body)
        .await
        .json();
    assert_eq!(
        counted["input_tokens"], called["usage"]["input_tokens"],
        "{called}"
    );
    world.settle().await;
}

#[tokio::test]
async fn functions_are_listed_with_their_types_and_as_a_document() {
    let world = world().await;
    published(&world, "bea/mood@0.1.0", SENTIMENT).await;
    published(
        &world,
        "ada/sentiment@1.1.0",
        &SENTIMENT.replace("Judge", "Tell"),
    )
    .await;
    let listed = world.get(&world.ada, "/v1/aigen/functions").await.json();
    let names: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["reference"])
        .collect();
    assert_eq!(names, ["ada/sentiment@1.1.0", "bea/mood@0.1.0"]);
    assert_eq!(listed["data"][0]["input"]["required"], json!(["text"]));
    assert!(listed["data"][0].get("golden").is_none());
    let page = world
        .get(&world.ada, "/v1/aigen/functions?limit=1")
        .await
        .json();
    assert_eq!(page["next"], "ada/sentiment@1.1.0");
    let page = world
        .get(&world.ada, "/v1/aigen/functions?after=ada/sentiment@1.1.0")
        .await
        .json();
    assert_eq!(page["data"][0]["reference"], "bea/mood@0.1.0");
    let one = world
        .get(&world.ada, "/v1/functions/ada/sentiment@1.0.0")
        .await
        .json();
    assert_eq!(one["description"], "Judge the sentiment of `text`.");
    let all = world
        .get(&world.ada, "/v1/functions/openapi.json")
        .await
        .json();
    assert_eq!(all["paths"].as_object().unwrap().len(), 2);
    let one = world
        .get(&world.ada, "/v1/functions/ada/sentiment@1/openapi.json")
        .await
        .json();
    let operation = &one["paths"]["/v1/functions/ada/sentiment@1.1.0"]["post"];
    assert_eq!(operation["operationId"], "ada_sentiment");
    let value = "/responses/200/content/application~1json/schema/properties/value";
    assert_eq!(
        operation.pointer(value).unwrap()["required"],
        json!(["why", "polarity"])
    );
    world.settle().await;
}

#[tokio::test]
async fn a_function_that_cannot_work_is_not_published() {
    let world = world().await;
    for (old, new, expected, hint) in [
        (
            "max_tokens = 40",
            "prompt = \"{{ txt }}\"",
            "the function: prompt: line 1: there is no `txt`; there are text, ",
            "correct the function's source",
        ),
        (
            r#""maxLength": 9"#,
            r#""pattern": "(?=a)b""#,
            "the function: output.properties.why.pattern: ",
            "correct the function's source",
        ),
        (
            r#""maxLength": 9"#,
            r#""minLength": 9, "maxLength": 1"#,
            "the function: output: Unsatisfiable schema: ",
            "correct the schema of the function's output",
        ),
        (
            r#""maxLength": 9"#,
            r#""not": {}"#,
            "the function: output: ",
            "leave the keyword out, and check the value afterwards",
        ),
        (
            r#"{ text = "Lovely." }"#,
            "{ text = 5 }",
            "the function: golden[0].input.text: ",
            "correct the function's source",
        ),
    ] {
        let source = SENTIMENT.replace(old, new);
        assert_ne!(source, SENTIMENT);
        let body = json!({"reference": "ada/bad@1.0.0", "kind": "function", "source": source});
        let reply = world
            .post(&world.operator, "/v1/aigen/controllers", &body)
            .await;
        let (status, code, _) = reply.error();
        assert_eq!((status, code.as_str()), (422, "controller_refused"));
        let message = reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(expected), "{message}");
        assert_eq!(reply.json()["error"]["hint"], hint, "{message}");
    }
    world.settle().await;
}
