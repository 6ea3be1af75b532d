mod remote;

use crate::complete::Prompt;
use crate::components::Components;
use crate::error::NodeError;
use crate::manifest::{Abilities, Manifest, must_be_a_line};
use crate::node::Node;
use crate::outside::Behalf;
use crate::served::Embedded;
use crate::tools::ToolUse;
use aigen_engine::{ModelInfo, Role};
use aigen_jarvis::{CompileError, Compiler, Hole, JsonOptions, Program};
use aigen_jarvis_host::Settings;
use aigen_network::{
    Controller, ControllerKind, NewController, NewRelease, Refusal, content_digest, script_key,
};
use aigen_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What steers a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Steering {
    /// Nothing: the model alone.
    #[default]
    Free,
    /// Any JSON object.
    JsonObject,
    /// JSON that satisfies a schema.
    JsonSchema(Value),
    /// Calls of functions, where the model wants to or has to.
    Tools(ToolUse),
    /// A controller: built in by name (`regex`), published (`owner/name@1.0.0`), or any
    /// version by its digest.
    Controller {
        /// Its name.
        name: String,
        /// What the request gives it.
        params: Map<String, Value>,
    },
}

/// A resolved controller.
pub(crate) struct Steered {
    /// The published version, if it is one: what escrow and scores follow.
    pub controller: Option<Digest>,
    pub program: Program,
    /// Tokens of a prompt of its own, at most; 0 where that is no longer than the request's.
    pub prompt_tokens: u64,
}

impl Steered {
    fn built_in(program: Program) -> Self {
        Self {
            controller: None,
            program,
            prompt_tokens: 0,
        }
    }
}

impl Steering {
    /// What the model is asked, with what it has to be told of its steering.
    pub(crate) fn introduce<'a>(&self, prompt: &'a Prompt) -> Cow<'a, Prompt> {
        match self {
            Self::Tools(tools) => Cow::Owned(tools.introduce(prompt)),
            _ => Cow::Borrowed(prompt),
        }
    }
}

impl Node {
    /// What steers a request; on nobody's `behalf`, it asks nobody outside.
    pub(crate) fn steer(
        &self,
        served: &Embedded,
        steering: &Steering,
        prompt: &Prompt,
        behalf: Option<Behalf>,
    ) -> Result<Steered, NodeError> {
        let compiler = &served.compiler;
        match steering {
            Steering::Free => Ok(Steered::built_in(Program::free())),
            Steering::JsonObject => {
                let any_object = serde_json::json!({ "type": "object" });
                Ok(Steered::built_in(json_schema(compiler, &any_object)?))
            }
            Steering::JsonSchema(schema) => Ok(Steered::built_in(json_schema(compiler, schema)?)),
            Steering::Tools(tools) => Ok(Steered::built_in(compiler.tools(&tools.grammar())?)),
            Steering::Controller { name, params } => {
                match built_in(compiler, name, params).transpose()? {
                    Some(program) => Ok(Steered::built_in(program)),
                    None => self.published(served, name, params, prompt, behalf),
                }
            }
        }
    }

    fn published(
        &self,
        Embedded {
            engine, compiler, ..
        }: &Embedded,
        name: &str,
        params: &Map<String, Value>,
        prompt: &Prompt,
        behalf: Option<Behalf>,
    ) -> Result<Steered, NodeError> {
        let (digest, controller) = self.find_controller(name)?;
        let release = self.check_manifest(digest, &abilities(engine.info()), params)?;
        let limits = release.as_ref().map(|(_, manifest)| manifest.limits);
        let prompt_tokens = limits.and_then(|limits| limits.prompt_tokens);
        let source = &controller.published.source;
        let program = match controller.published.kind {
            ControllerKind::Grammar => {
                let compiled = compiler.grammar_template(source, &holes(params)?);
                compiled.map_err(in_a_hole)?
            }
            ControllerKind::Script => scripted(source, prompt)?,
            ControllerKind::Function => {
                let function = self.read_function(digest, &controller)?;
                json_schema(compiler, function.output())?
            }
            ControllerKind::Wasm => {
                let (content, manifest) = release.ok_or(Refusal::SignatureMissing)?;
                let reference = &controller.published.reference;
                let outside = self.outside(reference, &manifest.permissions, behalf)?;
                let component = self.components()?.find(content)?;
                let settings = Settings {
                    outside,
                    ..manifest.settings()
                };
                component.program(Arc::clone(compiler), settings)
            }
        };
        Ok(Steered {
            controller: Some(digest),
            program,
            prompt_tokens: prompt_tokens.unwrap_or(0),
        })
    }

    pub(crate) fn find_controller(&self, name: &str) -> Result<(Digest, Controller), NodeError> {
        let network = self.network();
        let by_name = |name: &str| network.resolve_controller(&name.parse().ok()?);
        let digest = name.parse().ok().or_else(|| by_name(name));
        let found = digest.and_then(|digest| Some((digest, network.controller(digest)?.clone())));
        found.ok_or_else(|| NodeError::ControllerUnknown(name.to_owned()))
    }

    /// Checks the call against the manifest of a release, which it gives with the digest of the
    /// content; `None` of what is no release.
    pub(crate) fn check_manifest(
        &self,
        digest: Digest,
        abilities: &Abilities<'_>,
        params: &Map<String, Value>,
    ) -> Result<Option<(Digest, Manifest)>, NodeError> {
        let Some(release) = self.network().release(digest).cloned() else {
            return Ok(None);
        };
        let manifest = Manifest::parse(&release.manifest)?;
        manifest.check_engine(abilities)?;
        manifest.check_params(params)?;
        Ok(Some((release.content, manifest)))
    }

    pub(crate) fn components(&self) -> Result<&Components, NodeError> {
        let missing = || NodeError::Steering("this node runs no WebAssembly components".to_owned());
        self.0.components.get().ok_or_else(missing)
    }

    /// The same of a release: its manifest, too, and the component it comes with. That is kept
    /// when all is well, since the record to come names it.
    pub(crate) fn check_release(
        &self,
        new: &NewRelease,
        component: Option<&[u8]>,
    ) -> Result<(), NodeError> {
        let manifest = Manifest::parse(&new.release.manifest)?;
        let paid = match self.network().founded() {
            Some(found) => found.settings.shares.controller(),
            None => return Err(Refusal::NotFounded.into()),
        };
        manifest.check(new.controller.kind, paid)?;
        must_be_a_line("the description", &new.controller.description)?;
        let ControllerKind::Wasm = new.controller.kind else {
            return self.check_controller(&new.controller);
        };
        // Cheap refusals first: compiling a stranger's code is not.
        self.network().check_release(new)?;
        let bytes = component.ok_or(Refusal::ContentMismatch)?;
        if content_digest(bytes) != new.release.content {
            return Err(Refusal::ContentMismatch.into());
        }
        let components = self.components()?;
        components.check(bytes, &manifest)?;
        components.keep(bytes)
    }

    /// Checks that a controller can work at all before it is published: its source must compile
    /// for every model here once its holes are filled with something.
    pub(crate) fn check_controller(&self, new: &NewController) -> Result<(), NodeError> {
        match new.kind {
            ControllerKind::Script => parse_script(&new.source).map(|_| ()),
            ControllerKind::Function => self.check_function(new),
            // The network refuses it without a manifest.
            ControllerKind::Wasm => Ok(()),
            ControllerKind::Grammar => self
                .models()
                .values()
                .filter_map(|served| served.embedded())
                .try_for_each(|served| Ok(served.compiler.try_template(&new.source)?)),
        }
    }
}

fn abilities(info: &ModelInfo) -> Abilities<'_> {
    Abilities {
        name: &info.name,
        control: info.control,
        backtrack: info.backtrack,
        branches: info.sequences_max,
        probabilities: true,
    }
}

fn json_schema(compiler: &Compiler, schema: &Value) -> Result<Program, CompileError> {
    compiler.json_schema(schema, JsonOptions::default())
}

/// The controllers that need no publishing, and the parameters that each takes, the one that it needs first.
pub(crate) const BUILT_IN: [(&str, &[&str]); 5] = [
    ("json-schema", &["schema"]),
    ("regex", &["pattern"]),
    ("lark", &["grammar"]),
    ("choice", &["options"]),
    ("quote", &["text", "words"]),
];

/// The controllers that need no publishing; `None` if `name` is none of them.
fn built_in(
    compiler: &Compiler,
    name: &str,
    params: &Map<String, Value>,
) -> Option<Result<Program, NodeError>> {
    let (_, taken) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(compile_built_in(compiler, name, taken, params))
}

fn compile_built_in(
    compiler: &Compiler,
    name: &str,
    taken: &[&str],
    params: &Map<String, Value>,
) -> Result<Program, NodeError> {
    must_take(name, taken, params)?;
    let needed = taken[0];
    let value = param(name, params, needed)?;
    let text = || {
        let text = value.as_str();
        text.ok_or_else(|| wrong_param(name, needed, "a text"))
    };
    let compiled = match name {
        "json-schema" => json_schema(compiler, value),
        "regex" => compiler.regex(text()?),
        "lark" => compiler.lark(text()?),
        "quote" => compiler.quote(text()?, words(params)?),
        _ => match Hole::from_json(value) {
            Some(Hole::Options(options)) => compiler.choice(&options),
            _ => return Err(wrong_param(name, needed, "a list of texts")),
        },
    };
    compiled.map_err(|error| NodeError::uncompiled(error, format!("aigen.params.{needed}")))
}

/// A parameter that does nothing was meant to do something.
pub(crate) fn must_take(
    controller: &str,
    taken: &[&str],
    params: &Map<String, Value>,
) -> Result<(), NodeError> {
    match params.keys().find(|key| !taken.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(NodeError::ParameterUnknown {
            path: format!("aigen.params.{unknown}"),
            controller: controller.to_owned(),
            known: taken.join("`, `"),
        }),
    }
}

pub(crate) fn param<'a>(
    controller: &str,
    params: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Value, NodeError> {
    let value = params.get(name);
    value.ok_or_else(|| wrong_param(controller, name, "given"))
}

/// The most words of a quotation.
fn words(params: &Map<String, Value>) -> Result<Option<u32>, NodeError> {
    let Some(value) = params.get("words") else {
        return Ok(None);
    };
    let words = value.as_u64().and_then(|words| u32::try_from(words).ok());
    match words.filter(|words| *words > 0) {
        Some(words) => Ok(Some(words)),
        None => Err(wrong_param("quote", "words", "a number from 1 on")),
    }
}

fn wrong_param(controller: &str, param: &str, must_be: &str) -> NodeError {
    NodeError::Given {
        path: format!("aigen.params.{param}"),
        reason: format!("controller `{controller}`: `aigen.params.{param}` must be {must_be}"),
    }
}

pub(crate) fn holes(params: &Map<String, Value>) -> Result<BTreeMap<String, Hole>, NodeError> {
    params
        .iter()
        .map(|(name, value)| match Hole::from_json(value) {
            Some(hole) => Ok((name.clone(), hole)),
            None => Err(NodeError::Given {
                path: format!("aigen.params.{name}"),
                reason: format!(
                    "`aigen.params.{name}` must be a text, a list of texts or a schema"
                ),
            }),
        })
        .collect()
}

/// A template that does not compile with what its hole is filled with.
pub(crate) fn in_a_hole(error: CompileError) -> NodeError {
    match error.hole().map(|hole| format!("aigen.params.{hole}")) {
        Some(path) => NodeError::uncompiled(error, path),
        None => error.into(),
    }
}

/// A script answers a prompt it knows with its fixed text.
fn scripted(source: &str, prompt: &Prompt) -> Result<Program, NodeError> {
    let key = script_key(asked(prompt));
    match parse_script(source)?.get(&key) {
        Some(answer) => Ok(Program::forced(answer.clone())),
        None => Err(NodeError::Steering(format!(
            "the controller has no answer to this prompt (its key would be {key})"
        ))),
    }
}

/// What was asked last.
pub(crate) fn asked(prompt: &Prompt) -> &str {
    match prompt {
        Prompt::Text(text) => text,
        // Nothing that could be read.
        Prompt::Tokens(_) => "",
        Prompt::Chat(messages) => messages
            .iter()
            .rfind(|message| message.role == Role::User)
            .map_or("", |message| &message.content),
    }
}

fn parse_script(source: &str) -> Result<BTreeMap<String, String>, NodeError> {
    serde_json::from_str(source).map_err(|error| {
        NodeError::Steering(format!(
            "a script is a JSON object from prompt hashes to answers: {error}"
        ))
    })
}
