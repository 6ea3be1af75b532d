//! The published functions as an OpenAPI document, for whoever generates clients from one.

use crate::extract::Key;
use crate::state::Gateway;
use aigen_api::resources::Function;
use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

/// Of every listed function.
pub(super) async fn of_all(State(gateway): State<Gateway>, _: Key) -> Json<Value> {
    Json(of(&super::all(&gateway)))
}

/// An OpenAPI 3.1 document with a path for each function.
pub(super) fn of(functions: &[Function]) -> Value {
    let paths = functions.iter().map(path).collect::<Map<_, _>>();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Functions", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } }
        },
        "security": [{ "key": [] }],
    })
}

fn path(function: &Function) -> (String, Value) {
    let path = format!("/v1/functions/{}", function.reference);
    let at = format!("#/paths/{}/post", path.replace('/', "~1"));
    let schema = "content/application~1json/schema/properties";
    let input = moved(&function.input, &format!("{at}/requestBody/{schema}/input"));
    let value = moved(
        &function.output,
        &format!("{at}/responses/200/{schema}/value"),
    );
    let of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let asked = json!({
        "type": "object",
        "required": ["input"],
        "additionalProperties": false,
        "properties": { "input": input, "aigen": { "$ref": "#/components/schemas/Options" } },
    });
    let answered = json!({
        "type": "object",
        "required": ["value", "receipt"],
        "properties": { "value": value, "receipt": { "$ref": "#/components/schemas/Receipt" } },
    });
    let failed = json!({ "type": "object", "properties": { "error": { "type": "object" } } });
    let operation = json!({
        "operationId": operation_id(function),
        "summary": function.description.lines().next().unwrap_or_default(),
        "description": function.description,
        "requestBody": { "required": true, "content": of(asked) },
        "responses": {
            "200": { "description": "The value, and what it took.", "content": of(answered) },
            "default": { "description": "Why there is no value.", "content": of(failed) },
        },
    });
    (path, json!({ "post": operation }))
}

/// Letters, digits and underscores, since generators make names of it.
fn operation_id(function: &Function) -> String {
    let reference = &function.reference;
    let name = format!("{}_{}", reference.owner, reference.name);
    let plain = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '_',
    };
    name.chars().map(plain).collect()
}

/// A schema whose references lead from its new place in a document.
fn moved(schema: &Value, to: &str) -> Value {
    match schema {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let reference = value.as_str().and_then(|text| text.strip_prefix('#'));
                let value = match (name.as_str(), reference) {
                    ("$ref", Some(pointer)) => format!("{to}{pointer}").into(),
                    _ => moved(value, to),
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.iter().map(|item| moved(item, to)).collect(),
        other => other.clone(),
    }
}

/// What all functions share.
fn schemas() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let number = |description: &str| json!({ "type": "integer", "description": description });
    json!({
        "Options": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "model": text("Which model computes it."),
                "seed": number("Names the stream of chance."),
                "temperature": { "type": "number", "minimum": 0, "maximum": 2 },
                "max_tokens": number("Output tokens, no more than the function's own."),
                "max_cost": text("The most it may cost, in AIGEN."),
                "end_user": text("For which end user it is."),
                "bill_to": text("Which user pays, by an allowance."),
            }
        },
        "Receipt": {
            "type": "object",
            "required": ["id", "cost", "guarantee", "function", "model"],
            "properties": {
                "id": text("GET /v1/aigen/receipts/{id}"),
                "cost": text("What was captured, in AIGEN."),
                "guarantee": { "enum": ["decoder", "retry"] },
                "function": text("The function and its version."),
                "model": text("The model that computed it."),
            }
        }
    })
}
