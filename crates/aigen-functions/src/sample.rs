//! A value of a schema, to try a template with where an author gives none.

use crate::limits::SAMPLE_DEPTH_MAX;
use serde_json::{Map, Value, json};

/// Something that fits most schemas. Whoever needs to be sure checks it.
pub fn of(schema: &Value) -> Value {
    sample(schema, schema, 0)
}

fn sample(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth > SAMPLE_DEPTH_MAX {
        return Value::Null;
    }
    let first = |word: &str| schema.get(word).and_then(|values| values.get(0));
    let given = schema.get("const").or_else(|| schema.get("default"));
    if let Some(value) = given
        .or_else(|| first("examples"))
        .or_else(|| first("enum"))
    {
        return value.clone();
    }
    if let Some(other) = referred(root, schema)
        .or_else(|| first("anyOf"))
        .or_else(|| first("oneOf"))
    {
        return sample(root, other, depth + 1);
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first(),
        kind => kind,
    };
    match kind.and_then(Value::as_str) {
        Some("string") => text(schema),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let item = schema.get("items").unwrap_or(&Value::Null);
            json!([sample(root, item, depth + 1)])
        }
        Some("object") => object(root, schema, depth),
        _ => Value::Null,
    }
}

fn text(schema: &Value) -> Value {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1);
    let least = usize::try_from(least.min(1_000)).unwrap_or(1);
    let most = schema.get("maxLength").and_then(Value::as_u64);
    let most = most.and_then(|most| usize::try_from(most).ok());
    let text = "text ".repeat(least.div_ceil(5));
    let length = most.map_or(text.len(), |most| most.min(text.len()).max(least));
    text[..length.min(text.len())].into()
}

fn object(root: &Value, schema: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flatten();
    let fields = properties.map(|(name, schema)| (name.clone(), sample(root, schema, depth + 1)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn referred<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}
