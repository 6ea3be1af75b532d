//! The OpenAPI document is written by hand and held to the program: every route stands in it and
//! every route of it is answered, bodies have the fields that routes take, and answers the shape
//! that it says. Schemathesis, in `crates/aigen/tests/sdk`, makes requests up from it.

use super::world::{Reply, World, chat, receipt_of, request};
use aigen_api::anthropic::{ContentBlock, MessagesRequest};
use aigen_api::openai::{
    ChatRequest, CompletionRequest, Detokenize, EmbeddingRequest, Extension, Message,
    ResponsesRequest, Tokenize,
};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor, value};
use serde::forward_to_deserialize_any;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn document() -> Value {
    serde_json::from_str(aigen_api::OPENAPI).unwrap()
}

/// Methods and paths of the document, with what it says of each.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap();
        operations
            .iter()
            .map(|(method, operation)| ((method.clone(), path.clone()), operation.clone()))
    });
    all.collect()
}

/// The routes, read from the source: a router does not tell them.
fn routes(folder: &Path, prefix: &str, found: &mut BTreeSet<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let inner = if name == "aigen" { "/v1/aigen" } else { prefix };
        if path.is_dir() && name != "tests" {
            routes(&path, inner, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let routes = source.split(".route(").skip(1);
            found.extend(routes.flat_map(|rest| route(rest, prefix, &path)));
        }
    }
}

/// What follows `.route(` up to its end: a path or its constant, then what answers it.
fn route(rest: &str, prefix: &str, file: &Path) -> Vec<(String, String)> {
    let (path, answered) = rest.split_once(',').unwrap();
    let path = match path.trim().strip_suffix("::ROUTE") {
        Some(module) => constant(module, file),
        None => path.trim().trim_matches('"').replace("{*", "{"),
    };
    let mut depth = 1;
    let end = answered.find(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth == 0
    });
    let answered = &answered[..end.unwrap()];
    let methods = ["get", "post", "delete"].into_iter();
    let methods = methods.filter(|method| answered.contains(&format!("{method}(")));
    methods
        .map(|method| (method.to_owned(), format!("{prefix}{path}")))
        .collect()
}

/// The `ROUTE` of a module beside this file.
fn constant(module: &str, file: &Path) -> String {
    let folder = match file.file_stem().unwrap().to_str().unwrap() {
        "mod" => file.parent().unwrap().to_owned(),
        _ => file.with_extension(""),
    };
    let source = std::fs::read_to_string(folder.join(format!("{module}.rs"))).unwrap();
    let (_, value) = source.split_once("ROUTE: &str = \"").unwrap();
    value.split('"').next().unwrap().to_owned()
}

#[test]
fn every_route_stands_in_the_document_and_no_other() {
    let mut routes_there = BTreeSet::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    routes(&source, "", &mut routes_there);
    let documented: BTreeSet<_> = operations(&document()).into_keys().collect();
    assert!(routes_there.len() > 60, "{routes_there:?}");
    let missing: Vec<_> = routes_there.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&routes_there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not documented: {missing:?}; not there: {gone:?}"
    );
}

/// With parameters that lead somewhere.
fn filled(path: &str) -> String {
    let id = "0".repeat(31) + "1";
    [
        ("receipts/{id}", format!("receipts/{id}")),
        ("appeals/{id}", format!("appeals/{id}")),
        ("{id}", "tiny".to_owned()),
        ("{owner}/{name}/grants", "acme/faq/grants".to_owned()),
        ("{owner}/{name}", "acme/faq@1.0.0".to_owned()),
        ("{name}", "op".to_owned()),
        ("{address}", "operator".to_owned()),
        ("{epoch}", "1".to_owned()),
        ("{seed}", "0".repeat(64)),
    ]
    .iter()
    .fold(path.to_owned(), |path, (name, value)| {
        path.replace(name, value)
    })
}

#[tokio::test]
async fn every_documented_path_is_answered() {
    let world = World::polite().await;
    let served = world.get("", "/api-doc/openapi.json").await;
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(served.json(), document());
    for (method, path) in operations(&document()).into_keys() {
        // That would end the world's only operator.
        let path = filled(&path).replace("/keys/op", "/keys/nobody");
        let body = if method == "post" { "{}" } else { "" };
        let asked = request(&method.to_uppercase(), &world.operator, &path, body);
        let reply = world.send(asked).await;
        for code in ["unknown_route", "method_not_allowed"] {
            assert!(
                !reply.text.contains(code),
                "{method} {path}: {}",
                reply.text
            );
        }
    }
    world.settle().await;
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let references = aigen_api::OPENAPI.split("#/components/schemas/").skip(1);
    let names: BTreeSet<_> = references
        .map(|reference| reference.split('"').next().unwrap())
        .collect();
    let there: BTreeSet<_> = schemas.keys().map(String::as_str).collect();
    assert_eq!(names, there);
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    }
}

/// What a route says it would have taken instead of an unknown field.
fn expected(message: &str) -> Option<BTreeSet<String>> {
    let (_, expected) = message.split_once("unknown field `no_such_field`, expected ")?;
    let words = expected.split('`').skip(1).step_by(2);
    Some(words.map(str::to_owned).collect())
}

/// A route that refuses unknown fields names those it knows.
#[tokio::test]
async fn bodies_have_the_fields_that_routes_take() {
    let (world, document) = (World::polite().await, document());
    let mut checked = 0;
    for ((method, path), operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = resolved(&document, body);
        if body["additionalProperties"] != false {
            continue;
        }
        let asked = json!({"no_such_field": 1}).to_string();
        let asked = request(
            &method.to_uppercase(),
            &world.operator,
            &filled(&path),
            &asked,
        );
        let reply = world.send(asked).await;
        let message = reply.json()["error"]["message"].to_string();
        let documented = body["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(
            expected(&message),
            Some(documented),
            "{method} {path}: {message}"
        );
        checked += 1;
    }
    assert!(checked > 15, "{checked}");
    world.settle().await;
}

/// Takes the names of a struct's fields from what it asks of a deserializer.
struct FieldsOf<'a>(&'a mut BTreeSet<&'static str>);

impl<'de> Deserializer<'de> for FieldsOf<'_> {
    type Error = value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        Err(de::Error::custom("only its fields are wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("it is no struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields_of<T: DeserializeOwned>() -> BTreeSet<&'static str> {
    let mut fields = BTreeSet::new();
    let _ = T::deserialize(FieldsOf(&mut fields));
    fields
}

/// What completions read is in the document, but for what is read to be refused by name.
#[test]
fn requests_have_the_fields_that_are_read() {
    let document = document();
    let of_chat = "audio function_call functions guided_choice guided_grammar guided_json guided_regex ignore_eos \
        min_tokens modalities moderation stop_token_ids structured_outputs web_search_options";
    let of_responses = "background context_management conversation moderation \
        previous_response_id prompt";
    for (schema, fields, refused) in [
        ("ChatRequest", fields_of::<ChatRequest>(), of_chat),
        (
            "CompletionRequest",
            fields_of::<CompletionRequest>(),
            "best_of echo guided_choice guided_grammar guided_json guided_regex ignore_eos min_tokens \
             stop_token_ids structured_outputs suffix",
        ),
        (
            "ResponsesRequest",
            fields_of::<ResponsesRequest>(),
            of_responses,
        ),
        (
            "MessagesRequest",
            fields_of::<MessagesRequest>(),
            "container context_management mcp_servers",
        ),
        ("EmbeddingRequest", fields_of::<EmbeddingRequest>(), ""),
        ("Tokenize", fields_of::<Tokenize>(), ""),
        ("Detokenize", fields_of::<Detokenize>(), ""),
        ("Message", fields_of::<Message>(), ""),
        ("Extension", fields_of::<Extension>(), ""),
        ("ContentBlock", fields_of::<ContentBlock>(), ""),
    ] {
        let schema_of = &document["components"]["schemas"][schema]["properties"];
        let documented = schema_of.as_object().unwrap().keys().map(String::as_str);
        let mut read: BTreeSet<&str> = fields;
        for name in refused.split_whitespace() {
            assert!(read.remove(name), "{schema} does not read {name}");
        }
        assert_eq!(documented.collect::<BTreeSet<_>>(), read, "{schema}");
    }
}

/// No field that is not documented, all the way down.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

struct Checked {
    document: Value,
    routes: BTreeSet<(String, String)>,
    wrong: Vec<String>,
}

impl Checked {
    /// The answer is one that the document describes, to the last field.
    fn check(&mut self, method: &str, path: &str, reply: &Reply) {
        let status = reply.status.as_str();
        let operation = &self.document["paths"][path][method];
        let response = operation["responses"].get(status);
        let response = response.unwrap_or(&operation["responses"]["default"]);
        let response = resolved(&self.document, response);
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} {status}");
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        close(&mut schema["components"]);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let answer = reply.json();
        let wrong = validator.iter_errors(&answer);
        self.wrong.extend(
            wrong.map(|error| format!("{method} {path}: {}: {error}", error.instance_path())),
        );
        if reply.status.is_success() {
            self.routes.insert((method.to_owned(), path.to_owned()));
        }
    }
}

/// Something of every kind, so that lists are not empty.
const POSTED: [(&str, &str); 12] = [
    (
        "/v1/aigen/issue",
        r#"{"to": "validator:vera", "amount": "5"}"#,
    ),
    (
        "/v1/aigen/transfers",
        r#"{"to": "user:bob", "amount": "0"}"#,
    ),
    (
        "/v1/aigen/keys",
        r#"{"account": "org:acme", "spender": "org:acme:team:search", "name": "search", "limits": {"requests_per_minute": 9, "models": ["tiny"], "scopes": ["complete"]}, "budget": {"cap": "5"}}"#,
    ),
    (
        "/v1/aigen/keys/{name}/budget",
        r#"{"cap": "2", "per": "day"}"#,
    ),
    (
        "/v1/aigen/keys/{name}/limits",
        r#"{"expires_at": 1800000000000000000}"#,
    ),
    ("/v1/aigen/keys/{name}/revoke", "{}"),
    (
        "/v1/aigen/budgets",
        r#"{"path": "org:acme:team:search", "cap": "5", "period": "day"}"#,
    ),
    (
        "/v1/aigen/allowances",
        r#"{"app": "app:tutor", "user": "user:ada", "cap": "2", "margin_ppm": 5, "expires_at": 1900000000000000000}"#,
    ),
    (
        "/v1/aigen/controllers",
        r#"{"reference": "ada/yes@1.0.0", "kind": "grammar", "source": "start: \"yes\"", "description": "Yes"}"#,
    ),
    (
        "/v1/aigen/controllers/standing",
        r#"{"reference": "ada/yes@1.0.0", "standing": "deprecated", "reason": "old"}"#,
    ),
    (
        "/v1/aigen/controllers/tags",
        r#"{"controller": "ada/yes", "tag": "stable", "version": "ada/yes@1.0.0"}"#,
    ),
    (
        "/v1/aigen/validators",
        r#"{"name": "vera", "owner": "vera", "stake": "2"}"#,
    ),
];

#[tokio::test]
async fn answers_have_the_shapes_that_are_documented() {
    let world = World::polite().await;
    let mut checked = Checked {
        document: document(),
        routes: BTreeSet::new(),
        wrong: Vec::new(),
    };
    for (path, body) in POSTED {
        let at = path.replace("{name}", "search");
        let body = serde_json::from_str(body).unwrap();
        checked.check("post", path, &world.post(&world.operator, &at, &body).await);
    }
    let messages =
        json!({"model": "tiny", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    for (path, body) in [
        (
            "/v1/chat/completions",
            chat(json!({"n": 2, "logprobs": true, "top_logprobs": 1})),
        ),
        (
            "/v1/chat/completions",
            chat(json!({"aigen": {"controller": "ada/yes@1.0.0", "replay": true}})),
        ),
        ("/v1/chat/completions", chat(json!({"temperature": 9}))),
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": "Hi", "logprobs": 1}),
        ),
        ("/v1/responses", json!({"model": "tiny", "input": "Hi"})),
        ("/v1/messages", messages.clone()),
        ("/v1/messages/count_tokens", messages),
        ("/v1/aigen/quote", chat(json!({"max_tokens": 9}))),
        ("/tokenize", json!({"model": "tiny", "prompt": "Hi"})),
        ("/detokenize", json!({"model": "tiny", "tokens": [72, 105]})),
    ] {
        checked.check("post", path, &world.post(&world.ada, path, &body).await);
    }
    let call = world
        .chat(json!({"aigen": {"controller": "ada/yes@1.0.0", "replay": true}}))
        .await;
    let receipt = receipt_of(&call);
    let refund = json!({"amount": "0.000000001", "reason": "quality"});
    world.fund("treasury", "1").await;
    for (rest, body) in [
        ("/replay", json!({})),
        ("/refund", refund),
        ("", Value::Null),
    ] {
        let path = format!("/v1/aigen/receipts/{{id}}{rest}");
        let at = format!("/v1/aigen/receipts/{receipt}{rest}");
        match body {
            Value::Null => checked.check("get", &path, &world.get(&world.operator, &at).await),
            body => checked.check(
                "post",
                &path,
                &world.post(&world.operator, &at, &body).await,
            ),
        }
    }
    let document = document();
    for (method, path) in operations(&document).into_keys() {
        if method == "get" && path != "/metrics" && !path.contains("{id}") {
            let at = filled(&path).replace("/controllers/op", "/controllers/ada/yes/versions");
            checked.check("get", &path, &world.get(&world.operator, &at).await);
        }
    }
    assert!(checked.wrong.is_empty(), "{:#?}", checked.wrong);
    assert!(checked.routes.len() > 35, "{:?}", checked.routes);
    world.settle().await;
}
