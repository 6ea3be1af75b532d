//! The JSON Schema of a type, made so that whatever follows it deserialises.
//!
//! What schemars says of a type is true of what serde writes, but not everything that it allows
//! is read back: numbers beyond the type, `-0` for an integer, keys of maps that are no numbers,
//! types that contain themselves without end. The normalised schema allows less.

mod normalise;
mod numbers;
mod objects;
mod sample;
mod strings;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What answers follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    pub(crate) fn of_value(schema: Value) -> Self {
        Self(schema)
    }

    /// As JSON.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

impl std::fmt::Display for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a type cannot be promised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}\nhint: {hint}")]
pub struct SchemaError {
    /// Where in the type, like `$.items[].name`.
    pub path: String,
    /// What is there.
    pub what: String,
    /// What to do.
    pub hint: &'static str,
}

/// What a model can be held to: any type that has a schema and is read from JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of an AI function",
    label = "a model cannot be held to it",
    note = "derive `serde::Deserialize` and `schemars::JsonSchema` for it, or return a type that has both"
)]
pub trait Promised: JsonSchema + DeserializeOwned {}

// Otherwise the compiler speaks of the half that is missing, once for each place that needs it.
#[diagnostic::do_not_recommend]
impl<T: JsonSchema + DeserializeOwned> Promised for T {}

/// The schema of `T`'s values, from which every value can be read back.
///
/// # Errors
/// If the type cannot be promised: look-around in a pattern, a type without a finite value, a
/// keyword of a hand-written schema that no decoder enforces, a map whose keys are of a kind that
/// schemars does not tell.
pub fn schema_of<T: Promised>() -> Result<Schema, SchemaError> {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let schema = normalise::normalise(schema.as_value())?;
    sample::read_back::<T>(&schema)?;
    Ok(Schema(schema))
}

#[cfg(test)]
mod tests;
