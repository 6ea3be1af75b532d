//! How an answer came about, and what was said before it: whole and streamed.

use super::world::{Reply, World};
use aigen_engine::scripted::Script;
use aigen_node::Reasoning;
use serde_json::{Value, json};

/// Without the one thing no two runs agree on: measured time.
fn timeless(mut steps: Vec<Value>) -> Vec<Value> {
    for step in &mut steps {
        if let Some(micros) = step.get_mut("micros") {
            *micros = json!(0);
        }
    }
    steps
}

/// The steps of a stream's events.
fn streamed(reply: &Reply) -> Vec<Value> {
    let frames = reply.text.split("\n\n");
    let traces = frames.filter_map(|frame| frame.strip_prefix("event: trace\ndata: "));
    let events = traces.map(|event| serde_json::from_str::<Value>(event).unwrap());
    let steps = events.inspect(|event| assert_eq!(event["index"], 0));
    steps
        .flat_map(|event| event["steps"].as_array().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn a_trace_says_how_an_answer_came_about() {
    let world = World::new(Script::replies([("Hi", ["yes"])])).await;
    let choice = json!({
        "controller": "choice", "params": {"options": ["yes", "no"]}, "trace": true
    });
    let plain = world.chat(json!({"aigen": choice, "seed": 1})).await;
    assert_eq!(plain.status, 200, "{}", plain.text);
    let body = plain.json();
    let traces = body["aigen"]["trace"].as_array().unwrap();
    assert_eq!(traces.len(), 1);
    let whole = timeless(traces[0].as_array().unwrap().clone());
    let what: Vec<_> = whole
        .iter()
        .map(|step| {
            let text = step["text"].as_str().or(step["decision"].as_str());
            format!("{} {}", step["kind"].as_str().unwrap(), text.unwrap_or(""))
        })
        .collect();
    assert_eq!(
        what,
        [
            "decided generate",
            "sampled y",
            "forced e",
            "forced s",
            "decided stop",
            "over "
        ]
    );
    // Of 256 bytes and 6 control tokens, all but the first letters of both.
    assert_eq!(whole[1]["masked"], 256 + 6 - 2, "{}", whole[1]);
    assert_eq!(whole[1]["position"], 0);
    assert_eq!(
        whole[5],
        json!({"branch": 0, "position": 3, "kind": "over", "kept": true})
    );
    let stream = world
        .chat(json!({"aigen": choice, "seed": 1, "stream": true}))
        .await;
    assert_eq!(timeless(streamed(&stream)), whole);
    let (events, done) = stream.events();
    assert!(done && events.last().unwrap()["aigen"].get("trace").is_none());
    // Nobody is told who did not ask.
    let silent = world.chat(json!({})).await;
    assert!(silent.json()["aigen"].get("trace").is_none());
    world.settle().await;
}

#[tokio::test]
async fn every_answer_has_a_trace_of_its_own() {
    let world = World::polite().await;
    let reply = world.chat(json!({"n": 2, "aigen": {"trace": true}})).await;
    let body = reply.json();
    let traces = body["aigen"]["trace"].as_array().unwrap();
    assert_eq!(traces.len(), 2);
    let sampled = |trace: &Value| {
        let steps = trace.as_array().unwrap().iter();
        steps.filter(|step| step["kind"] == "sampled").count()
    };
    assert_eq!(traces.iter().map(sampled).collect::<Vec<_>>(), [7, 7]);
    world.settle().await;
}

fn marks(start: Option<&str>) -> Reasoning {
    Reasoning {
        start: start.map(str::to_owned),
        end: "</think>".to_owned(),
    }
}

#[tokio::test]
async fn what_is_said_before_the_answer_is_told_apart() {
    let script = Script::replies([("Hi", ["<think>hm \u{20ac}</think>{\"a\":1}"])]);
    let world = World::thinking(script, marks(Some("<think>"))).await;
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}});
    for format in [json!({"type": "text"}), format] {
        let plain = world
            .chat(json!({"response_format": format, "max_tokens": 60}))
            .await;
        assert_eq!(plain.status, 200, "{}", plain.text);
        let body = plain.json();
        let message = &body["choices"][0]["message"];
        assert_eq!(message["reasoning_content"], "hm \u{20ac}", "{body}");
        let content: Value = serde_json::from_str(message["content"].as_str().unwrap()).unwrap();
        assert_eq!(content, json!({"a": 1}));
        // Six bytes, and the eight that end it.
        let details = &body["usage"]["completion_tokens_details"];
        assert_eq!(details["reasoning_tokens"], 14, "{body}");
        let stream = world
            .chat(json!({"response_format": format, "max_tokens": 60, "stream": true}))
            .await;
        let (events, _) = stream.events();
        let said = |field: &str| -> String {
            let deltas = events
                .iter()
                .filter_map(|event| event["choices"][0]["delta"][field].as_str());
            deltas.collect()
        };
        assert_eq!(said("reasoning_content"), "hm \u{20ac}");
        assert_eq!(said("content"), message["content"].as_str().unwrap());
    }
    world.settle().await;
}

/// Without its end there is no answer, and what came is told all the same.
#[tokio::test]
async fn reasoning_that_is_cut_is_no_answer() {
    let script = Script::replies([("Hi", ["hm</thi"])]);
    let world = World::thinking(script, marks(None)).await;
    let reply = world.chat(json!({"max_tokens": 7})).await;
    let body = reply.json();
    let choice = &body["choices"][0];
    assert_eq!(choice["finish_reason"], "length", "{body}");
    assert_eq!(choice["message"]["reasoning_content"], "hm</thi");
    assert_eq!(choice["message"]["content"], "");
    world.settle().await;
}

/// What the events of a stream hold that have names of their own.
fn payloads(reply: &Reply) -> Vec<Value> {
    let data = reply
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// On the other routes, whole and in parts, and where it is cut.
#[tokio::test]
async fn reasoning_is_told_on_every_route() {
    let script = Script::replies([("Hi", ["<think>hm \u{20ac}</think>Yes."])]);
    let world = World::thinking(script, marks(Some("<think>"))).await;
    let ask = |path: &'static str, fields: Value| {
        let mut body = json!({"model": "tiny", "temperature": 0, "max_tokens": 60, "messages": [{"role": "user", "content": "Hi"}]});
        if path == "/v1/responses" {
            body =
                json!({"model": "tiny", "temperature": 0, "max_output_tokens": 60, "input": "Hi"});
        }
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        let world = &world;
        async move { world.post(&world.ada, path, &body).await }
    };
    let said = ask("/v1/messages", json!({})).await.json();
    let thinking = json!({"type": "thinking", "thinking": "hm \u{20ac}", "signature": ""});
    let yes = json!({"type": "text", "text": "Yes."});
    assert_eq!(said["content"], json!([thinking, yes]), "{said}");
    let said = ask("/v1/responses", json!({})).await.json();
    let output = &said["output"];
    let told = json!([{"type": "reasoning_text", "text": "hm \u{20ac}"}]);
    assert_eq!(
        (&output[0]["type"], &output[0]["content"]),
        (&json!("reasoning"), &told)
    );
    assert_eq!(
        (&output[0]["status"], &output[0]["summary"]),
        (&json!("completed"), &json!([]))
    );
    assert_eq!(output[1]["content"][0]["text"], "Yes.", "{said}");

    let stream = ask("/v1/messages", json!({"stream": true})).await;
    let events = payloads(&stream);
    let joined = |field: &str| -> String {
        let deltas = events
            .iter()
            .filter_map(|event| event["delta"][field].as_str());
        deltas.collect()
    };
    assert_eq!(
        (joined("thinking"), joined("text")),
        ("hm \u{20ac}".into(), "Yes.".into())
    );
    let begun = events
        .iter()
        .filter(|event| event["type"] == "content_block_start");
    let begun: Vec<_> = begun
        .map(|event| (&event["index"], &event["content_block"]["type"]))
        .collect();
    assert_eq!(
        begun,
        [(&json!(0), &json!("thinking")), (&json!(1), &json!("text"))]
    );

    let stream = ask("/v1/responses", json!({"stream": true})).await;
    let events = payloads(&stream);
    let named = |kind: &str| {
        events
            .iter()
            .filter(move |event| event["type"] == kind)
            .collect::<Vec<_>>()
    };
    let deltas = named("response.reasoning_text.delta");
    let deltas: String = deltas
        .iter()
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(deltas, "hm \u{20ac}");
    assert_eq!(
        named("response.reasoning_text.done")[0]["text"],
        "hm \u{20ac}"
    );
    let done = named("response.output_item.done");
    let done: Vec<_> = done
        .iter()
        .map(|event| (&event["output_index"], &event["item"]["type"]))
        .collect();
    assert_eq!(
        done,
        [
            (&json!(0), &json!("reasoning")),
            (&json!(1), &json!("message"))
        ]
    );
    let last = &named("response.completed")[0]["response"]["output"];
    assert_eq!(last[0]["content"], told);
    assert_eq!(last[1]["content"][0]["text"], "Yes.");

    let cut = ask("/v1/responses", json!({"max_output_tokens": 9}))
        .await
        .json();
    assert_eq!(cut["status"], "incomplete", "{cut}");
    assert_eq!(cut["output"][0]["status"], "incomplete", "{cut}");
    world.settle().await;
}
