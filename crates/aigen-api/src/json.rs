use crate::objects::Objects;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_path_to_error::{Path, Segment};
use std::fmt;

/// Why a JSON text is not the expected shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where the bad field is, like `messages[1].content`. `None` at the top.
    pub path: Option<String>,
    /// What is wrong there.
    pub message: String,
    /// Line of the text where reading stopped, from 1.
    pub line: usize,
    /// Column of that line, in bytes, from 1; 0 before the first byte.
    pub column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        write!(
            f,
            "{} (line {}, column {})",
            self.message, self.line, self.column
        )
    }
}

impl std::error::Error for JsonError {}

/// Reads one JSON value and nothing after it. Where an object is expected, an array is none.
///
/// # Errors
/// The path and the reason, when the text is not JSON, has the wrong shape or goes on after the value.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, JsonError> {
    // Following the path takes a text for every key; where nothing is wrong nobody asks for it.
    let mut reader = serde_json::Deserializer::from_slice(json);
    if let Ok(value) = T::deserialize(Objects(&mut reader))
        && reader.end().is_ok()
    {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(Objects(&mut reader))
        .map_err(|error| JsonError::new(known(error.path()), error.inner()))?;
    reader.end().map_err(|error| JsonError::new(None, &error))?;
    Ok(value)
}

/// The same of a value that was read already.
pub(crate) fn from_value<T: DeserializeOwned>(
    value: serde_json::Value,
) -> Result<T, serde_json::Error> {
    T::deserialize(Objects(value))
}

/// A field that may be `null`, which says as much as leaving it out.
pub(crate) fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// The path as far as reading knew it: a key that could not be read has no name.
fn known(path: &Path) -> Option<String> {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Segment::Unknown => break,
        }
    }
    (!text.is_empty()).then_some(text)
}

impl JsonError {
    fn new(path: Option<String>, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let position = format!(" at line {line} column {column}");
        let message = in_words_of_json(text.strip_suffix(&position).unwrap_or(&text));
        Self {
            path: with_missing_field(path, &message),
            message,
            line,
            column,
        }
    }
}

/// Reading stops at the object that lacks a field; the path goes on to the field.
fn with_missing_field(path: Option<String>, message: &str) -> Option<String> {
    let field = message.strip_prefix("missing field `");
    match (field.and_then(|rest| rest.strip_suffix('`')), path) {
        (None, path) => path,
        (Some(field), None) => Some(field.to_owned()),
        (Some(field), Some(path)) => Some(format!("{path}.{field}")),
    }
}

/// Who sends JSON need not know what Rust calls its parts.
fn in_words_of_json(message: &str) -> String {
    const WORDS: [(&str, &str); 10] = [
        ("invalid type: sequence", "invalid type: array"),
        ("invalid type: map", "invalid type: object"),
        ("expected a sequence", "expected an array"),
        ("expected a map", "expected an object"),
        ("expected u8", "expected a whole number of 0 to 255"),
        ("expected u32", "expected a whole number of 0 to 4294967295"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
    ];
    let words = WORDS.iter();
    let said = words.fold(message.to_owned(), |said, (rust, json)| {
        match said.strip_suffix(rust) {
            // What is expected ends the message; what came may be quoted in it.
            Some(before) if rust.starts_with("expected") => format!("{before}{json}"),
            _ if rust.starts_with("invalid") && said.starts_with(rust) => {
                said.replacen(rust, json, 1)
            }
            _ => said,
        }
    });
    match said.rsplit_once("expected struct ") {
        Some((before, name)) if name.chars().all(char::is_alphanumeric) => {
            format!("{before}expected an object")
        }
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)] // Read and never looked at.
    struct Outer {
        inner: Option<Inner>,
        list: Vec<Inner>,
        pair: Option<(u32, f64)>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)] // As above.
    struct Inner {
        name: String,
    }

    /// Path and message, or `ok`.
    const ROWS: &str = r#"
{"inner": {"name": "a"}, "list": [{"name": "b"}], "pair": [1, 2]} => ok
{"inner": null, "list": []}       => ok
[null, []]                        => - | invalid type: array, expected an object
{"inner": ["a"], "list": []}      => inner | invalid type: array, expected an object
{"list": [{"name": "b"}, ["a"]]}  => list[1] | invalid type: array, expected an object
{"list": {}}                      => list | invalid type: object, expected an array
{"list": [{}]}                    => list[0].name | missing field `name`
{}                                => list | missing field `list`
{"list": 7}                       => list | invalid type: integer `7`, expected an array
{"list": [], "pair": [-1, 2]}     => pair[0] | invalid value: integer `-1`, expected a whole number of 0 to 4294967295
{"list": [], "pair": [1, "x"]}    => pair[1] | invalid type: string "x", expected a number
"expected u32"                    => - | invalid type: string "expected u32", expected an object
"#;

    #[test]
    fn an_object_is_an_object_and_is_missed_by_name() {
        for row in ROWS.trim().lines() {
            let (json, expected) = row.split_once("=>").unwrap();
            let said = match from_json::<Outer>(json.trim().as_bytes()) {
                Ok(_) => "ok".to_owned(),
                Err(error) => {
                    let path = error.path.as_deref().unwrap_or("-");
                    format!("{path} | {}", error.message)
                }
            };
            assert_eq!(said, expected.trim(), "{json}");
        }
    }
}
