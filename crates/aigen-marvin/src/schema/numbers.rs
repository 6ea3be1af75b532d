//! Numbers that the type can hold.

use super::normalise::one_of;
use crate::limits::{INTEGER_MAX, NUMBER_MAX, SINGLE_MAX};
use serde_json::{Map, Value, json};

/// An integer within its type and its own bounds. Negative ones stand apart from the others,
/// since `-0` is an integer in JSON and none in Rust.
pub(super) fn integer(schema: &Map<String, Value>) -> Option<Value> {
    let (lowest, highest) = of_format(schema.get("format").and_then(Value::as_str));
    let low = [
        bound(schema, "minimum", 0),
        bound(schema, "exclusiveMinimum", 1),
    ];
    let high = [
        bound(schema, "maximum", 0),
        bound(schema, "exclusiveMaximum", -1),
    ];
    let low = low.into_iter().flatten().fold(lowest, i128::max);
    let high = high.into_iter().flatten().fold(highest, i128::min);
    // What is not zero says so by `not`.
    let from = i128::from(schema.contains_key("not"));
    let parts = [(low, high.min(-1)), (low.max(from), high)];
    let parts = parts.into_iter().filter(|(low, high)| low <= high);
    one_of(parts.map(|(low, high)| range(schema, low, high)).collect())
}

fn range(schema: &Map<String, Value>, low: i128, high: i128) -> Value {
    // Within ±(2^53 − 1) by now.
    let [low, high] = [low, high].map(|bound| i64::try_from(bound).unwrap_or_default());
    let mut node = json!({ "type": "integer", "minimum": low, "maximum": high });
    if let Some(step) = schema.get("multipleOf") {
        node["multipleOf"] = step.clone();
    }
    node
}

/// What the type holds, as far as JSON's readers keep every digit.
fn of_format(format: Option<&str>) -> (i128, i128) {
    match format {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint" | "uint64" | "uint128") => (0, INTEGER_MAX),
        _ => (-INTEGER_MAX, INTEGER_MAX),
    }
}

/// A bound as an integer. One with a fraction goes inwards to the next integer; an exclusive
/// one that is an integer goes `inwards`.
fn bound(schema: &Map<String, Value>, name: &str, inwards: i128) -> Option<i128> {
    let value = schema.get(name)?;
    let whole = value.as_i64().map(i128::from);
    if let Some(whole) = whole.or_else(|| value.as_u64().map(i128::from)) {
        return Some(whole + inwards);
    }
    let value = value.as_f64()?;
    let rounded = match name.ends_with("inimum") {
        true => value.ceil(),
        false => value.floor(),
    };
    let whole = format!("{rounded:.0}").parse::<i128>().ok()?;
    let is_whole = (rounded - value).abs() < f64::EPSILON;
    Some(if is_whole { whole + inwards } else { whole })
}

/// A number within what its precision holds, or within its own bounds.
pub(super) fn number(schema: &Map<String, Value>) -> Value {
    let is_single = schema.get("format").and_then(Value::as_str) == Some("float");
    let most = if is_single { SINGLE_MAX } else { NUMBER_MAX };
    let mut node = json!({ "type": "number" });
    for (inclusive, exclusive, outermost) in [
        ("minimum", "exclusiveMinimum", -most),
        ("maximum", "exclusiveMaximum", most),
    ] {
        match (schema.get(inclusive), schema.get(exclusive)) {
            (None, None) => node[inclusive] = json!(outermost),
            (Some(bound), _) => node[inclusive] = bound.clone(),
            (_, Some(bound)) => node[exclusive] = bound.clone(),
        }
    }
    node
}
