//! Functions that a model may call: on every route, whole and streamed, at the same price.

use super::world::{Reply, World, chat};
use aigen_engine::scripted::Script;
use serde_json::{Value, json};

/// The model answers "Hi" with text, and asks for the weather when it is asked about it.
async fn world() -> World {
    let call = |city: &str| {
        format!(
            "<tool_call>\n{{\"name\": \"weather\", \"arguments\": {{\"city\":\"{city}\"}}}}\n</tool_call>"
        )
    };
    let both = format!("Wait.\n{}\n{}", call("Oslo"), call("Rome"));
    World::new(Script::replies(
        [
            ("Hi", "Hello!".to_owned()),
            ("Oslo?", call("Oslo")),
            ("both?", both),
            ("</tool_response>", "Cold.".to_owned()),
        ]
        .map(|(prompt, reply)| (prompt, [reply])),
    ))
    .await
}

fn weather() -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"enum": ["Oslo", "Rome"]}}, "required": ["city"], "additionalProperties": false});
    json!({"type": "function", "function": {"name": "weather", "description": "The weather of a city.", "parameters": parameters, "strict": true}})
}

fn asking(question: &str, fields: Value) -> Value {
    let mut request =
        chat(json!({"tools": [weather()], "messages": [{"role": "user", "content": question}]}));
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

async fn ask(world: &World, question: &str, fields: Value) -> Reply {
    let reply = world
        .post(
            &world.ada,
            "/v1/chat/completions",
            &asking(question, fields),
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

/// The text, the calls as `name(arguments)`, and why it ended.
fn told(message: &Value, finish: &Value) -> String {
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls: String = calls
        .map(|call| {
            let function = &call["function"];
            let part = |name: &str| function[name].as_str().unwrap_or_default().to_owned();
            format!(" {}({})", part("name"), part("arguments"))
        })
        .collect();
    let text = message["content"].as_str().unwrap_or("-");
    format!("{text}{calls} {}", finish.as_str().unwrap())
}

/// A stream put together as a client does it.
fn gathered(reply: &Reply) -> String {
    let (events, done) = reply.events();
    assert!(done);
    let mut message = json!({"content": null, "tool_calls": []});
    let mut finish = Value::Null;
    for event in &events {
        for choice in event["choices"].as_array().unwrap() {
            if let Some(text) = choice["delta"]["content"]
                .as_str()
                .filter(|text| !text.is_empty())
            {
                let before = message["content"].as_str().unwrap_or_default();
                message["content"] = json!(format!("{before}{text}"));
            }
            for delta in choice["delta"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let calls = message["tool_calls"].as_array_mut().unwrap();
                let at = usize::try_from(delta["index"].as_u64().unwrap()).unwrap();
                if at == calls.len() {
                    assert!(delta["id"].as_str().unwrap().starts_with("call_"));
                    assert_eq!(delta["type"], "function");
                    calls.push(
                        json!({"function": {"name": delta["function"]["name"], "arguments": ""}}),
                    );
                }
                let more = delta["function"]["arguments"].as_str().unwrap();
                let arguments = &mut calls[at]["function"]["arguments"];
                *arguments = json!(format!("{}{more}", arguments.as_str().unwrap()));
            }
            if !choice["finish_reason"].is_null() {
                finish = choice["finish_reason"].clone();
            }
        }
    }
    told(&message, &finish)
}

#[tokio::test]
async fn calls_come_whole_and_in_parts_at_the_same_price() {
    let world = world().await;
    let oslo = r#"weather({"city":"Oslo"})"#;
    let rome = r#"weather({"city":"Rome"})"#;
    for (question, fields, expected) in [
        ("Hi", json!({}), "Hello! stop".to_owned()),
        ("Oslo?", json!({}), format!("- {oslo} tool_calls")),
        ("both?", json!({}), format!("Wait. {oslo} {rome} tool_calls")),
        ("Oslo?", json!({"tool_choice": "none"}), "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\":\"Oslo\"}}\n</tool_call> stop".to_owned()),
        ("Oslo?", json!({"tool_choice": "required"}), format!("- {oslo} tool_calls")),
        ("Oslo?", json!({"tool_choice": {"type": "function", "function": {"name": "weather"}}}), format!("- {oslo} tool_calls")),
        ("Oslo?", json!({"max_tokens": 1}), "< length".to_owned()),
    ] {
        let plain = ask(&world, question, fields.clone()).await.json();
        let choice = &plain["choices"][0];
        let heard = told(&choice["message"], &choice["finish_reason"]);
        assert_eq!(heard, expected, "{question} {fields}");
        let mut streamed = fields.clone();
        streamed["stream"] = json!(true);
        let stream = ask(&world, question, streamed).await;
        let gathered = gathered(&stream);
        assert_eq!(gathered, expected, "{question} {fields}");
        let (events, _) = stream.events();
        assert_eq!(events.last().unwrap()["aigen"]["cost"], plain["aigen"]["cost"]);
    }
    world.settle().await;
}

#[tokio::test]
async fn a_model_that_would_rather_talk_calls_what_it_has_to() {
    let world = world().await;
    for choice in [
        json!("required"),
        json!({"type": "function", "function": {"name": "weather"}}),
    ] {
        let reply = ask(&world, "Hi", json!({"tool_choice": choice}))
            .await
            .json();
        let call = &reply["choices"][0]["message"]["tool_calls"][0]["function"];
        let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
        assert!(["Oslo", "Rome"].contains(&arguments["city"].as_str().unwrap()));
    }
    world.settle().await;
}

#[tokio::test]
async fn results_are_told_to_the_model() {
    let world = world().await;
    let first = ask(&world, "Oslo?", json!({})).await.json();
    let message = first["choices"][0]["message"].clone();
    let id = message["tool_calls"][0]["id"].clone();
    let messages = json!([
        {"role": "user", "content": "Oslo?"},
        message,
        {"role": "tool", "tool_call_id": id, "content": "-3 degrees"},
    ]);
    let second = ask(&world, "", json!({"messages": messages})).await.json();
    assert_eq!(second["choices"][0]["message"]["content"], "Cold.");
    world.settle().await;
}

#[tokio::test]
async fn an_answer_that_calls_nothing_keeps_its_format() {
    let world = world().await;
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"const": 7}}});
    let reply = ask(&world, "Hi", json!({"response_format": format}))
        .await
        .json();
    let message = &reply["choices"][0]["message"];
    assert!(
        message["content"] == "7" || message["tool_calls"].is_array(),
        "{message}"
    );
    world.settle().await;
}

/// Of several tools those that `allowed_tools` names are called, whatever the model would like.
#[tokio::test]
async fn only_allowed_tools_are_called() {
    let world = world().await;
    let parameters = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let clock =
        json!({"type": "function", "function": {"name": "clock", "parameters": parameters}});
    for (question, mode, allowed, called) in [
        ("Oslo?", "auto", "weather", json!("weather")),
        ("Oslo?", "required", "clock", json!("clock")),
        ("Hi", "required", "clock", json!("clock")),
        ("Hi", "auto", "weather", Value::Null),
    ] {
        let tool = json!({"type": "function", "function": {"name": allowed}});
        let allowed = json!({"mode": mode, "tools": [tool]});
        let fields = json!({
            "tools": [weather(), clock],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": allowed},
            "parallel_tool_calls": false,
        });
        let reply = ask(&world, question, fields).await.json();
        let message = &reply["choices"][0]["message"];
        let name = message["tool_calls"][0]["function"]["name"].clone();
        assert_eq!(name, called, "{question} {mode}: {message}");
    }
    let unknown =
        json!({"mode": "auto", "tools": [{"type": "function", "function": {"name": "calendar"}}]});
    let choice = json!({"type": "allowed_tools", "allowed_tools": unknown});
    let asked = asking("Hi", json!({"tool_choice": choice}));
    let reply = world.post(&world.ada, "/v1/chat/completions", &asked).await;
    let refused = (
        400,
        "invalid_value".to_owned(),
        Some("tool_choice".to_owned()),
    );
    assert_eq!(reply.error(), refused);
    world.settle().await;
}
