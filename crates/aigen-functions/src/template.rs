//! Templates: Jinja, bounded in what they compute and write.

use crate::function::{Function, FunctionError};
use crate::limits::{FUEL_MAX, WORDING_BYTES_MAX};
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::io::{self, Write};

/// What a template sees: the input's fields, those that were not given as `none`; `input`, the
/// whole of it; `description`; and `schema`, of the answer.
pub struct Scope(Value);

impl Scope {
    pub fn new(function: &Function, input: &Value) -> Self {
        let absent = function.fields().map(|name| (name.to_owned(), Value::Null));
        let mut scope: Map<String, Value> = absent.collect();
        let whole = [
            ("description", json!(function.description)),
            ("schema", json!(function.output().to_string())),
            ("input", input.clone()),
        ];
        scope.extend(whole.map(|(name, value)| (name.to_owned(), value)));
        // An input of the same name is what the author means by it.
        scope.extend(input.as_object().cloned().unwrap_or_default());
        Self(Value::Object(scope))
    }

    /// The template with everything filled in. What is filled in is text, and no template.
    pub fn fill(&self, place: &str, template: &str) -> Result<String, FunctionError> {
        let environment = environment();
        let wrong = |error: &minijinja::Error| FunctionError::at(place, told(error));
        let template = environment.template_from_named_str(place, template);
        let template = template.map_err(|error| wrong(&error))?;
        let mut text = Bounded(Vec::new());
        let filled = template.render_captured_to(Serde(&self.0), &mut text);
        filled.map_err(|error| match error.kind() {
            ErrorKind::UndefinedError => self.undefined(place, &template, &error),
            _ => wrong(&error),
        })?;
        String::from_utf8(text.0).map_err(|error| FunctionError::at(place, error))
    }
}

impl Scope {
    /// Which names the template has and the input has not.
    fn undefined(
        &self,
        place: &str,
        template: &minijinja::Template<'_, '_>,
        error: &minijinja::Error,
    ) -> FunctionError {
        let known = |name: &String| self.0.get(name).is_some();
        let names = template.undeclared_variables(false).into_iter();
        let mut unknown: Vec<_> = names.filter(|name| !known(name)).collect();
        unknown.sort_unstable();
        let line = error
            .line()
            .map_or(String::new(), |line| format!("line {line}: "));
        let fields = self.0.as_object().into_iter().flatten();
        let fields: Vec<_> = fields.map(|(name, _)| &**name).collect();
        let reason = match unknown.as_slice() {
            [] => told(error),
            some => format!(
                "{line}there is no `{}`; there are {}",
                some.join("`, `"),
                fields.join(", ")
            ),
        };
        FunctionError::at(place, reason)
    }
}

/// Whether it is a template at all.
pub fn check(place: &str, template: Option<&str>) -> Result<(), FunctionError> {
    let Some(template) = template else {
        return Ok(());
    };
    let environment = environment();
    let read = environment.template_from_named_str(place, template);
    read.map(drop)
        .map_err(|error| FunctionError::at(place, told(&error)))
}

/// An input without a template: a single text as it is, several values under their names.
pub fn plain(input: &Value) -> String {
    let fields: Vec<_> = input.as_object().into_iter().flatten().collect();
    if let [(_, value)] = fields[..] {
        return shown(value);
    }
    let named = fields
        .into_iter()
        .map(|(name, value)| format!("{name}:\n{}", shown(value)));
    named.collect::<Vec<_>>().join("\n\n")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A name that no input has is a mistake, and never silently nothing.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL_MAX));
    environment
}

/// The error and its cause, on one line.
fn told(error: &minijinja::Error) -> String {
    let reason = match error.kind() {
        ErrorKind::OutOfFuel => format!("it computes more than {FUEL_MAX} steps"),
        ErrorKind::WriteFailure => format!("it writes more than {WORDING_BYTES_MAX} bytes"),
        _ => error.to_string(),
    };
    match error.source() {
        Some(cause) => format!("{reason}: {cause}"),
        None => reason,
    }
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > WORDING_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
