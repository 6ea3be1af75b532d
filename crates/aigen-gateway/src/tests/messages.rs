//! `/v1/messages`: the same answers in Anthropic's words.

use super::world::{Reply, World, request};
use aigen_engine::scripted::Script;
use serde_json::{Value, json};

const CALL: &str = "Wait.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"n\":7}}\n</tool_call>";

async fn world() -> World {
    let rows = [
        ("Hi", "Hello!"),
        ("weigh", CALL),
        ("</tool_response>", "Seven."),
    ];
    World::new(Script::replies(
        rows.map(|(prompt, reply)| (prompt, [reply])),
    ))
    .await
}

fn body(fields: Value) -> Value {
    let mut body = json!({"model": "tiny", "temperature": 0, "max_tokens": 200, "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn ask(world: &World, fields: Value) -> Reply {
    world.post(&world.ada, "/v1/messages", &body(fields)).await
}

fn calling() -> Value {
    json!({"messages": [{"role": "user", "content": "weigh"}], "tools": [{"name": "f", "input_schema": {"type": "object"}}]})
}

fn events(reply: &Reply) -> Vec<(String, Value)> {
    let frames = reply.text.split("\n\n").filter(|frame| !frame.is_empty());
    let events = frames.map(|frame| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        (name.strip_prefix("event: ").unwrap().to_owned(), data)
    });
    events.collect()
}

#[tokio::test]
async fn a_plain_answer() {
    let world = world().await;
    for (fields, text, reason, stop) in [
        (
            json!({"system": [{"type": "text", "text": "Be kind."}]}),
            "Hello!",
            "end_turn",
            Value::Null,
        ),
        (json!({"max_tokens": 3}), "Hel", "max_tokens", Value::Null),
        (
            json!({"stop_sequences": ["o!"]}),
            "Hell",
            "stop_sequence",
            json!("o!"),
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "top_k": 1}),
            "Hello!",
            "end_turn",
            Value::Null,
        ),
    ] {
        let reply = ask(&world, fields.clone()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let body = reply.json();
        assert_eq!(
            (&body["type"], &body["role"]),
            (&json!("message"), &json!("assistant"))
        );
        assert_eq!(
            body["content"],
            json!([{"type": "text", "text": text}]),
            "{fields}"
        );
        assert_eq!(
            (&body["stop_reason"], &body["stop_sequence"]),
            (&json!(reason), &stop),
            "{fields}"
        );
        assert!(body["usage"]["input_tokens"].as_u64() > Some(0));
        assert_eq!(reply.header("x-aigen-cost"), body["aigen"]["cost"].as_str());
    }
    world.settle().await;
}

#[tokio::test]
async fn a_stream_tells_the_whole_sequence_at_the_same_price() {
    let world = world().await;
    let plain = ask(&world, calling()).await.json();
    assert_eq!(plain["stop_reason"], "tool_use");
    assert_eq!(
        plain["content"][0],
        json!({"type": "text", "text": "Wait."})
    );
    assert_eq!(
        (&plain["content"][1]["name"], &plain["content"][1]["input"]),
        (&json!("f"), &json!({"n": 7}))
    );
    let mut streamed = calling();
    streamed["stream"] = json!(true);
    let events = events(&ask(&world, streamed).await);
    let mut names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let deltas = |field: &str| -> String {
        let deltas = events
            .iter()
            .filter_map(|(_, event)| event["delta"][field].as_str());
        deltas.collect()
    };
    assert_eq!(
        (deltas("text").as_str(), deltas("partial_json").as_str()),
        ("Wait.", "{\"n\":7}")
    );
    let (_, last) = &events[events.len() - 2];
    assert_eq!(last["delta"]["stop_reason"], "tool_use");
    assert_eq!(
        (&last["usage"], &last["aigen"]["cost"]),
        (&plain["usage"], &plain["aigen"]["cost"])
    );
    world.settle().await;
}

#[tokio::test]
async fn results_of_tools_are_told_to_the_model() {
    let world = world().await;
    let messages = json!([
        {"role": "user", "content": "weigh"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "Wait."},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"n": 7}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "7"}]}]},
    ]);
    let mut fields = calling();
    fields["messages"] = messages;
    let reply = ask(&world, fields).await.json();
    assert_eq!(reply["content"][0]["text"], "Seven.", "{reply}");
    world.settle().await;
}

#[tokio::test]
async fn tokens_are_counted_as_they_are_charged() {
    let world = world().await;
    for fields in [json!({}), calling(), json!({"system": "Be kind."})] {
        let mut count = body(fields.clone());
        count.as_object_mut().unwrap().remove("max_tokens");
        let counted = world
            .post(&world.ada, "/v1/messages/count_tokens", &count)
            .await
            .json();
        let charged = ask(&world, fields).await.json();
        assert_eq!(
            counted,
            json!({"input_tokens": charged["usage"]["input_tokens"]})
        );
    }
    world.settle().await;
}

/// What no call could be steered by is not counted, either.
#[tokio::test]
async fn a_count_is_refused_for_what_the_call_would_be() {
    let world = world().await;
    let tool = |schema: Value| json!({"tools": [{"name": "f", "input_schema": schema}]});
    let format = |schema: Value| json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    for fields in [
        format(json!({"type": "nothing"})),
        tool(json!({"type": "nothing"})),
        json!({"aigen": {"controller": "regex", "params": {"pattern": "("}}}),
        json!({"aigen": {"controller": "ada/none@1.0.0"}}),
        json!({"messages": [{"role": "user", "content": ""}]}),
    ] {
        let path = "/v1/messages/count_tokens";
        let counted = world.post(&world.ada, path, &body(fields.clone())).await;
        let asked = ask(&world, fields.clone()).await;
        assert!(asked.status.is_client_error(), "{fields}: {}", asked.text);
        assert_eq!(counted.status, asked.status, "{fields}: {}", counted.text);
        assert_eq!(counted.json(), asked.json(), "{fields}");
    }
    let fine = format(json!({"type": "object"}));
    let path = "/v1/messages/count_tokens";
    let counted = world.post(&world.ada, path, &body(fine)).await;
    assert_eq!(counted.status, 200, "{}", counted.text);
    world.settle().await;
}

#[tokio::test]
async fn errors_are_anthropics() {
    let world = world().await;
    for (method, path, status) in [
        ("GET", "/v1/messages", 405),
        ("POST", "/v1/messages/batches", 404),
    ] {
        let reply = world.send(request(method, &world.ada, path, "")).await;
        let said = (reply.status.as_u16(), reply.json()["type"].clone());
        assert_eq!(said, (status, json!("error")), "{path}");
    }
    for (fields, status, kind, param) in [
        (
            json!({"max_tokens": null}),
            400,
            "invalid_request_error",
            "max_tokens",
        ),
        (
            json!({"temperature": 1.5}),
            400,
            "invalid_request_error",
            "temperature",
        ),
        (
            json!({"temperature": -1}),
            400,
            "invalid_request_error",
            "temperature",
        ),
        (
            json!({"stop_sequences": vec!["x"; 17]}),
            400,
            "invalid_request_error",
            "stop_sequences",
        ),
        (
            json!({"stop_sequences": ["x".repeat(257)]}),
            400,
            "invalid_request_error",
            "stop_sequences",
        ),
        (
            json!({"tools": [{"name": "f"}]}),
            400,
            "invalid_request_error",
            "tools.0.input_schema",
        ),
        (
            json!({"messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": "x"}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "x"}]},
            ]}),
            400,
            "invalid_request_error",
            "messages.1.content.0.input",
        ),
        (
            json!({"messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
                {"role": "user", "content": "Hi"},
            ]}),
            400,
            "invalid_request_error",
            "messages.1.content.0",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]}]}),
            400,
            "invalid_request_error",
            "messages.0.content.0",
        ),
        (
            json!({"messages": [{"role": "user", "content": ""}]}),
            400,
            "invalid_request_error",
            "messages.0.content",
        ),
        (
            json!({"output_format": {"type": "json_schema", "schema": {"type": "nothing"}}}),
            422,
            "invalid_request_error",
            "output_config.format.schema",
        ),
        (json!({"model": "none"}), 404, "not_found_error", "model"),
        (
            json!({"mcp_servers": [{"url": "x"}]}),
            400,
            "invalid_request_error",
            "mcp_servers",
        ),
        (
            json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}),
            400,
            "invalid_request_error",
            "tools.0.type",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": "Hel"}]}),
            400,
            "invalid_request_error",
            "messages",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}),
            400,
            "invalid_request_error",
            "messages.0.content.0.type",
        ),
    ] {
        let reply = ask(&world, fields.clone()).await;
        let body = reply.json();
        assert_eq!(
            (reply.status.as_u16(), &body["type"]),
            (status, &json!("error")),
            "{fields}"
        );
        assert_eq!(
            (&body["error"]["type"], &body["error"]["param"]),
            (&json!(kind), &json!(param)),
            "{fields}"
        );
        assert!(body["error"]["hint"].is_string());
        // A path stands in the message as it stands beside it.
        assert!(
            !body["error"]["message"].to_string().contains("[0]"),
            "{body}"
        );
    }
    let mut keyed = request("POST", "", "/v1/messages", &body(json!({})).to_string());
    let refused = world
        .send(request(
            "POST",
            "",
            "/v1/messages",
            &body(json!({})).to_string(),
        ))
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]["type"]),
        (401, &json!("authentication_error"))
    );
    keyed
        .headers_mut()
        .insert("x-api-key", world.ada.parse().unwrap());
    assert_eq!(world.send(keyed).await.status, 200);
    world.settle().await;
}

#[tokio::test]
async fn texts_become_tokens_and_texts_again() {
    let world = world().await;
    let text = json!({"model": "tiny", "prompt": "Hé", "return_token_strs": true});
    let tokens = world.post(&world.ada, "/tokenize", &text).await.json();
    assert_eq!(
        (&tokens["count"], &tokens["max_model_len"]),
        (&json!(4), &json!(4096))
    );
    let back = json!({"model": "tiny", "tokens": tokens["tokens"]});
    let text = world.post(&world.ada, "/detokenize", &back).await.json();
    assert_eq!(text, json!({"prompt": "Hé"}));
    let chat = json!({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(
        world.post(&world.ada, "/tokenize", &chat).await.json()["count"],
        6
    );
    let unknown = json!({"model": "tiny", "tokens": [999_999]});
    let refused = world.post(&world.ada, "/detokenize", &unknown).await;
    assert_eq!(
        refused.error(),
        (400, "invalid_value".to_owned(), Some("tokens".to_owned()))
    );
    world.settle().await;
}
