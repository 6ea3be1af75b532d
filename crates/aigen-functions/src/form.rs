//! Values in texts, of models that nobody holds to a schema.

use crate::limits::CANDIDATES_MAX;
use crate::reason::masked;
use jsonschema::{PatternOptions, Validator};
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};
use std::sync::Arc;

/// A schema that values are looked for by.
#[derive(Clone, Debug)]
pub struct Form {
    json: Arc<Value>,
    validator: Arc<Validator>,
}

impl Form {
    /// # Errors
    /// Why it is no schema. Nothing is fetched for one.
    pub fn of(schema: &Value) -> Result<Self, String> {
        // Its patterns are a stranger's: only such as take linear time. A decoder keeps to formats, too.
        let options = jsonschema::options()
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true);
        let validator = options.build(schema).map_err(|error| error.to_string())?;
        Ok(Self {
            json: Arc::new(schema.clone()),
            validator: Arc::new(validator),
        })
    }

    /// The value of this form in a text, as it stands there: the whole of it, what a fence holds, or an
    /// object or a list that prose stands around. Of several the last: a model says its answer after
    /// what leads to it.
    ///
    /// # Errors
    /// What is wrong with the last value that there is. No content of the text is in it.
    pub fn find<'a>(&self, text: &'a str) -> Result<&'a str, String> {
        let whole = text.trim();
        if let Ok(value) = serde_json::from_str(whole) {
            return self.check(&value).map(|()| whole);
        }
        let mut wrong = "it holds no JSON".to_owned();
        let within = fenced(text).into_iter().chain(enclosed(text));
        let mut found = None;
        for json in within {
            let value = serde_json::from_str(json).map_err(|error| error.to_string());
            match value.and_then(|value| self.check(&value)) {
                Ok(()) => found = Some(json),
                Err(reason) => wrong = reason,
            }
        }
        found.ok_or(wrong)
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        // The masked form: an answer's content does not belong into errors.
        let at = |error: jsonschema::ValidationError<'_>| {
            let path = error.instance_path().to_string();
            let reason = masked(&self.json, value, &error);
            match path.is_empty() {
                true => reason,
                false => format!("{path}: {reason}"),
            }
        };
        self.validator.validate(value).map_err(at)
    }
}

/// What stands between fences: numbers and texts are found nowhere else in prose.
fn fenced(text: &str) -> Vec<&str> {
    let blocks = text.split("```").skip(1).step_by(2);
    let body = |block: &'_ str| block.find('\n').map(|end| end + 1);
    blocks
        .filter_map(|block| Some(block[body(block)?..].trim()))
        .filter(|block| serde_json::from_str::<IgnoredAny>(block).is_ok())
        .take(CANDIDATES_MAX)
        .collect()
}

/// Objects and lists that are in no other. A reader goes 128 levels deep at most, so that no text
/// is read more often than that.
fn enclosed(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for _ in 0..CANDIDATES_MAX {
        let Some(at) = text[from..].find(['{', '[']) else {
            break;
        };
        let begin = from + at;
        let mut reader = Deserializer::from_str(&text[begin..]).into_iter::<IgnoredAny>();
        from = match reader.next() {
            Some(Ok(_)) => {
                let end = begin + reader.byte_offset();
                found.push(&text[begin..end]);
                end
            }
            _ => begin + 1,
        };
    }
    found
}
