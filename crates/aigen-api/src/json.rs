use serde::de::DeserializeOwned;
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

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// The path and the reason, when the text is not JSON, has the wrong shape or goes on after the value.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, JsonError> {
    // Following the path takes a text for every key; where nothing is wrong nobody asks for it.
    if let Ok(value) = serde_json::from_slice(json) {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| JsonError::new(known(error.path()), error.inner()))?;
    reader.end().map_err(|error| JsonError::new(None, &error))?;
    Ok(value)
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
        Self {
            path,
            message: text.strip_suffix(&position).unwrap_or(&text).to_owned(),
            line,
            column,
        }
    }
}
