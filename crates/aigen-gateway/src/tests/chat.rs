//! What a completion looks like, whole and streamed.

use super::world::{World, chat, receipt_of};
use aigen_api::openai::{ChatChunk, ChatResponse};
use serde_json::{Value, json};

#[tokio::test]
async fn a_plain_answer_is_openais_with_a_receipt() {
    let world = World::polite().await;
    let reply = world.chat(json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body: ChatResponse = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(body.text(), "Hello!");
    assert_eq!(body.id, format!("chatcmpl-{}", receipt_of(&reply)));
    // <begin> <user> H i <end> <assistant>; six letters and the end.
    assert_eq!(
        (body.usage.prompt_tokens, body.usage.completion_tokens),
        (6, 7)
    );
    let aigen = body.aigen.unwrap();
    assert_eq!(aigen.cost.nano(), 10 + 6 + 7 * 2);
    assert_eq!(reply.header("x-aigen-cost"), Some("0.00000003"));
    assert_eq!((aigen.stop, aigen.receipt), (None, receipt_of(&reply)));
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 30);
    let mut shown = reply.json();
    shown["id"] = json!("[id]");
    shown["created"] = json!("[time]");
    shown["aigen"]["receipt"] = json!("[call]");
    shown["aigen"]["journal_seq"] = json!("[record]");
    insta::assert_json_snapshot!(shown);
    world.settle().await;
}

#[tokio::test]
async fn a_stream_says_the_same_at_the_same_price() {
    let world = World::polite().await;
    let plain: ChatResponse = serde_json::from_str(&world.chat(json!({})).await.text).unwrap();
    let reply = world
        .chat(json!({"stream": true, "stream_options": {"include_usage": true}}))
        .await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let (events, done) = reply.events();
    assert!(done);
    let chunks: Vec<ChatChunk> = events
        .iter()
        .map(|event| serde_json::from_value(event.clone()).unwrap())
        .collect();
    let (first, last) = (&chunks[0], chunks.last().unwrap());
    // Until the usage comes every part says that it has none.
    let before = &events[..events.len() - 1];
    let none = |event: &Value| event.get("usage").is_some_and(Value::is_null);
    assert!(before.iter().all(none), "{before:?}");
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": ""})
    );
    for chunk in &chunks {
        assert_eq!(
            (&chunk.id, chunk.created, &chunk.model),
            (&first.id, first.created, &first.model)
        );
    }
    let choices = || chunks.iter().flat_map(|chunk| &chunk.choices);
    let text: String = choices()
        .filter_map(|choice| choice.delta.content.clone())
        .collect();
    assert_eq!(text, plain.text());
    let finishes: Vec<_> = choices()
        .filter_map(|choice| choice.finish_reason)
        .collect();
    assert_eq!(finishes, [plain.choices[0].finish_reason]);
    assert!(last.choices.is_empty());
    assert_eq!(last.usage, Some(plain.usage));
    let (streamed, whole) = (last.aigen.as_ref().unwrap(), plain.aigen.unwrap());
    assert_eq!((streamed.cost, streamed.stop), (whole.cost, whole.stop));
    assert_eq!(streamed.receipt, receipt_of(&reply));
    {
        let network = world.node.network();
        let [a, b] = [streamed.receipt, whole.receipt].map(|id| network.receipt(id).unwrap());
        assert_eq!(
            (&a.charge, &a.split, a.outcome),
            (&b.charge, &b.split, b.outcome)
        );
    }
    world.settle().await;
}

#[tokio::test]
async fn without_the_usage_the_last_chunk_carries_the_receipt() {
    let world = World::polite().await;
    let (events, _) = world.chat(json!({"stream": true})).await.events();
    let last = events.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["aigen"]["cost"], "0.00000003");
    assert!(events.iter().all(|event| event.get("usage").is_none()));
    world.settle().await;
}

#[tokio::test]
async fn what_ends_an_answer_is_told() {
    let world = World::polite().await;
    for (fields, text, finish) in [
        (json!({}), "Hello!", "stop"),
        (json!({"max_tokens": 3}), "Hel", "length"),
        (
            json!({"max_completion_tokens": 2, "max_tokens": 9}),
            "He",
            "length",
        ),
        (json!({"stop": "o!"}), "Hell", "stop"),
        (json!({"stop": ["x", "l"]}), "He", "stop"),
    ] {
        let body = world.chat(fields.clone()).await.json();
        let choice = &body["choices"][0];
        assert_eq!(
            (&choice["message"]["content"], &choice["finish_reason"]),
            (&json!(text), &json!(finish)),
            "{fields}"
        );
    }
    world.settle().await;
}

#[tokio::test]
async fn tokens_have_their_probabilities() {
    let world = World::polite().await;
    let body = world
        .chat(json!({"logprobs": true, "top_logprobs": 2, "max_tokens": 1}))
        .await
        .json();
    let content = &body["choices"][0]["logprobs"]["content"];
    assert_eq!(content.as_array().unwrap().len(), 1);
    assert_eq!(
        (&content[0]["token"], &content[0]["bytes"]),
        (&json!("H"), &json!([72]))
    );
    assert_eq!(content[0]["top_logprobs"].as_array().unwrap().len(), 2);
    let logprob = content[0]["logprob"].as_f64().unwrap();
    assert!((-0.02..=0.0).contains(&logprob), "{logprob}");
    world.settle().await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answer() {
    let world = World::polite().await;
    let ask = json!({"temperature": 2, "seed": -3, "max_tokens": 40});
    let texts = [world.chat(ask.clone()).await, world.chat(ask).await]
        .map(|reply| reply.json()["choices"][0]["message"].clone());
    assert_eq!(texts[0], texts[1]);
    world.settle().await;
}

#[tokio::test]
async fn a_text_is_continued_whole_and_streamed() {
    let world = World::polite().await;
    let ask = |stream: bool| json!({"model": "tiny", "prompt": "Hi", "temperature": 0, "stream": stream, "logprobs": 1});
    let plain = world.post(&world.ada, "/v1/completions", &ask(false)).await;
    let body = plain.json();
    assert_eq!(
        (&body["object"], &body["choices"][0]["text"]),
        (&json!("text_completion"), &json!("Hello!"))
    );
    let logprobs = &body["choices"][0]["logprobs"];
    assert_eq!(logprobs["tokens"], json!(["H", "e", "l", "l", "o", "!"]));
    assert_eq!(logprobs["text_offset"], json!([0, 1, 2, 3, 4, 5]));
    let streamed = world.post(&world.ada, "/v1/completions", &ask(true)).await;
    let (events, done) = streamed.events();
    let texts = events
        .iter()
        .filter_map(|event| event["choices"][0]["text"].as_str());
    assert_eq!((texts.collect::<String>().as_str(), done), ("Hello!", true));
    let offsets = events
        .iter()
        .filter_map(|event| event["choices"][0]["logprobs"]["text_offset"].as_array());
    assert_eq!(
        offsets.flatten().cloned().collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5]
    );
    assert_eq!(
        events.last().unwrap()["aigen"]["cost"],
        body["aigen"]["cost"]
    );
    world.settle().await;
}

/// Two answers for the price of one prompt, each with its own finish reason and log-probabilities.
#[tokio::test]
async fn several_answers_whole_and_streamed() {
    let world = World::polite().await;
    for (path, prompt) in [
        (
            "/v1/chat/completions",
            json!({"messages": [{"role": "user", "content": "Hi"}], "logprobs": true}),
        ),
        ("/v1/completions", json!({"prompt": "Hi", "logprobs": 0})),
    ] {
        let ask = |n: u32, stream: bool| {
            let mut ask = json!({"model": "tiny", "temperature": 0, "n": n, "stream": stream});
            ask.as_object_mut()
                .unwrap()
                .extend(prompt.as_object().unwrap().clone());
            ask
        };
        let one = world.post(&world.ada, path, &ask(1, false)).await.json();
        let two = world.post(&world.ada, path, &ask(2, false)).await.json();
        let choices = two["choices"].as_array().unwrap();
        for (at, choice) in choices.iter().enumerate() {
            let mut expected = one["choices"][0].clone();
            expected["index"] = json!(at);
            assert_eq!(*choice, expected);
        }
        let usage = |reply: &Value, field| reply["usage"][field].as_u64().unwrap();
        assert_eq!(usage(&two, "prompt_tokens"), usage(&one, "prompt_tokens"));
        assert_eq!(
            usage(&two, "completion_tokens"),
            2 * usage(&one, "completion_tokens")
        );
        let (events, done) = world.post(&world.ada, path, &ask(2, true)).await.events();
        let mut texts = [String::new(), String::new()];
        let mut finished = 0;
        for choice in events.iter().filter_map(|event| event["choices"].get(0)) {
            let index = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
            let text = choice["text"]
                .as_str()
                .or(choice["delta"]["content"].as_str());
            texts[index] += text.unwrap_or_default();
            finished += usize::from(choice["finish_reason"] == "stop");
        }
        assert_eq!(
            (texts, finished, done),
            (["Hello!".into(), "Hello!".into()], 2, true)
        );
        assert!(
            events.last().unwrap()["aigen"]["cost"].is_string(),
            "{events:?}"
        );
        assert_eq!(
            events
                .iter()
                .filter(|event| !event["aigen"].is_null())
                .count(),
            1
        );
    }
    world.settle().await;
}

#[tokio::test]
async fn schemas_and_controllers_steer() {
    let world = World::polite().await;
    let controller = |name: &str, params| json!({"aigen": {"controller": name, "params": params}});
    let schema = json!({"type": "object", "properties": {"n": {"const": 7}}, "required": ["n"], "additionalProperties": false});
    let format = |kind| json!({"response_format": kind, "max_tokens": 200});
    for (fields, text) in [
        (
            controller("choice", json!({"options": ["yes", "no"]})),
            None,
        ),
        (controller("regex", json!({"pattern": "[0-9]{3}"})), None),
        (
            format(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})),
            Some("{\"n\":7}"),
        ),
        (format(json!({"type": "text"})), Some("Hello!")),
    ] {
        let reply = world.chat(fields.clone()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let body = reply.json();
        let content = body["choices"][0]["message"]["content"].as_str().unwrap();
        let content = content.split_whitespace().collect::<String>();
        assert!(
            text.is_none_or(|text| text == content),
            "{fields}: {content}"
        );
        let complete = &body["aigen"]["grammar_complete"];
        assert_eq!(
            complete.as_bool(),
            (content != "Hello!").then_some(true),
            "{fields}"
        );
    }
    world.settle().await;
}

#[tokio::test]
async fn harmless_fields_are_ignored() {
    let world = World::polite().await;
    for fields in [
        json!({"tools": [], "tool_choice": "none", "parallel_tool_calls": true}),
        json!({"n": 1, "user": "u", "metadata": {"a": "b"}, "store": false}),
        json!({"modalities": ["text"], "logit_bias": null, "service_tier": "auto"}),
        json!({"response_format": {"type": "text"}, "stop": null}),
    ] {
        let reply = world
            .post(&world.ada, "/v1/chat/completions", &chat(fields.clone()))
            .await;
        assert_eq!(reply.status, 200, "{fields}: {}", reply.text);
    }
    world.settle().await;
}
