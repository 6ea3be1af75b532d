//! Rows of JSON as clients really send it, and of JSON that must be refused.

use super::*;
use crate::from_json;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Reads, writes and compares: nothing that was there may be lost.
fn round_trip<T: DeserializeOwned + Serialize>(json: Value) -> T {
    let value: T = from_json(json.to_string().as_bytes()).expect("the example is well formed");
    assert_eq!(serde_json::to_value(&value).unwrap(), json);
    value
}

fn chat(fields: Value) -> Result<ChatRequest, ApiError> {
    let mut request =
        json!({"model": "aigen-tiny", "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in fields.as_object().expect("rows are objects") {
        request[name] = value.clone();
    }
    let request: ChatRequest = from_json(request.to_string().as_bytes())?;
    request.check()?;
    Ok(request)
}

#[test]
fn a_full_chat_request_survives_unchanged() {
    let request: ChatRequest = round_trip(json!({
        "model": "aigen-tiny",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "system", "content": "Be kind."},
            {"role": "user", "name": "ada", "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]},
            {"role": "assistant", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "time", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "noon"}
        ],
        "max_completion_tokens": 64, "temperature": 0.5, "top_p": 1.0, "n": 2, "stop": ["\n", "END"],
        "stream": true, "stream_options": {"include_usage": true}, "seed": -7,
        "logprobs": true, "top_logprobs": 3, "logit_bias": {"50256": -100.0},
        "presence_penalty": 0.25, "frequency_penalty": -0.25,
        "response_format": {"type": "json_schema", "json_schema":
            {"name": "reply", "strict": true, "schema": {"type": "object"}}},
        "tools": [{"type": "function", "function": {"name": "time"}}], "tool_choice": "auto",
        "user": "u1",
        "aigen": {"controller": "ada/quiz@1.0.0", "params": {"choices": ["yes", "no"]}, "max_cost": "0.25", "trace": true}
    }));
    request.check().unwrap();
    assert_eq!(
        request.messages[2].content.as_ref().unwrap().text(),
        "Hello"
    );
    let sampling = request.sampling();
    assert_eq!((sampling.max_tokens, sampling.choices), (Some(64), 2));
    assert_eq!(sampling.logprobs, Some(3));
}

#[test]
fn fields_that_change_nothing_are_ignored_and_null_is_absent() {
    let request = chat(json!({
        "store": true, "metadata": {"a": "b"}, "service_tier": "auto", "prompt_cache_key": "k",
        "some_future_field": [1, 2], "stop": null, "temperature": null, "n": null, "aigen": null,
        "stream_options": null, "response_format": null, "tools": null
    }))
    .unwrap();
    assert_eq!(request.sampling(), ChatRequest::default().sampling());
    assert!(request.aigen.is_none() && request.tools.is_empty());
}

#[test]
fn one_stop_text_is_a_list_of_one() {
    assert_eq!(chat(json!({"stop": "\n"})).unwrap().stop, ["\n"]);
}

#[test]
fn the_order_of_a_schemas_properties_is_kept() {
    let text = r#"{"type":"json_schema","json_schema":{"name":"n","schema":{"z": 1, "a": 2}}}"#;
    let ResponseFormat::JsonSchema { schema, .. } = from_json(text.as_bytes()).unwrap() else {
        panic!("the example is a schema");
    };
    assert_eq!(schema.as_str(), r#"{"z": 1, "a": 2}"#);
}

#[test]
fn every_malformed_request_names_its_field() {
    for (fields, param, says) in [
        (json!({"model": 7}), "model", "expected a string"),
        (json!({"messages": []}), "messages", "at least one"),
        (
            json!({"messages": [{"role": "user"}]}),
            "messages[0].content",
            "no content",
        ),
        (
            json!({"messages": [{"role": "wizard", "content": ""}]}),
            "messages[0].role",
            "unknown variant `wizard`",
        ),
        (
            json!({"messages": [{"role": "user", "content": 7}]}),
            "messages[0].content",
            "a text or a list of text parts",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": ""}}]}]}),
            "messages[0].content[0]",
            "parts of type `image_url` are not supported",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
            "missing field `text`",
        ),
        (
            json!({"max_tokens": -1}),
            "max_tokens",
            "expected a whole number of 0 to 4294967295",
        ),
        (json!({"max_tokens": 0}), "max_tokens", "at least 1"),
        (
            json!({"max_completion_tokens": 0}),
            "max_completion_tokens",
            "at least 1",
        ),
        (
            json!({"temperature": "hot"}),
            "temperature",
            "expected a number",
        ),
        (
            json!({"temperature": 2.5}),
            "temperature",
            "between 0 and 2",
        ),
        (json!({"top_p": -0.1}), "top_p", "between 0 and 1"),
        (json!({"presence_penalty": 3}), "presence_penalty", "-2"),
        (json!({"frequency_penalty": -3}), "frequency_penalty", "-2"),
        (json!({"n": 0}), "n", "between 1 and 128"),
        (json!({"n": 129}), "n", "between 1 and 128"),
        (json!({"stop": 7}), "stop", "a text or a list of texts"),
        (json!({"stop": [7]}), "stop[0]", "expected a string"),
        (json!({"stop": [""]}), "stop", "empty"),
        (
            json!({"stop": "x".repeat(257)}),
            "stop",
            "at most 256 bytes",
        ),
        (json!({"temperature": 1e308}), "temperature", "not 1e308"),
        (
            json!({"stop": ["a", "b", "c", "d", "e"]}),
            "stop",
            "at most 4",
        ),
        (json!({"seed": 0.5}), "seed", "expected a whole number"),
        (
            json!({"stream_options": {"include_usage": true}}),
            "stream_options",
            "`stream` is true",
        ),
        (
            json!({"top_logprobs": 2}),
            "top_logprobs",
            "`logprobs` is true",
        ),
        (
            json!({"logprobs": true, "top_logprobs": 21}),
            "top_logprobs",
            "at most 20",
        ),
        (
            json!({"logit_bias": {"x": 1}}),
            "logit_bias",
            "a number in quotes",
        ),
        (json!({"logit_bias": {"1": 101}}), "logit_bias", "100"),
        (
            json!({"response_format": {"type": "xml"}}),
            "response_format.type",
            "unknown variant `xml`",
        ),
        (
            json!({"response_format": {"type": "json_schema"}}),
            "response_format.json_schema",
            "missing field `json_schema`",
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}),
            "response_format.json_schema.schema",
            "missing field `json_schema.schema`",
        ),
        (
            json!({"aigen": {"colour": 1}}),
            "aigen.colour",
            "unknown field `colour`",
        ),
        (
            json!({"aigen": {"max_cost": 0.25}}),
            "aigen.max_cost",
            "expected a",
        ),
        (
            json!({"aigen": {"max_cost": "-1"}}),
            "aigen.max_cost",
            "an amount is digits",
        ),
    ] {
        let error = chat(fields.clone()).expect_err(&fields.to_string());
        assert_eq!(error.param.as_deref(), Some(param), "{fields}: {error}");
        assert!(error.message.contains(says), "{fields}: {error}");
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
    }
}

#[test]
fn what_is_not_json_has_a_place_but_no_field() {
    for (text, line, column) in [("", 1, 0), ("{", 1, 1), ("{}\n{}", 2, 1), ("nul", 1, 3)] {
        let error = from_json::<Value>(text.as_bytes()).unwrap_err();
        assert_eq!(
            (error.path, error.line, error.column),
            (None, line, column),
            "{text:?}"
        );
    }
}

#[test]
fn openais_own_replies_survive_unchanged() {
    let usage = json!({
        "prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 0, "forced_tokens": 2, "discarded_tokens": 1}
    });
    let response: ChatResponse = round_trip(json!({
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1_741_569_952,
        "model": "gpt-4.1-2025-04-14",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello!", "refusal": null},
            "logprobs": {"refusal": null, "content": [
                {"token": "Hello", "logprob": -0.25, "bytes": [72, 101, 108, 108, 111],
                 "top_logprobs": [{"token": "Hello", "logprob": -0.25, "bytes": null}]}]}
        }],
        "usage": usage, "system_fingerprint": "fp_1",
        "aigen": {"receipt": "000000000000000000000000000000ff", "cost": "0.000123", "journal_seq": 7, "stop": "budget",
                  "controller": "ada/quiz@1.0.0", "grammar_complete": false}
    }));
    assert_eq!(response.text(), "Hello!");

    for delta in [
        json!({"role": "assistant", "content": ""}),
        json!({"content": "Hel"}),
        json!({}),
    ] {
        round_trip::<ChatChunk>(json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]
        }));
    }
    round_trip::<CompletionResponse>(json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
        "choices": [{"text": "!", "index": 0, "logprobs": null, "finish_reason": "length"}], "usage": usage
    }));
    round_trip::<ModelList>(json!({"object": "list", "data": [
        {"id": "aigen-tiny", "object": "model", "created": 1, "owned_by": "acme"}
    ]}));
}

#[test]
fn replies_of_other_servers_are_read_too() {
    let response: ChatResponse = from_json(
        json!({
            "id": "1", "object": "chat.completion", "created": 1, "model": "m", "service_tier": "default",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "annotations": []}, "finish_reason": "content_filter"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1,
                      "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 0}}
        })
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    assert_eq!(response.text(), "");
}

#[test]
fn every_form_of_prompt_is_read() {
    for (prompt, read) in [
        (json!("a"), Prompt::Text("a".into())),
        (
            json!(["a", "b"]),
            Prompt::Texts(vec!["a".into(), "b".into()]),
        ),
        (json!([1, 2]), Prompt::Tokens(vec![1, 2])),
        (
            json!([[1], [2]]),
            Prompt::TokenLists(vec![vec![1], vec![2]]),
        ),
    ] {
        let request: CompletionRequest = round_trip(json!({"model": "m", "prompt": prompt}));
        assert_eq!(request.prompt, read);
        request.check().unwrap();
    }
    let text = json!({"model": "m", "prompt": {"a": 1}}).to_string();
    let error = from_json::<CompletionRequest>(text.as_bytes()).unwrap_err();
    assert_eq!(error.path.as_deref(), Some("prompt"));
    assert!(error.message.starts_with("expected a text"), "{error}");
}

#[test]
fn errors_have_four_fields_and_a_hint() {
    let envelope: ErrorEnvelope = round_trip(json!({"error": {
        "message": "The account has 0.00 AIGEN.", "type": "insufficient_quota", "param": null,
        "code": "insufficient_funds", "hint": "aigen fund --amount 5"
    }}));
    assert_eq!(
        envelope.error.to_string(),
        "The account has 0.00 AIGEN.\nhint: aigen fund --amount 5"
    );
    let foreign: ErrorEnvelope =
        from_json(br#"{"error": {"message": "no", "type": "tokens_exhausted"}}"#).unwrap();
    assert_eq!(foreign.error.kind, ErrorKind::Unknown);
}
