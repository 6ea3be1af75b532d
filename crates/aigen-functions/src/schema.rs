use crate::function::FunctionError;
use crate::reason::reason;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Value, json};
use std::sync::Arc;

/// A JSON Schema and what checks it.
#[derive(Clone, Debug)]
pub struct Schema {
    json: Value,
    validator: Arc<Validator>,
}

/// A value that does not fit its schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Misfit {
    /// Where, like `input.options.2`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl Misfit {
    pub(crate) fn at(path: &str, reason: impl ToString) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl Schema {
    /// The schema of what a function is called with.
    pub fn of_input(place: &str, written: &Value) -> Result<Self, FunctionError> {
        let schema = Self::of_output(place, written)?;
        match schema.json.get("type") == Some(&json!("object")) {
            true => Ok(schema),
            false => Err(FunctionError::at(
                place,
                "must be a schema of `type` object: a function is called with named values",
            )),
        }
    }

    /// A schema, or the JSON text of one: that keeps the order of its fields in TOML, too.
    pub fn of_output(place: &str, written: &Value) -> Result<Self, FunctionError> {
        let json = match written {
            Value::String(text) => {
                serde_json::from_str(text).map_err(|error| FunctionError::at(place, error))?
            }
            written => written.clone(),
        };
        if !json.is_object() {
            return Err(FunctionError::at(place, "a JSON Schema is an object"));
        }
        let json = closed(json);
        // Its patterns are a stranger's: only such as take linear time. Nothing is fetched.
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let validator = options.build(&json).map_err(|error| wrong(place, &error))?;
        Ok(Self {
            json,
            validator: Arc::new(validator),
        })
    }

    pub fn as_json(&self) -> &Value {
        &self.json
    }

    pub fn check(&self, root: &str, value: &Value) -> Result<(), Misfit> {
        self.validator.validate(value).map_err(|error| Misfit {
            path: format!("{root}{}", error.instance_path()).replace('/', "."),
            reason: reason(&self.json, value, &error),
        })
    }

    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let properties = self.json.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, _)| &**name)
    }

    /// Its field, if it is a text and there is no other that has to be given.
    pub fn only_text(&self) -> Option<&str> {
        let properties = self.json.get("properties")?.as_object()?;
        let required = self.json.get("required").and_then(Value::as_array);
        let mut required = required.into_iter().flatten().filter_map(Value::as_str);
        let name = match (required.next(), required.next(), properties.len()) {
            (Some(name), None, _) => name,
            (None, _, 1) => properties.keys().next()?,
            _ => return None,
        };
        let kind = properties.get(name)?.get("type")?;
        (kind == "string").then_some(name)
    }
}

/// What is wrong with a schema, where in it, and what to do about it where that is not said.
fn wrong(place: &str, error: &jsonschema::ValidationError<'_>) -> FunctionError {
    let place = format!("{place}{}", error.instance_path()).replace('/', ".");
    let said = error.to_string();
    let instance = error.instance();
    let reason = if said.contains("retrieving it failed") {
        "it refers to what is not in it, and nothing is fetched: write that under `$defs`"
            .to_owned()
    } else if place.ends_with(".type") && said.contains("anyOf") {
        format!("{instance} is no type; the types are {TYPES}")
    } else if said.contains("is not a \"regex\"") || place.ends_with(".pattern") {
        format!(
            "{instance} is no pattern that takes linear time; write it without look-around and back-references, \
             or check the value afterwards"
        )
    } else {
        said
    };
    FunctionError::at(place, reason)
}

const TYPES: &str = "string, number, integer, boolean, object, array and null";

/// Objects that name their fields and say nothing of others have no others: a decoder could go on
/// for ever with fields that nobody asked for. Parts of an `allOf` know only some of the fields.
fn closed(mut schema: Value) -> Value {
    close(&mut schema, true);
    schema
}

fn close(schema: &mut Value, whole: bool) {
    let Value::Object(fields) = schema else {
        if let Value::Array(all) = schema {
            all.iter_mut().for_each(|one| close(one, whole));
        }
        return;
    };
    let says = [
        "additionalProperties",
        "patternProperties",
        "unevaluatedProperties",
        "allOf",
        "$ref",
    ];
    let open = says.iter().all(|word| !fields.contains_key(*word));
    if whole && open && fields.get("properties").is_some_and(Value::is_object) {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for (word, value) in fields.iter_mut() {
        match word.as_str() {
            "properties" | "$defs" | "definitions" => {
                let named = value.as_object_mut().into_iter().flatten();
                named.for_each(|(_, schema)| close(schema, whole));
            }
            "items" | "prefixItems" | "anyOf" | "oneOf" | "additionalProperties" => {
                close(value, whole);
            }
            _ => {}
        }
    }
}
