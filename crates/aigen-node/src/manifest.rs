//! A release's manifest: what its publisher says that it takes, needs and asks for.

use crate::error::NodeError;
use aigen_engine::ControlLevel;
use aigen_network::ControllerKind;
use aigen_types::Ppm;
use jsonschema::{PatternOptions, Validator};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Read from TOML. Unknown fields are refused: they were meant to do something.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One line for people.
    pub description: String,
    /// Under which licence it is published, as SPDX writes it.
    pub licence: String,
    /// JSON Schema of a call's `aigen.params`; anything goes when absent.
    pub parameters: Option<Value>,
    /// What an engine must be able to do.
    #[serde(default)]
    pub requires: Requires,
    /// The part of a call's price that its author counts on, in parts per million.
    pub price_share: Option<u32>,
    /// The evaluation suite that validators should use.
    pub evaluation: Option<String>,
}

/// See [`Manifest::requires`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requires {
    /// How closely it steers.
    pub control: Control,
    /// Whether it takes tokens back.
    pub backtrack: bool,
    /// Whether it forks.
    pub fork: bool,
}

/// What the engine of a model can do.
pub(crate) struct Abilities<'a> {
    /// The model.
    pub name: &'a str,
    pub control: ControlLevel,
    pub backtrack: bool,
    pub fork: bool,
}

/// How closely a controller steers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Every token.
    #[default]
    Token,
    /// A schema for the whole.
    Schema,
    /// Text alone.
    Text,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// Text that is no manifest, and what it asks for that nobody would enforce.
    pub fn parse(text: &str) -> Result<Self, NodeError> {
        let manifest: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        manifest.schema()?;
        Ok(manifest)
    }

    /// Checks what only the network and the kind of controller can say.
    pub(crate) fn check(&self, kind: ControllerKind, paid: Ppm) -> Result<(), NodeError> {
        let plain = kind != ControllerKind::Wasm;
        if plain && (self.requires.backtrack || self.requires.fork) {
            let reason = "a grammar or script neither takes tokens back nor forks";
            return Err(wrong(format!("requires: {reason}")));
        }
        match self.price_share {
            Some(share) if share != paid.parts() => Err(wrong(format!(
                "price_share: this network pays controllers {} ppm of a call, not {share}",
                paid.parts()
            ))),
            _ => Ok(()),
        }
    }

    /// Whether an engine can do what the controller requires.
    pub(crate) fn check_engine(&self, engine: &Abilities<'_>) -> Result<(), NodeError> {
        let control = match self.requires.control {
            Control::Token => ControlLevel::Token,
            Control::Schema => ControlLevel::Schema,
            Control::Text => ControlLevel::Text,
        };
        let lacking = if engine.control < control {
            "does not let every token be steered as closely as that"
        } else if self.requires.backtrack && !engine.backtrack {
            "cannot take tokens back"
        } else if self.requires.fork && !engine.fork {
            "cannot fork"
        } else {
            return Ok(());
        };
        Err(NodeError::Steering(format!(
            "the controller needs what the engine of `{}` {lacking}",
            engine.name
        )))
    }

    /// Whether a call's parameters are what the manifest says it takes.
    pub(crate) fn check_params(&self, params: &Map<String, Value>) -> Result<(), NodeError> {
        let Some(schema) = self.schema()? else {
            return Ok(());
        };
        let params = Value::Object(params.clone());
        schema
            .validate(&params)
            .map_err(|error| NodeError::Parameter {
                path: format!("aigen.params{}", error.instance_path()).replace('/', "."),
                reason: error.to_string(),
            })
    }

    fn schema(&self) -> Result<Option<Validator>, NodeError> {
        let Some(schema) = &self.parameters else {
            return Ok(None);
        };
        // Its patterns are a stranger's: only such as take linear time. Nothing is fetched.
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let compiled = options.build(schema);
        let compiled = compiled.map_err(|error| wrong(format!("parameters: {error}")))?;
        Ok(Some(compiled))
    }
}

fn wrong(reason: String) -> NodeError {
    NodeError::Steering(format!("the manifest: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUIZ: &str = r#"
        description = "Quiz items"
        licence = "MIT"
        price_share = 200000

        [parameters]
        type = "object"
        required = ["lesson"]
        additionalProperties = false
        properties.lesson = { type = "string", minLength = 3 }
        properties.items = { type = "array", items = { type = "integer" } }
    "#;

    fn reason<T: std::fmt::Debug>(result: Result<T, NodeError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn parameters_are_checked_and_the_bad_field_named() {
        let manifest = Manifest::parse(QUIZ).unwrap();
        let check = |params: Value| match manifest.check_params(params.as_object().unwrap()) {
            Ok(()) => "ok".to_owned(),
            Err(NodeError::Parameter { path, .. }) => path,
            Err(other) => panic!("{other}"),
        };
        for (params, expected) in [
            (json!({"lesson": "Kenya"}), "ok"),
            (json!({"lesson": "K"}), "aigen.params.lesson"),
            (json!({"lesson": 5}), "aigen.params.lesson"),
            (json!({}), "aigen.params"),
            (json!({"lesson": "Kenya", "more": 1}), "aigen.params"),
            (
                json!({"lesson": "Kenya", "items": [1, "2"]}),
                "aigen.params.items.1",
            ),
        ] {
            assert_eq!(check(params.clone()), expected, "{params}");
        }
    }

    #[test]
    fn what_nobody_would_enforce_is_refused() {
        for (text, expected) in [
            ("licence = \"MIT\"", "missing field `description`"),
            (&format!("colour = 1\n{QUIZ}"), "unknown field `colour`"),
            (
                "description = \"a\"\nlicence = \"MIT\"\nparameters = { type = \"text\" }",
                "parameters: ",
            ),
            (
                "description = \"a\"\nlicence = \"MIT\"\nparameters = { \"$ref\" = \"http://x.test/a\" }",
                "parameters: ",
            ),
        ] {
            let reason = reason(Manifest::parse(text));
            assert!(reason.contains(expected), "{reason}");
        }
        let manifest = Manifest::parse(QUIZ).unwrap();
        let paid = |parts| manifest.check(ControllerKind::Grammar, Ppm::new(parts).unwrap());
        assert!(paid(200_000).is_ok());
        let refused = reason(paid(100_000));
        assert!(refused.contains("pays controllers 100000 ppm"), "{refused}");
        let forking = Manifest::parse(&format!("{QUIZ}\n[requires]\nfork = true")).unwrap();
        let refused = reason(forking.check(ControllerKind::Grammar, Ppm::new(200_000).unwrap()));
        assert!(refused.contains("nor forks"), "{refused}");
    }
}
