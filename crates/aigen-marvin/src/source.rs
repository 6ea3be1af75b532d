//! A function as it is published: what `aigen fn publish` and `POST /v1/aigen/controllers` take.

use crate::{Definition, Schema, SchemaError};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The parameters of a function, by their types.
#[derive(Debug)]
pub struct Inputs {
    generator: SchemaGenerator,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    described: String,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            generator: SchemaSettings::draft2020_12().into_generator(),
            properties: Map::new(),
            required: Vec::new(),
            described: String::new(),
        }
    }
}

impl Inputs {
    /// One more. It has to be given unless it is an `Option`.
    #[must_use]
    pub fn with<T>(mut self, name: &'static str, description: &'static str) -> Self
    where
        T: JsonSchema + ?Sized,
    {
        let mut schema = self.generator.subschema_for::<T>().to_value();
        if !description.is_empty() {
            // Beside a reference it is allowed, too.
            schema["description"] = description.into();
            // Writing to a String cannot fail.
            let _ = write!(self.described, "\n`{name}` is {description}.");
        }
        if !may_be_null(&schema) {
            self.required.push(name);
        }
        self.properties.insert(name.to_owned(), schema);
        self
    }

    fn schema(mut self) -> Value {
        let definitions = self.generator.take_definitions(true);
        let mut schema = json!({
            "type": "object",
            "required": self.required,
            "properties": self.properties,
        });
        if !definitions.is_empty() {
            schema["$defs"] = definitions.into();
        }
        schema
    }
}

/// Whether a schema is that of an `Option`.
fn may_be_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let kinds = schema["type"].as_array().into_iter().flatten();
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    kinds.into_iter().any(is_null) || choices.into_iter().any(|one| is_null(&one["type"]))
}

/// The source of a function, as JSON: it is asked in the very words that [`crate::Call`] uses.
///
/// # Errors
/// If the return type cannot be promised.
pub fn source(
    definition: &Definition,
    inputs: Inputs,
    output: Result<Schema, SchemaError>,
) -> Result<String, SchemaError> {
    let mut source = json!({
        "description": format!("{}{}", definition.instruction, inputs.described),
        "max_tokens": definition.max_tokens,
        "output": output?.as_value(),
        "input": inputs.schema(),
    });
    // As OpenAI's API has it where a request says nothing, and so as a call of it here is computed.
    source["temperature"] = definition.temperature.unwrap_or(1.0).into();
    if let Some(model) = &definition.model {
        source["model"] = model.as_str().into();
    }
    Ok(format!("{source:#}\n"))
}
