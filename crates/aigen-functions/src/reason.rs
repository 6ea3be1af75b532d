//! What a schema has against a value, in words of fields.

use crate::limits::FIELDS_NAMED;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

/// What is wrong with `value`. Of an object with fields that it cannot have this names them, and
/// those that there are; the validator's own words would be that a false schema allows none.
#[must_use]
pub fn reason(schema: &Value, value: &Value, error: &ValidationError<'_>) -> String {
    of_fields(schema, value, error).unwrap_or_else(|| error.to_string())
}

/// The same without what the value holds: the names of its fields are said, and nothing else of it.
pub(crate) fn masked(schema: &Value, value: &Value, error: &ValidationError<'_>) -> String {
    of_fields(schema, value, error).unwrap_or_else(|| error.masked().to_string())
}

fn of_fields(schema: &Value, value: &Value, error: &ValidationError<'_>) -> Option<String> {
    let at = error.schema_path().to_string();
    let (object, word) = at.rsplit_once('/')?;
    let unexpected: Vec<&str> = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(String::as_str).collect()
        }
        // An object without any field is checked by this word alone.
        ValidationErrorKind::FalseSchema if word == "additionalProperties" => {
            let held = value.pointer(&error.instance_path().to_string())?;
            held.as_object()?.keys().map(String::as_str).collect()
        }
        ValidationErrorKind::FalseSchema => return Some("nothing may stand here".to_owned()),
        _ => return None,
    };
    let object = schema.pointer(object)?;
    let known = object.get("properties").and_then(Value::as_object);
    let known: Vec<&str> = known
        .into_iter()
        .flatten()
        .map(|(name, _)| &**name)
        .collect();
    let no = match unexpected.len() {
        1 => "there is no field",
        _ => "there are no fields",
    };
    let quoted = unexpected.iter().map(|name| format!("`{name}`"));
    let unexpected = listed(quoted.collect());
    let there = match known.is_empty() {
        // Which names a pattern takes cannot be listed.
        true if object.get("patternProperties").is_some() => String::new(),
        true => "; it has none".to_owned(),
        false => format!("; there are {}", listed(known)),
    };
    Some(format!("{no} {unexpected}{there}"))
}

/// The first of them, and how many more.
fn listed<T: AsRef<str>>(names: Vec<T>) -> String {
    let shown: Vec<_> = names.iter().take(FIELDS_NAMED).map(T::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(FIELDS_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
