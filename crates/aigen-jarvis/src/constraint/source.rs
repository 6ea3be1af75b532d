//! Data as Lark: every function returns an expression that stays one expression,
//! whatever the data says.

use llguidance::regex_to_lark;
use serde_json::{Value, json};

use super::{CompileError, pattern};
use crate::limits::CHOICE_OPTIONS_MAX;

/// How JSON Schemas are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonOptions {
    /// No whitespace between tokens: fewer tokens, and more of them forced.
    /// Otherwise whitespace is the model's choice.
    pub compact: bool,
    /// Ignore keywords that cannot be enforced, instead of refusing the schema.
    pub lenient: bool,
}

impl Default for JsonOptions {
    fn default() -> Self {
        let (compact, lenient) = (true, false);
        Self { compact, lenient }
    }
}

/// The schema with its options written where llguidance reads them; whatever
/// options the schema brought along are dropped.
pub(super) fn schema(schema: &Value, options: JsonOptions) -> Result<Value, CompileError> {
    let mut schema = match schema {
        Value::Object(schema) => schema.clone(),
        Value::Bool(true) => serde_json::Map::new(),
        Value::Bool(false) => return Err(CompileError::new("the schema `false` allows nothing")),
        _ => return Err(CompileError::new("a JSON Schema is an object")),
    };
    let options = json!({
        "whitespace_flexible": !options.compact,
        "lenient": options.lenient,
    });
    schema.insert("x-guidance".to_owned(), options);
    Ok(Value::Object(schema))
}

/// A literal text.
pub(super) fn text(text: &str) -> String {
    // JSON strings are Lark strings, but for DEL, which Lark wants escaped.
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// One of several literal texts.
pub(super) fn choice(options: &[String]) -> Result<String, CompileError> {
    if options.is_empty() {
        return Err(CompileError::new("a choice needs at least one option"));
    }
    if options.len() > CHOICE_OPTIONS_MAX {
        let what = format!("a choice has {CHOICE_OPTIONS_MAX} options at most");
        return Err(CompileError::new(what));
    }
    if options.iter().any(String::is_empty) {
        return Err(CompileError::new("an option of a choice is empty"));
    }
    let options: Vec<_> = options.iter().map(|option| text(option)).collect();
    Ok(format!("({})", options.join(" | ")))
}

/// A regular expression in the syntax of the `regex` crate. It matches whole.
pub(super) fn regex(source: &str) -> Result<String, CompileError> {
    if source.is_empty() {
        return Err(CompileError::new("the regular expression is empty"));
    }
    // Only what parses alone is put between slashes: there, every backslash has
    // its partner, so none can swallow the closing slash.
    pattern::check(source)?;
    Ok(format!("/{}/", regex_to_lark(source, "")))
}
