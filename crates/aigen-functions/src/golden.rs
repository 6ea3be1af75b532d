use serde::Deserialize;
use serde_json::Value;

/// A case whose answer is known.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// What the function is called with.
    pub input: Value,
    /// What its value has to hold, see [`holds`]; anything of the right form when absent.
    #[serde(default)]
    pub expect: Value,
}

/// Whether a value holds what is expected of it: of an object at least these fields, of a list
/// exactly these items, of a text and everything else the same. Nothing is expected by `null`.
#[must_use]
pub fn holds(expected: &Value, value: &Value) -> bool {
    match (expected, value) {
        (Value::Null, _) => true,
        (Value::Object(expected), Value::Object(value)) => expected
            .iter()
            .all(|(name, expected)| value.get(name).is_some_and(|value| holds(expected, value))),
        (Value::Array(expected), Value::Array(value)) => {
            let both = expected.iter().zip(value);
            expected.len() == value.len()
                && both.into_iter().all(|(left, right)| holds(left, right))
        }
        (Value::Number(expected), Value::Number(value)) => expected.as_f64() == value.as_f64(),
        (expected, value) => expected == value,
    }
}
