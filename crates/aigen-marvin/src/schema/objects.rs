//! Structs and maps.

use super::normalise::{Maker, Node, anything, count};
use crate::limits::ENTRIES_MAX;
use serde_json::{Map, Value, json};

/// Keys of a map that are numbers: without leading zeros, and at most nine digits, which fit
/// every type of 32 bits and more.
const UNSIGNED: &str = "^(0|[1-9][0-9]{0,8})$";
const SIGNED: &str = "^(0|-?[1-9][0-9]{0,8})$";

pub(super) fn object<'a>(maker: &mut Maker<'a>, schema: &'a Map<String, Value>) -> Node {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        return fields(maker, schema, properties);
    }
    if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
        return numbered(maker, schema, patterns);
    }
    let values = match schema.get("additionalProperties") {
        Some(values) => maker.below(".*", values)?,
        None => Some(anything()),
    };
    let at_least = count(schema, "minProperties").unwrap_or(0);
    Ok(match values {
        Some(values) => Some(with_count(map_of(&values), at_least)),
        None => (at_least == 0).then(|| closed(Map::new(), Vec::new())),
    })
}

/// A struct. Every field is asked for: what may be left out may be `null` or a default as well,
/// and a model that may leave something out does.
fn fields<'a>(
    maker: &mut Maker<'a>,
    schema: &'a Map<String, Value>,
    properties: &'a Map<String, Value>,
) -> Node {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|required| required == name));
    let mut nodes = Map::new();
    for (name, property) in properties {
        match maker.below(&format!(".{name}"), property)? {
            Some(node) => drop(nodes.insert(name.clone(), node)),
            None if is_required(name) => return Ok(None),
            None => {}
        }
    }
    let names = nodes.keys().cloned().collect();
    Ok(Some(closed(nodes, names)))
}

fn numbered<'a>(
    maker: &mut Maker<'a>,
    schema: &Map<String, Value>,
    patterns: &'a Map<String, Value>,
) -> Node {
    let mut nodes = Map::new();
    for (pattern, values) in patterns {
        let pattern = match pattern.as_str() {
            r"^\d+$" => UNSIGNED,
            r"^-?\d+$" => SIGNED,
            other => other,
        };
        let node = maker.below(".*", values)?;
        nodes.extend(node.map(|node| (pattern.to_owned(), node)));
    }
    if nodes.is_empty() {
        return Ok(Some(closed(Map::new(), Vec::new())));
    }
    let map = json!({
        "type": "object", "patternProperties": nodes, "additionalProperties": false,
        "maxProperties": ENTRIES_MAX,
    });
    let at_least = count(schema, "minProperties").unwrap_or(0);
    Ok(Some(with_count(map, at_least)))
}

/// An object that is both; `None` if one of them is none.
pub(super) fn merged(one: &Value, other: &Value) -> Option<Value> {
    for (either, whole) in [(one, other), (other, one)] {
        if let Some(Value::Array(parts)) = either.get("anyOf") {
            let parts: Option<Vec<_>> = parts.iter().map(|part| merged(part, whole)).collect();
            return Some(json!({ "anyOf": parts? }));
        }
    }
    let properties = |node: &Value| node.get("properties").and_then(Value::as_object).cloned();
    let (mut nodes, more) = (properties(one)?, properties(other)?);
    nodes.extend(more);
    let names = nodes.keys().cloned().collect();
    Some(closed(nodes, names))
}

fn closed(properties: Map<String, Value>, required: Vec<String>) -> Value {
    json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    })
}

pub(super) fn map_of(values: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": values, "maxProperties": ENTRIES_MAX })
}

fn with_count(mut map: Value, at_least: u64) -> Value {
    if at_least > 0 {
        map["minProperties"] = json!(at_least);
        map["maxProperties"] = json!(ENTRIES_MAX.max(at_least));
    }
    map
}
