//! Rows of what is refused: status, code, param. Nothing refused is ever charged.

use super::world::{World, chat, request};
use aigen_jarvis::CompileLimits;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Map, Value, json};
use std::time::Duration;

async fn check(world: &World, request: Request<Body>, expected: (u16, &str, Option<&str>)) {
    let line = format!("{} {}", request.method(), request.uri());
    let reply = world.send(request).await;
    let (status, code, param) = reply.error();
    assert_eq!(
        (status, code.as_str(), param.as_deref()),
        expected,
        "{line}: {}",
        reply.text
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

/// Status, code and param (`-`: none) of a request with these fields.
const CHAT: &str = r#"
404 model_not_found model                        | {"model": "gpt-4"}
404 model_not_found model                        | {"model": "not a model\n"}
400 invalid_value messages                       | {"messages": []}
400 invalid_value messages[0].content            | {"messages": [{"role": "user"}]}
400 invalid_json messages[0].role                | {"messages": [{"role": "king", "content": "x"}]}
400 invalid_json messages[0].content[0]          | {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}
400 invalid_value messages[0].tool_call_id       | {"messages": [{"role": "tool", "content": "x"}]}
400 invalid_value messages[1].tool_call_id       | {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "2", "content": "x"}]}
400 invalid_value messages[0].tool_calls[0]      | {"messages": [{"role": "user", "content": "x", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}]}
400 invalid_value temperature                    | {"temperature": 2.1}
400 invalid_json temperature                     | {"temperature": "hot"}
400 invalid_value top_p                          | {"top_p": -0.1}
400 invalid_value presence_penalty               | {"presence_penalty": 3}
400 invalid_value frequency_penalty              | {"frequency_penalty": -3}
400 invalid_value logit_bias                     | {"logit_bias": {"5": 101}}
400 invalid_value max_tokens                     | {"max_tokens": 0}
400 unsupported_parameter n                      | {"n": 128}
400 invalid_value stop                           | {"stop": ["a", "b", "c", "d", "e"]}
400 invalid_value stop                           | {"stop": ""}
400 invalid_value top_logprobs                   | {"top_logprobs": 1}
400 invalid_value top_logprobs                   | {"logprobs": true, "top_logprobs": 21}
400 invalid_value stream_options                 | {"stream_options": {"include_usage": true}}
400 invalid_value tools[0]                       | {"tools": [{"type": "function"}]}
400 unsupported_parameter tools[0].type          | {"tools": [{"type": "custom", "custom": {"name": "f"}}]}
400 invalid_value tools[0].function.name         | {"tools": [{"type": "function", "function": {"name": "a b"}}]}
422 controller_refused tools                     | {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "nothing"}}}]}
400 invalid_value tool_choice                    | {"tool_choice": "required"}
400 invalid_json tool_choice                     | {"tool_choice": "perhaps"}
400 invalid_value tool_choice                    | {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"type": "function", "function": {"name": "g"}}}
400 invalid_value tools                          | {"tools": [{"type": "function", "function": {"name": "f"}}], "aigen": {"controller": "regex", "params": {"pattern": "a"}}}
400 unsupported_parameter moderation             | {"moderation": {"model": "m"}}
400 unsupported_parameter functions              | {"functions": [{"name": "f"}]}
400 unsupported_parameter modalities             | {"modalities": ["audio"]}
400 invalid_value         top_k                  | {"top_k": 0}
400 invalid_json          top_k                  | {"top_k": "a"}
400 invalid_value         min_p                  | {"min_p": 1.5}
400 invalid_value         repetition_penalty     | {"repetition_penalty": 0}
400 unsupported_parameter ignore_eos             | {"ignore_eos": true}
400 unsupported_parameter min_tokens             | {"min_tokens": 3}
400 unsupported_parameter stop_token_ids         | {"stop_token_ids": [7]}
400 unsupported_parameter structured_outputs     | {"structured_outputs": {"choice": ["a", "b"]}}
400 unsupported_parameter guided_json            | {"guided_json": {"type": "object"}}
400 unsupported_parameter guided_regex           | {"guided_regex": "a+"}
400 unsupported_parameter guided_choice          | {"guided_choice": ["a", "b"]}
400 unsupported_parameter guided_grammar         | {"guided_grammar": "root ::= \"a\""}
400 unsupported_parameter audio                  | {"audio": {"voice": "a"}}
400 unsupported_parameter web_search_options     | {"web_search_options": {}}
400 invalid_json aigen.colour                    | {"aigen": {"colour": 1}}
400 invalid_json aigen.max_cost                  | {"aigen": {"max_cost": 1}}
402 budget_too_small aigen.max_cost              | {"aigen": {"max_cost": "0.00000001"}}
400 invalid_value aigen.params                   | {"aigen": {"params": {"a": 1}}}
404 controller_not_found aigen.controller        | {"aigen": {"controller": "ada/none@1.0.0"}}
422 controller_refused aigen.params.pattern      | {"aigen": {"controller": "regex"}}
422 controller_refused aigen.params.pattern      | {"aigen": {"controller": "regex", "params": {"pattern": "("}}}
422 invalid_parameter aigen.params.flags         | {"aigen": {"controller": "regex", "params": {"pattern": "a", "flags": "i"}}}
422 controller_refused aigen.params.grammar      | {"aigen": {"controller": "lark", "params": {"grammar": "no"}}}
422 controller_refused aigen.params.grammar      | {"aigen": {"controller": "lark", "params": {"grammar": "start: \"a\" start"}}}
422 controller_refused aigen.params.words        | {"aigen": {"controller": "quote", "params": {"text": "a b", "words": 0}}}
422 invalid_parameter aigen.params.strict        | {"aigen": {"controller": "json-schema", "params": {"schema": {"type": "object"}, "strict": true}}}
400 unsupported_parameter aigen.replay           | {"n": 2, "aigen": {"replay": true}}
400 invalid_value response_format                | {"aigen": {"controller": "regex", "params": {"pattern": "a"}}, "response_format": {"type": "json_object"}}
400 invalid_json response_format.json_schema     | {"response_format": {"type": "json_schema"}}
400 invalid_json aigen                           | {"aigen": []}
400 invalid_json aigen                           | {"aigen": ["nobody/nothing@1.0.0"]}
400 invalid_json messages[0]                     | {"messages": [["user", "Hi"]]}
400 invalid_json messages[0].content[0]          | {"messages": [{"role": "user", "content": [["text", "Hi"]]}]}
400 invalid_json stream_options                  | {"stream": true, "stream_options": []}
422 controller_refused response_format.json_schema.schema | {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nothing"}}}}
400 invalid_value logit_bias                     | {"logit_bias": {"99999999": 1}}
400 invalid_value tools[1].function.name         | {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "f"}}]}
400 invalid_value max_completion_tokens          | {"max_completion_tokens": 0}
400 unsupported_parameter function_call          | {"function_call": {"name": "f"}}
"#;

const COMPLETIONS: &str = r#"
400 invalid_value prompt           | {"prompt": []}
400 invalid_value prompt           | {"prompt": [[]]}
400 invalid_value prompt           | {"prompt": [[1], []]}
400 invalid_value prompt           | {"prompt": [1, 99999999]}
400 invalid_value prompt           | {"prompt": ["a", "b"], "n": 65}
400 unsupported_parameter n        | {"prompt": ["a", "b"], "n": 64}
400 unsupported_parameter aigen.datasets | {"prompt": ["a", "b"], "aigen": {"datasets": ["acme/faq"]}}
400 unsupported_parameter aigen.datasets | {"prompt": [1], "aigen": {"datasets": ["acme/faq"]}}
400 invalid_json prompt            | {"prompt": {"a": 1}}
400 unsupported_parameter ignore_eos | {"prompt": "a", "ignore_eos": true}
400 unsupported_parameter guided_choice | {"prompt": "a", "guided_choice": ["a", "b"]}
400 invalid_value         min_p    | {"prompt": "a", "min_p": -1}
400 invalid_value logprobs         | {"prompt": "a", "logprobs": 21}
400 unsupported_parameter suffix   | {"prompt": "a", "suffix": "b"}
400 unsupported_parameter echo     | {"prompt": "a", "echo": true}
400 unsupported_parameter best_of  | {"prompt": "a", "best_of": 2}
"#;

/// What SDKs send of themselves.
const TAKEN: &str = r#"
{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, "refusal": "no"}, {"role": "user", "content": "Hi"}]}
{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": "}}]}, {"role": "tool", "tool_call_id": "1", "content": "x"}]}
{"function_call": "none"}
{"function_call": "auto"}
{"stream": true, "stream_options": {"include_usage": null}}
{"aigen": {"budget": "1"}}
"#;

#[tokio::test]
async fn what_clients_send_of_themselves_is_taken() {
    let world = World::polite().await;
    for fields in TAKEN.trim().lines() {
        let taken = world.chat(serde_json::from_str(fields).unwrap()).await;
        assert_eq!(taken.status, 200, "{fields}: {}", taken.text);
    }
    let text = json!({"model": "tiny", "prompt": "Hi", "suffix": ""});
    let taken = world.post(&world.ada, "/v1/completions", &text).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let monthly = json!({"path": "user:ada", "cap": "1", "period": null});
    let taken = world.post(&world.ada, "/v1/aigen/budgets", &monthly).await;
    assert_eq!(taken.json()["data"][0]["period"], "month");
    world.settle().await;
}

/// Param of what is asked of a path in a query, or is no name there.
const ASKED: &str = "
/v1/aigen/transfers?limit=-1            limit
/v1/aigen/transfers?limit=0             limit
/v1/aigen/transfers?limit=              limit
/v1/aigen/transfers?colour=red          colour
/v1/aigen/price-book?model=tiny         model
/v1/aigen/budgets?path=user:ada         path
/v1/aigen/controllers/ada/none          path
/v1/aigen/history/controllers/ada/none  path
";

#[tokio::test]
async fn what_a_path_is_not_asked_is_named() {
    let world = World::polite().await;
    for row in ASKED.trim().lines() {
        let (path, param) = row.split_once(' ').unwrap();
        let reply = world.get(&world.ada, path).await;
        let (_, _, named) = reply.error();
        assert_eq!(
            named.as_deref(),
            Some(param.trim()),
            "{row}: {}",
            reply.text
        );
        assert!(!reply.text.contains("deserialize"), "{}", reply.text);
        assert!(!reply.text.contains("digit found"), "{}", reply.text);
    }
    let special = json!({"model": "tiny", "prompt": "Hi", "add_special_tokens": false});
    let refused = world.post(&world.ada, "/tokenize", &special).await.error();
    assert_eq!(refused.2.as_deref(), Some("add_special_tokens"));
    world.settle().await;
}

async fn check_rows(world: &World, path: &str, rows: &str, base: Value) {
    for row in rows.trim().lines() {
        let (expected, fields) = row.split_once('|').unwrap();
        let expected: Vec<_> = expected.split_whitespace().collect();
        let [status, code, param] = <[&str; 3]>::try_from(expected).unwrap();
        let mut body = base.clone();
        for (name, value) in serde_json::from_str::<Map<String, Value>>(fields).unwrap() {
            body[name] = value;
        }
        let request = request("POST", &world.ada, path, &body.to_string());
        let param = (param != "-").then_some(param);
        check(world, request, (status.parse().unwrap(), code, param)).await;
    }
}

#[tokio::test]
async fn bad_completions() {
    let world = World::polite().await;
    let (chat_path, text_path) = ("/v1/chat/completions", "/v1/completions");
    check_rows(&world, chat_path, CHAT, chat(json!({}))).await;
    check_rows(&world, text_path, COMPLETIONS, json!({"model": "tiny"})).await;
    let long = "x".repeat(5_000);
    let messages = json!([{"role": "user", "content": long}]);
    let too_long = [
        (chat_path, chat(json!({"messages": messages})), "messages"),
        (
            text_path,
            json!({"model": "tiny", "prompt": long}),
            "prompt",
        ),
    ];
    for (path, body, param) in too_long {
        let request = request("POST", &world.ada, path, &body.to_string());
        check(
            &world,
            request,
            (400, "context_length_exceeded", Some(param)),
        )
        .await;
    }
    assert_eq!(world.balance("user:ada"), (1_000_000_000, 0, 1_000_000_000));
    assert_eq!(world.node.network().receipts().count(), 0);
    world.settle().await;
}

/// The same grammar may compile in a moment: it is neither wrong nor too dear.
#[tokio::test]
async fn a_grammar_that_others_keep_from_compiling_is_worth_another_try() {
    let none = CompileLimits {
        at_once: 0,
        time: Duration::ZERO,
        ..CompileLimits::default()
    };
    let world = World::compiling(none).await;
    let regex = json!({"aigen": {"controller": "regex", "params": {"pattern": "o.*"}}});
    let schema = json!({"response_format": {"type": "json_object"}});
    for fields in [regex, schema] {
        let reply = world.chat(fields).await;
        assert_eq!(reply.error(), (503, "compilers_busy".to_owned(), None));
        let after: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(after > 0);
        assert_eq!(reply.header("x-should-retry"), Some("true"));
    }
    assert_eq!(world.chat(json!({})).await.status, 200);
    assert_eq!(world.node.network().receipts().count(), 1);
    world.settle().await;
}

#[tokio::test]
async fn bad_bodies_keys_and_paths() {
    let world = World::polite().await;
    let good = chat(json!({})).to_string();
    let post = |key: &str, body: &str| request("POST", key, "/v1/chat/completions", body);
    let (ada, chat_path) = (world.ada.clone(), "/v1/chat/completions");
    let last = if ada.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{last}", &ada[..ada.len() - 1]);
    let typed = |kind: &str| {
        let mut request = post(&ada, &good);
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        request
    };
    let mut zipped = post(&ada, &good);
    let gzip = "gzip".parse().unwrap();
    zipped.headers_mut().insert("content-encoding", gzip);
    let large = " ".repeat(crate::limits::BODY_BYTES_MAX + 1);
    let rows = vec![
        (post("", &good), 401, "missing_api_key", None),
        (post("nonsense", &good), 401, "invalid_api_key", None),
        (post("aigen_ada-1.00", &good), 401, "invalid_api_key", None),
        (post(&wrong, &good), 401, "invalid_api_key", None),
        (post(&ada, "{"), 400, "invalid_json", None),
        (post(&ada, ""), 400, "invalid_json", None),
        (post(&ada, "[]"), 400, "invalid_json", None),
        (post(&ada, &format!("{good}x")), 400, "invalid_json", None),
        (
            post(&ada, "{\"messages\": []}"),
            400,
            "invalid_json",
            Some("model"),
        ),
        (
            post(&ada, r#"["tiny", [{"role": "user", "content": "Hi"}]]"#),
            400,
            "invalid_json",
            None,
        ),
        (
            request(
                "POST",
                &world.operator,
                "/v1/aigen/issue",
                r#"["user:arr", "1"]"#,
            ),
            400,
            "invalid_json",
            None,
        ),
        (
            request(
                "POST",
                &world.operator,
                "/v1/aigen/keys/ada-1/limits",
                "[1,2,3,[],[],[]]",
            ),
            400,
            "invalid_json",
            None,
        ),
        (post(&ada, &large), 413, "body_too_large", None),
        (typed("text/plain"), 415, "unsupported_media_type", None),
        (zipped, 415, "unsupported_encoding", None),
        (
            typed("application/x-www-form-urlencoded"),
            415,
            "unsupported_media_type",
            None,
        ),
        (
            request("GET", &ada, chat_path, ""),
            405,
            "method_not_allowed",
            None,
        ),
        (
            request("DELETE", &ada, "/v1/models", ""),
            405,
            "method_not_allowed",
            None,
        ),
        (
            request("GET", &ada, "/v1/aigen/nothing", ""),
            404,
            "unknown_route",
            None,
        ),
        (
            request("PUT", &ada, "/v1/aigen/account", ""),
            405,
            "method_not_allowed",
            None,
        ),
        (
            request("GET", &ada, "/v1/models/%FF", ""),
            400,
            "invalid_value",
            Some("path"),
        ),
        (
            request("GET", &ada, "/v1/aigen/accounts/%FF", ""),
            400,
            "invalid_value",
            Some("path"),
        ),
        (
            request("GET", &ada, "/v1/nothing", ""),
            404,
            "unknown_route",
            None,
        ),
        (
            request("GET", "", "/models", ""),
            404,
            "unknown_route",
            None,
        ),
        (
            request("GET", "", "/v1/models", ""),
            401,
            "missing_api_key",
            None,
        ),
        (
            request("GET", &ada, "/v1/models/gpt-4", ""),
            404,
            "model_not_found",
            Some("model"),
        ),
    ];
    for (request, status, code, param) in rows {
        check(&world, request, (status, code, param)).await;
    }
    let reply = world.send(post(&ada, "{\n  \"model\": }")).await;
    let message = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("line 2, column 12"), "{message}");
    let reply = world.send(post("", &good)).await;
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    world.settle().await;
}

#[tokio::test]
async fn a_key_may_come_in_either_header_and_json_under_any_of_its_names() {
    let world = World::polite().await;
    let good = chat(json!({})).to_string();
    for (name, value, kind) in [
        (
            "authorization",
            format!("bearer {}", world.ada),
            "application/json",
        ),
        (
            "authorization",
            format!("Bearer  {}", world.ada),
            "application/json; charset=utf-8",
        ),
        ("x-api-key", world.ada.clone(), "Application/JSON"),
    ] {
        let mut request = request("POST", "", "/v1/chat/completions", &good);
        request.headers_mut().insert(name, value.parse().unwrap());
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        assert_eq!(world.send(request).await.status, 200, "{name} {kind}");
    }
    world.settle().await;
}

#[tokio::test]
async fn envelopes_end_with_the_way_out() {
    let world = World::polite().await;
    let poor = world.key("bob-1", "user:bob").await;
    let path = "/v1/chat/completions";
    let broke = world.post(&poor, path, &chat(json!({}))).await.json();
    let model = world.chat(json!({"model": "gpt-4"})).await.json();
    let route = world.get("", "/chat/completions").await.json();
    let large = world
        .send(request("POST", &world.ada, path, &" ".repeat(9 << 20)))
        .await
        .json();
    insta::assert_json_snapshot!(json!([broke, model, route, large]));
    world.settle().await;
}

#[tokio::test]
async fn a_panic_is_an_envelope() {
    use crate::GatewayState;
    use crate::state::Gateway;
    let world = World::polite().await;
    let gateway = Gateway::from(GatewayState::new(world.node.clone()));
    let routes = axum::Router::new().route(
        "/",
        axum::routing::get(|| async { panic!("a defect") as () }),
    );
    let panicking = crate::Api::around(routes, gateway, std::sync::Arc::default());
    let response = tower::ServiceExt::oneshot(panicking, request("GET", "", "/", ""))
        .await
        .unwrap();
    let reply = super::world::collect(response).await;
    assert_eq!(reply.error(), (500, "internal_error".to_owned(), None));
}

#[tokio::test]
async fn what_is_no_number_or_id_is_said_in_words() {
    let world = World::polite().await;
    for (path, says) in [
        ("/v1/aigen/epochs/abc/statement", "must be a whole number"),
        ("/v1/aigen/epochs/-1/calls", "must be a whole number"),
        ("/v1/aigen/receipts/xyz", "an id has 32 hex digits, like "),
    ] {
        let reply = world.get(&world.operator, path).await;
        let (status, code, param) = reply.error();
        assert_eq!((status, code.as_str()), (400, "invalid_value"), "{path}");
        assert_eq!(param.as_deref(), Some("path"), "{path}");
        assert!(reply.text.contains(says), "{path}: {}", reply.text);
    }
    world.settle().await;
}
