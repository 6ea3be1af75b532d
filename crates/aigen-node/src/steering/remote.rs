//! Controllers on models that other servers answer for: one segment of each branch, held to a schema at most.

use super::{Steering, holes, in_a_hole, must_take, param};
use crate::error::NodeError;
use crate::manifest::Abilities;
use crate::node::Node;
use crate::outside::Behalf;
use crate::tools::ToolUse;
use aigen_engine::text::{TextInfo, TextTools};
use aigen_jarvis::limits::BRANCHES_MAX;
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
    /// Functions that it may call.
    pub tools: Option<Arc<TextTools>>,
}

impl Bounded {
    fn by(schema: Value) -> Self {
        Self {
            controller: None,
            schema: Some(Arc::new(schema)),
            program: None,
            tools: None,
        }
    }
}

impl Node {
    /// As [`Node::steer`], where tokens are out of reach. What would need them is refused.
    pub(crate) fn steer_remote(
        &self,
        model: &ModelName,
        info: &TextInfo,
        steering: &Steering,
        behalf: Behalf,
    ) -> Result<Bounded, NodeError> {
        match steering {
            Steering::Free => Ok(Bounded::default()),
            Steering::JsonObject => Ok(Bounded::by(json!({ "type": "object" }))),
            Steering::JsonSchema(schema) => Ok(Bounded::by(schema.clone())),
            Steering::Tools(tools) => offered(model, info.tools, tools),
            Steering::Controller { name, params } => match name.as_str() {
                "json-schema" => {
                    must_take(name, &["schema"], params)?;
                    Ok(Bounded::by(param(name, params, "schema")?.clone()))
                }
                "regex" | "lark" | "choice" | "quote" => Err(needs_tokens(name, model)),
                _ => self.published_remote(model, info, name, params, behalf),
            },
        }
    }

    fn published_remote(
        &self,
        model: &ModelName,
        info: &TextInfo,
        name: &str,
        params: &Map<String, Value>,
        behalf: Behalf,
    ) -> Result<Bounded, NodeError> {
        let (digest, controller) = self.find_controller(name)?;
        let abilities = Abilities {
            name: model.as_str(),
            control: info.control,
            backtrack: false,
            branches: BRANCHES_MAX,
            probabilities: info.probabilities,
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
                tools: None,
                program: Some(component.program(of_bytes()?, settings)),
            });
        }
        let schema = match published.kind {
            ControllerKind::Grammar => {
                schema_of(&published.source, &holes(params)?).map_err(in_a_hole)?
            }
            ControllerKind::Function => {
                let function = self.read_function(digest, &controller)?;
                Some(function.output().clone())
            }
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

/// Functions, as an upstream is offered them.
fn offered(model: &ModelName, taken: bool, tools: &ToolUse) -> Result<Bounded, NodeError> {
    let refuse = |reason| NodeError::Unsupported {
        param: "tools",
        model: model.clone(),
        reason,
    };
    if !taken {
        return Err(refuse(
            "it is computed elsewhere, and the operator does not say that tools are taken there",
        ));
    }
    if tools.answer.is_some() {
        return Err(refuse(
            "it is computed elsewhere, where an answer is held to `tools` or to `response_format`",
        ));
    }
    Ok(Bounded {
        tools: Some(Arc::new(tools.elsewhere())),
        ..Bounded::default()
    })
}
