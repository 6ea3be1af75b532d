//! Texts.

use super::normalise::{Maker, Node, count, one_of};
use crate::limits::LENGTH_MAX;
use serde_json::{Map, Value, json};

/// Formats that decoders enforce. Others are dropped: JSON Schema does not promise them either.
const FORMATS: [&str; 9] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uuid",
];

pub(super) fn string(maker: &Maker<'_>, schema: &Map<String, Value>) -> Node {
    match schema.get("format").and_then(Value::as_str) {
        Some("ip") => return Ok(one_of(vec![format("ipv4"), format("ipv6")])),
        Some(name) if FORMATS.contains(&name) => return Ok(Some(format(name))),
        _ => {}
    }
    let at_least = count(schema, "minLength").unwrap_or(0);
    let at_most = count(schema, "maxLength").unwrap_or(LENGTH_MAX.max(at_least));
    let mut node = json!({ "type": "string", "minLength": at_least, "maxLength": at_most });
    if let Some(Value::String(pattern)) = schema.get("pattern") {
        if let Err(error) = regex_syntax::parse(pattern) {
            let what = format!("the pattern {pattern:?} cannot be enforced: {error}");
            return Err(maker.wrong(&what, "write it without look-around and back-references"));
        }
        node["pattern"] = json!(pattern);
    }
    Ok(Some(node))
}

fn format(name: &str) -> Value {
    json!({ "type": "string", "format": name })
}

pub(super) fn any() -> Value {
    json!({ "type": "string", "maxLength": LENGTH_MAX })
}
