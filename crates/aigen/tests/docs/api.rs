//! The page of the API, made from the OpenAPI document.

use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::Path;

const INTRODUCTION: &str = "\
# API

What a node answers over HTTP. Made from its OpenAPI document, which `GET /api-doc/openapi.json` gives to generators of clients;
a test makes this page anew and compares, another asks a node for every route.

OpenAI's and Anthropic's routes take what their SDKs send; only what AiGen adds or bounds is listed. A request carries
`Authorization: Bearer KEY` or `x-api-key: KEY`. Amounts are text, never numbers: `\"0.25\"` AIGEN, or whole nano-AIGEN in a field that
ends in `_nano`. Times of `/v1/aigen` are nanoseconds since the Unix epoch, as integers of 64 bits: a double, and so JavaScript's
`JSON.parse`, rounds them. An error has a `code` and, where there is one, a `hint`: [refusals](../refusals.md).

| header of a request | |
|---|---|
| `Idempotency-Key` | a retry with the same one gets the same answer and is charged once, or moves the same money once; refused where what is asked for has no id that it could stand for; at most 255 bytes |
| `X-Aigen-End-User` | which end user of the app this is for: bounded by `budget set …:user:*` |
| `X-Aigen-Bill-To` | the user who pays, and who allowed the app to spend |

| header of a reply | |
|---|---|
| `x-aigen-receipt`, `x-aigen-cost` | the call and what it cost |
| `x-ratelimit-limit-*`, `-remaining-*`, `-reset-*` | for `requests` and `tokens`, where the key has limits |
| `retry-after` | seconds, with 429 and 503 |
| `x-request-id` | names the request in the node's log |

";

#[test]
fn the_page_says_what_the_document_says() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/api.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/api.md is not what the document says; UPDATE_GOLDEN=1 cargo test -p aigen --test docs api"
    );
}

fn page() -> String {
    let document: Value = serde_json::from_str(aigen_api::OPENAPI).unwrap();
    let mut page = INTRODUCTION.to_owned();
    page += "## Routes\n\n| route | what | takes | gives |\n|---|---|---|---|\n";
    for (path, methods) in sorted(&document["paths"]) {
        for (method, operation) in sorted(methods) {
            page += &route(&format!("{} {path}", method.to_uppercase()), operation);
        }
    }
    for (name, schema) in sorted(&document["components"]["schemas"]) {
        write!(page, "\n## {name}\n\n{}", fields(schema)).unwrap();
    }
    page
}

/// The same order, however the library keeps objects.
fn sorted(object: &Value) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| name.as_str());
    members
}

fn route(name: &str, operation: &Value) -> String {
    const BODY: &str = "/content/application~1json/schema";
    let summary = operation["summary"].as_str().unwrap();
    let takes = operation["requestBody"]
        .pointer(BODY)
        .map_or(String::new(), shape);
    let replies = sorted(&operation["responses"]);
    let done = replies.iter().find(|(status, _)| status.starts_with('2'));
    let gives = done
        .and_then(|(_, reply)| reply.pointer(BODY))
        .map_or(String::new(), shape);
    format!("| `{name}` | {summary} | {takes} | {gives} |\n")
}

/// A table of an object's fields; of anything else, what it is.
fn fields(schema: &Value) -> String {
    if schema["properties"].as_object().is_none_or(Map::is_empty) {
        return format!("{}.\n", shape(schema));
    }
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let rows = sorted(&schema["properties"])
        .into_iter()
        .map(|(name, field)| {
            let must = required.iter().any(|one| *one == name);
            format!(
                "| `{name}` | {} | {} |\n",
                shape(field),
                if must { "always" } else { "" }
            )
        });
    let rows: String = rows.collect();
    format!("| field | what | |\n|---|---|---|\n{rows}")
}

/// A schema in a few words.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next())
    {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(shapes) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        let shapes: Vec<_> = shapes.iter().map(shape).collect();
        return shapes.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
        return values.join(" or ");
    }
    if !schema["const"].is_null() {
        return format!("`{}`", schema["const"]);
    }
    match schema["type"].as_str() {
        Some("array") => format!(
            "list of {}{}",
            shape(&schema["items"]),
            bounds(schema, "Items")
        ),
        Some("string") => format!("text{}{}", bounds(schema, "Length"), matching(schema)),
        Some("object") => match names(schema) {
            names if names.is_empty() => "object".to_owned(),
            names => format!("object of {names}"),
        },
        Some("null") => "null".to_owned(),
        Some(number @ ("integer" | "number")) => format!("{number}{}", bounds(schema, "imum")),
        Some("boolean") => "true or false".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn names(schema: &Value) -> String {
    let names = sorted(&schema["properties"]).into_iter();
    let names: Vec<_> = names.map(|(name, _)| format!("`{name}`")).collect();
    names.join(", ")
}

fn bounds(schema: &Value, of: &str) -> String {
    let [least, most] = ["min", "max"].map(|end| &schema[format!("{end}{of}")]);
    match (least.is_null(), most.is_null()) {
        (true, true) => String::new(),
        (false, true) => format!(", at least {least}"),
        (true, false) => format!(", at most {most}"),
        (false, false) => format!(", {least} to {most}"),
    }
}

/// A pattern has bars, which would end a cell.
fn matching(schema: &Value) -> String {
    let pattern = schema["pattern"].as_str();
    pattern.map_or(String::new(), |pattern| {
        format!(" like `{}`", pattern.replace('|', "\\|"))
    })
}
