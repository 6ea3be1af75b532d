//! Values written as the schema says and read back as the type, before any model is asked.
//!
//! Of a map's keys schemars says only whether they are numbers: not how wide those are, and not
//! that they are the names of an enum. Everything else is promised by the schema itself.

use super::SchemaError;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A key that no enum has, and the widest number of a map's key.
const TEXT: &str = "any key";
const NUMBER: &str = "999999999";

/// Of alternatives each is tried, as far as there are no more than these.
const SAMPLES: usize = 16;

pub(super) fn read_back<T: DeserializeOwned>(schema: &Value) -> Result<(), SchemaError> {
    for turn in 0..SAMPLES {
        let mut maps = 0;
        let value = sample(schema, turn, &mut maps);
        if maps == 0 {
            continue;
        }
        if let Err(error) = serde_json::from_value::<T>(value) {
            return Err(SchemaError {
                path: "$".to_owned(),
                what: format!("the keys of a map cannot be promised: {error}"),
                hint: "let them be texts or numbers of 32 bits and more, or use a Vec of pairs",
            });
        }
    }
    Ok(())
}

/// A value of the schema; `turn` chooses among alternatives, `maps` counts maps in it.
fn sample(schema: &Value, turn: usize, maps: &mut usize) -> Value {
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    for several in ["enum", "anyOf"] {
        if let Some(Value::Array(all)) = schema.get(several) {
            let one = &all[turn % all.len()];
            return match several {
                "enum" => one.clone(),
                _ => sample(one, turn, maps),
            };
        }
    }
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => json!(true),
        "integer" => schema["minimum"].clone(),
        "number" => number(schema),
        "string" => text(schema),
        "array" => array(schema, turn, maps),
        "object" => object(schema, turn, maps),
        _ => Value::Null,
    }
}

fn number(schema: &Value) -> Value {
    match schema.get("minimum") {
        Some(inclusive) => inclusive.clone(),
        None => json!(schema["exclusiveMinimum"].as_f64().unwrap_or_default() + 1e-6),
    }
}

fn text(schema: &Value) -> Value {
    json!(match schema["format"].as_str() {
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("date") => "2026-01-31",
        Some("time") => "12:00:00Z",
        Some("duration") => "PT1S",
        Some("email") => "a@example.org",
        Some("hostname") => "example.org",
        Some("ipv4") => "127.0.0.1",
        Some("ipv6") => "::1",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => {
            let length = schema["minLength"].as_u64().unwrap_or_default();
            return json!("a".repeat(usize::try_from(length).unwrap_or_default()));
        }
    })
}

fn array(schema: &Value, turn: usize, maps: &mut usize) -> Value {
    if let Some(Value::Array(items)) = schema.get("prefixItems") {
        return items.iter().map(|item| sample(item, turn, maps)).collect();
    }
    let length = schema["minItems"].as_u64().unwrap_or_default().max(1);
    let length = length.min(schema["maxItems"].as_u64().unwrap_or(length));
    (0..length)
        .map(|_| sample(&schema["items"], turn, maps))
        .collect()
}

fn object(schema: &Value, turn: usize, maps: &mut usize) -> Value {
    let mut object = Map::new();
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (name, property) in properties {
            object.insert(name.clone(), sample(property, turn, maps));
        }
        return object.into();
    }
    *maps += 1;
    if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
        let values = patterns.values().next().unwrap_or(&Value::Null);
        object.insert(NUMBER.to_owned(), sample(values, turn, maps));
    } else if let Some(values) = schema.get("additionalProperties") {
        object.insert(TEXT.to_owned(), sample(values, turn, maps));
    }
    object.into()
}
