//! Controllers on models that other servers answer for: one segment, held to a schema at most.

use super::{Steering, holes, param};
use crate::error::NodeError;
use crate::manifest::Abilities;
use crate::node::Node;
use crate::outside::Behalf;
use aigen_engine::ControlLevel;
use aigen_jarvis::{Bytes, Compiler, Program, schema_of};
use aigen_jarvis_host::Settings;
use aigen_network::{ControllerKind, Refusal};
use aigen_types::{Digest, ModelName};
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

/// What steers a request to a model elsewhere.
#[derive(Default)]
pub(crate) struct Bounded {
    /// The published version, if it is one.
    pub controller: Option<Digest>,
    /// What the whole answer must satisfy.
    pub schema: Option<Arc<Value>>,
    /// A program that steers it, a segment at a time.
    pub program: Option<Program>,
}

impl Bounded {
    fn by(schema: Value) -> Self {
        Self {
            controller: None,
            schema: Some(Arc::new(schema)),
            program: None,
        }
    }
}

impl Node {
    /// As [`Node::steer`], where tokens are out of reach. What would need them is refused.
    pub(crate) fn steer_remote(
        &self,
        model: &ModelName,
        control: ControlLevel,
        steering: &Steering,
        behalf: Behalf,
    ) -> Result<Bounded, NodeError> {
        match steering {
            Steering::Free => Ok(Bounded::default()),
            Steering::JsonObject => Ok(Bounded::by(json!({ "type": "object" }))),
            Steering::JsonSchema(schema) => Ok(Bounded::by(schema.clone())),
            Steering::Tools(_) => Err(NodeError::Unsupported {
                param: "tools",
                model: model.clone(),
                reason: "it is computed elsewhere, where no call's arguments can be guaranteed",
            }),
            Steering::Controller { name, params } => match name.as_str() {
                "json-schema" => Ok(Bounded::by(param(name, params, "schema")?.clone())),
                "regex" | "lark" | "choice" | "quote" => Err(needs_tokens(name, model)),
                _ => self.published_remote(model, control, name, params, behalf),
            },
        }
    }

    fn published_remote(
        &self,
        model: &ModelName,
        control: ControlLevel,
        name: &str,
        params: &Map<String, Value>,
        behalf: Behalf,
    ) -> Result<Bounded, NodeError> {
        let (digest, controller) = self.find_controller(name)?;
        let abilities = Abilities {
            name: model.as_str(),
            control,
            backtrack: false,
            branches: 1,
        };
        let release = self.check_manifest(digest, &abilities, params)?;
        let published = &controller.published;
        if published.kind == ControllerKind::Wasm {
            let (content, manifest) = release.ok_or(Refusal::SignatureMissing)?;
            let outside =
                self.outside(&published.reference, &manifest.permissions, Some(behalf))?;
            let settings = Settings {
                outside,
                ..manifest.settings()
            };
            let component = self.components()?.find(content)?;
            return Ok(Bounded {
                controller: Some(digest),
                schema: None,
                program: Some(component.program(of_bytes()?, settings)),
            });
        }
        let schema = match published.kind {
            ControllerKind::Grammar => schema_of(&published.source, &holes(params)?)?,
            ControllerKind::Script | ControllerKind::Wasm => None,
        };
        match schema {
            Some(schema) => Ok(Bounded {
                controller: Some(digest),
                ..Bounded::by(schema)
            }),
            None => Err(needs_tokens(name, model)),
        }
    }
}

/// Compiles grammars for models whose vocabulary is not seen.
fn of_bytes() -> Result<Arc<Compiler>, NodeError> {
    static COMPILER: OnceLock<Arc<Compiler>> = OnceLock::new();
    if let Some(compiler) = COMPILER.get() {
        return Ok(Arc::clone(compiler));
    }
    let compiler = Arc::new(Compiler::new(Arc::new(Bytes::default()))?);
    Ok(Arc::clone(COMPILER.get_or_init(|| compiler)))
}

fn needs_tokens(controller: &str, model: &ModelName) -> NodeError {
    NodeError::Steering(format!(
        "controller `{controller}` decides about tokens, and `{model}` is computed elsewhere, where an answer can be held to a schema at most"
    ))
}
