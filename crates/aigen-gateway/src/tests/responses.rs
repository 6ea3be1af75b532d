//! `/v1/responses`: the same answers in other words.

use super::world::{Reply, World};
use aigen_engine::scripted::Script;
use serde_json::{Value, json};

const CALL: &str = "Wait.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"n\":7}}\n</tool_call>";

async fn world() -> World {
    World::new(Script::replies(
        [("Hi", "Hello!"), ("weigh", CALL)].map(|(prompt, reply)| (prompt, [reply])),
    ))
    .await
}

async fn ask(world: &World, fields: Value) -> Reply {
    let mut body = json!({"model": "tiny", "temperature": 0, "input": "Hi"});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post(&world.ada, "/v1/responses", &body).await
}

fn function() -> Value {
    json!([{"type": "function", "name": "f", "parameters": {"type": "object"}}])
}

/// The events' names and payloads.
fn events(reply: &Reply) -> Vec<(String, Value)> {
    let frames = reply.text.split("\n\n").filter(|frame| !frame.is_empty());
    let events = frames.map(|frame| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        let name = name.strip_prefix("event: ").unwrap().to_owned();
        assert_eq!(data["type"], name);
        (name, data)
    });
    events.collect()
}

#[tokio::test]
async fn a_plain_answer_has_every_field() {
    let world = world().await;
    let reply = ask(
        &world,
        json!({"instructions": "Be brief.", "metadata": {"a": "b"}}),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    assert_eq!(
        (&body["object"], &body["status"]),
        (&json!("response"), &json!("completed"))
    );
    assert_eq!(body["output"][0]["content"][0]["text"], "Hello!");
    assert_eq!(body["output"][0]["role"], "assistant");
    assert_eq!(
        (&body["store"], &body["metadata"]),
        (&json!(false), &json!({"a": "b"}))
    );
    assert_eq!(
        (&body["tool_choice"], &body["text"]["format"]["type"]),
        (&json!("auto"), &json!("text"))
    );
    assert_eq!(body["usage"]["output_tokens"], 7);
    assert_eq!(reply.header("x-aigen-cost"), body["aigen"]["cost"].as_str());
    world.settle().await;
}

#[tokio::test]
async fn a_stream_tells_the_whole_sequence() {
    let world = world().await;
    let plain = ask(&world, json!({"input": "weigh", "tools": function()}))
        .await
        .json();
    let stream = ask(
        &world,
        json!({"input": "weigh", "tools": function(), "stream": true}),
    )
    .await;
    let events = events(&stream);
    let mut names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    for (at, (_, event)) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at);
    }
    let texts = events
        .iter()
        .filter(|(name, _)| name.ends_with("output_text.delta"));
    let text: String = texts
        .map(|(_, event)| event["delta"].as_str().unwrap())
        .collect();
    assert_eq!(text, "Wait.");
    let without_names = |response: &Value| {
        let output = response["output"].as_array().unwrap().iter().map(|item| {
            let mut item = item.clone();
            for name in ["id", "call_id"] {
                item.as_object_mut().unwrap().remove(name);
            }
            item
        });
        (
            output.collect::<Vec<_>>(),
            response["usage"].clone(),
            response["aigen"]["cost"].clone(),
        )
    };
    let last = &events.last().unwrap().1["response"];
    assert_eq!(without_names(last), without_names(&plain));
    assert_eq!(plain["output"][1]["arguments"], "{\"n\":7}");
    world.settle().await;
}

#[tokio::test]
async fn what_is_cut_off_says_so() {
    let world = world().await;
    let plain = ask(&world, json!({"max_output_tokens": 3})).await.json();
    assert_eq!(
        (&plain["status"], &plain["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    let stream = ask(&world, json!({"max_output_tokens": 3, "stream": true})).await;
    let last = events(&stream).pop().unwrap();
    assert_eq!(
        (last.0.as_str(), &last.1["response"]["output"]),
        (
            "response.incomplete",
            &json!([
                {"type": "message", "id": last.1["response"]["output"][0]["id"], "status": "incomplete", "role": "assistant",
                 "content": [{"type": "output_text", "text": "Hel", "annotations": [], "logprobs": []}]}
            ])
        )
    );
    world.settle().await;
}

#[tokio::test]
async fn a_conversation_is_sent_as_items() {
    let world = world().await;
    let input = json!([
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "weigh"}]},
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"n\":7}"},
        {"type": "function_call_output", "call_id": "c", "output": "7"},
        {"role": "user", "content": "Hi"},
    ]);
    let body = ask(&world, json!({"input": input})).await.json();
    assert_eq!(body["output"][0]["content"][0]["text"], "Hello!", "{body}");
    world.settle().await;
}

#[tokio::test]
async fn a_format_is_enforced() {
    let world = world().await;
    let format = json!({"format": {"type": "json_schema", "name": "n", "schema": {"const": 7}, "strict": true}});
    let body = ask(&world, json!({"text": format})).await.json();
    assert_eq!(body["output"][0]["content"][0]["text"], "7");
    assert_eq!(body["text"], format);
    world.settle().await;
}

#[tokio::test]
async fn what_needs_a_memory_is_refused_by_name() {
    let world = world().await;
    for (fields, param) in [
        (
            json!({"previous_response_id": "resp_1"}),
            "previous_response_id",
        ),
        (json!({"conversation": "c"}), "conversation"),
        (json!({"background": true}), "background"),
        (json!({"truncation": "auto"}), "truncation"),
        (json!({"tools": [{"type": "web_search"}]}), "tools[0].type"),
        (
            json!({"input": [{"type": "item_reference", "id": "x"}]}),
            "input[0].type",
        ),
        (json!({"input": []}), "input"),
        (json!({"input": [{"role": "user"}]}), "input[0].content"),
        (json!({"temperature": 3}), "temperature"),
    ] {
        let reply = ask(&world, fields.clone()).await;
        let (status, _, given) = reply.error();
        assert_eq!((status, given.as_deref()), (400, Some(param)), "{fields}");
    }
    world.settle().await;
}
