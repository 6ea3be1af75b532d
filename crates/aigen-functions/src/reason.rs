//! What a schema has against a value, in words of fields.

use crate::limits::FIELDS_NAMED;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, JsonTypeSet, ValidationError};
use serde_json::Value;

/// What is wrong with `value`. Of an object with fields that it cannot have this names them, and
/// those that there are; the validator's own words would be that a false schema allows none.
#[must_use]
pub fn reason(schema: &Value, value: &Value, error: &ValidationError<'_>) -> String {
    of_fields(schema, value, error).unwrap_or_else(|| error.to_string())
}

/// The same without what the value holds: the names of its fields are said, and nothing else of it. A
/// model is told this, as what its next answer must be.
pub(crate) fn masked(schema: &Value, value: &Value, error: &ValidationError<'_>) -> String {
    let words = of_fields(schema, value, error).or_else(|| wanted(error.kind()));
    words.unwrap_or_else(|| error.masked().to_string())
}

/// What a value has to be; nothing where a schema says what is rare.
fn wanted(kind: &ValidationErrorKind) -> Option<String> {
    use ValidationErrorKind as Kind;
    Some(match kind {
        Kind::Type { kind } => format!("it must be {}", types(kind)),
        Kind::Enum { options } => format!("it must be one of {}", choices(options)),
        Kind::Constant { expected_value } => format!("it must be {expected_value}"),
        Kind::Required { property } => match property.as_str() {
            Some(name) => format!("the field `{name}` is missing"),
            None => return None,
        },
        Kind::Minimum { limit } => format!("it must be at least {limit}"),
        Kind::Maximum { limit } => format!("it must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("it must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("it must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("it must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("it must have at least {}", of(*limit, "character")),
        Kind::MaxLength { limit } => format!("it must have at most {}", of(*limit, "character")),
        Kind::MinItems { limit } => format!("it must have at least {}", of(*limit, "item")),
        Kind::MaxItems { limit } => format!("it must have at most {}", of(*limit, "item")),
        Kind::MinProperties { limit } => format!("it must have at least {}", of(*limit, "field")),
        Kind::MaxProperties { limit } => format!("it must have at most {}", of(*limit, "field")),
        Kind::UniqueItems => "no item may stand in it twice".to_owned(),
        Kind::Pattern { pattern } => format!("it must match the pattern {pattern}"),
        Kind::Format { format } => format!("it must be of the format {format}"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "it fits none of the alternatives".to_owned()
        }
        Kind::OneOfMultipleValid { .. } => {
            "it fits several of the alternatives, and must fit one".to_owned()
        }
        _ => return None,
    })
}

fn of(count: u64, what: &str) -> String {
    let several = if count == 1 { "" } else { "s" };
    format!("{count} {what}{several}")
}

fn types(kind: &TypeKind) -> String {
    let all = match kind {
        TypeKind::Single(one) => JsonTypeSet::from(*one),
        TypeKind::Multiple(all) => *all,
    };
    let names: Vec<_> = all.iter().map(named).collect();
    names.join(" or ")
}

fn named(of: JsonType) -> &'static str {
    match of {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a text",
        JsonType::Array => "a list",
        JsonType::Object => "an object",
    }
}

fn choices(options: &Value) -> String {
    let options = options.as_array().into_iter().flatten();
    listed(options.map(Value::to_string).collect())
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
