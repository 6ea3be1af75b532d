//! Whether a golden case can pass at all: an answer of the schema may hold what is expected.

use crate::golden::holds;
use crate::schema::Misfit;
use jsonschema::PatternOptions;
use serde_json::{Map, Value};

/// References that are followed one after the other: more of them go round.
const REFERENCES_MAX: usize = 32;

/// # Errors
/// What no value of this schema holds, and where.
pub fn check(schema: &Value, expected: &Value, at: &str) -> Result<(), Misfit> {
    Of { root: schema }.may_hold(schema, expected, at)
}

struct Of<'a> {
    root: &'a Value,
}

impl Of<'_> {
    fn may_hold(&self, schema: &Value, expected: &Value, at: &str) -> Result<(), Misfit> {
        let Some(schema) = self.resolved(schema).and_then(Value::as_object) else {
            return Ok(());
        };
        if let Some(arms) = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(*word)) {
            return self.some_may(arms, expected, at);
        }
        match expected {
            Value::Null => Ok(()),
            Value::Object(_) | Value::Array(_) if is_listed(schema) => one_of(schema, expected, at),
            Value::Object(fields) => self.fields(schema, fields, at),
            Value::Array(items) => self.items(schema, items, at),
            leaf => fits(schema, leaf, at),
        }
    }

    /// Of several forms one is enough.
    fn some_may(&self, arms: &Value, expected: &Value, at: &str) -> Result<(), Misfit> {
        let arms = arms.as_array().into_iter().flatten();
        let mut held = arms.map(|arm| self.may_hold(arm, expected, at));
        match held.any(|held| held.is_ok()) {
            true => Ok(()),
            false => Err(Misfit::at(at, "no form of the output has this")),
        }
    }

    fn fields(
        &self,
        schema: &Map<String, Value>,
        expected: &Map<String, Value>,
        at: &str,
    ) -> Result<(), Misfit> {
        is_of(schema, "object", at)?;
        let known = schema.get("properties").and_then(Value::as_object);
        let more = schema.get("additionalProperties");
        let closed = more == Some(&Value::Bool(false)) && !schema.contains_key("patternProperties");
        for (name, expected) in expected {
            let at = format!("{at}.{name}");
            match known.and_then(|known| known.get(name)) {
                Some(schema) => self.may_hold(schema, expected, &at)?,
                None if closed => {
                    let names = known.into_iter().flatten().map(|(name, _)| &**name);
                    let names = names.collect::<Vec<_>>().join(", ");
                    let reason = format!("the output has no such field; it has {names}");
                    return Err(Misfit::at(&at, reason));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn items(
        &self,
        schema: &Map<String, Value>,
        expected: &[Value],
        at: &str,
    ) -> Result<(), Misfit> {
        is_of(schema, "array", at)?;
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let first = first.map_or(&[][..], |first| first);
        for (number, expected) in expected.iter().enumerate() {
            let schema = first.get(number).or_else(|| schema.get("items"));
            if let Some(schema) = schema {
                self.may_hold(schema, expected, &format!("{at}.{number}"))?;
            }
        }
        Ok(())
    }

    /// What a schema refers to; nothing where that is not within it.
    fn resolved<'a>(&'a self, mut schema: &'a Value) -> Option<&'a Value> {
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = schema.get("$ref") else {
                return Some(schema);
            };
            schema = self.root.pointer(reference.as_str()?.strip_prefix('#')?)?;
        }
        None
    }
}

fn is_listed(schema: &Map<String, Value>) -> bool {
    schema.contains_key("const") || schema.contains_key("enum")
}

/// Of values that are written out, one has to hold what is expected.
fn one_of(schema: &Map<String, Value>, expected: &Value, at: &str) -> Result<(), Misfit> {
    let listed = schema.get("enum").and_then(Value::as_array);
    let mut all = schema
        .get("const")
        .into_iter()
        .chain(listed.into_iter().flatten());
    match all.any(|value| holds(expected, value)) {
        true => Ok(()),
        false => Err(Misfit::at(at, "the output has other values here")),
    }
}

fn is_of(schema: &Map<String, Value>, kind: &str, at: &str) -> Result<(), Misfit> {
    let is_kind = match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(some)) => some.iter().any(|one| one == kind),
        _ => true,
    };
    match is_kind {
        true => Ok(()),
        false => Err(Misfit::at(at, format!("the output is no {kind} here"))),
    }
}

/// A text, a number or a boolean; where the schema needs the rest of it to be understood, it is not judged.
fn fits(schema: &Map<String, Value>, leaf: &Value, at: &str) -> Result<(), Misfit> {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let Ok(validator) = options.build(&Value::Object(schema.clone())) else {
        return Ok(());
    };
    let fits = validator.validate(leaf);
    fits.map_err(|error| Misfit::at(at, error))
}
