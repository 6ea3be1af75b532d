//! Functions among the controllers: which a name means, and what a model is asked for a call of one.

use crate::complete::{CompletionRequest, Prompt};
use crate::error::NodeError;
use crate::node::Node;
use crate::steering::{Steering, asked};
use aigen_engine::{ChatMessage, Role};
use aigen_functions::{Function, Misfit, Wording};
use aigen_jarvis::CompileError;
use aigen_network::{Controller, ControllerKind, NewController, Standing};
use aigen_types::Digest;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

/// Functions that are kept read: a call needs one three times, and most nodes serve few.
const KEPT_MAX: usize = 256;

/// Functions that were read, by their digest.
#[derive(Debug, Default)]
pub(crate) struct Functions(Mutex<HashMap<Digest, Arc<Function>>>);

impl Functions {
    fn read(&self, digest: Digest, source: &str) -> Result<Arc<Function>, NodeError> {
        // Every change is whole before the lock is given back.
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = kept().get(&digest) {
            return Ok(Arc::clone(function));
        }
        let function = Arc::new(Function::read(source).map_err(wrong)?);
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(digest, Arc::clone(&function));
        Ok(function)
    }
}

/// A function, and the input that it is called with.
type Called = (Arc<Function>, Map<String, Value>);

impl Node {
    /// The function that a name, a range or a digest means now.
    ///
    /// # Errors
    /// If it means none.
    pub fn function(&self, name: &str) -> Result<(Digest, Arc<Function>), NodeError> {
        let unknown = || NodeError::FunctionUnknown(name.to_owned());
        let (digest, known) = self.find_controller(name).map_err(|_| unknown())?;
        match known.published.kind {
            ControllerKind::Function => Ok((digest, self.read_function(digest, &known)?)),
            _ => Err(unknown()),
        }
    }

    /// Of every function the version that its name alone means, in the order of names, if any
    /// version of it may still be called.
    #[must_use]
    pub fn functions(&self) -> Vec<(Digest, Controller, Arc<Function>)> {
        let network = self.network();
        let functions = network.controllers().filter(|(_, known)| {
            known.published.kind == ControllerKind::Function && known.published.listed
        });
        let mut names: Vec<_> = functions
            .map(|(_, known)| known.published.reference.controller())
            .collect();
        names.sort();
        names.dedup();
        let newest = names.into_iter().filter_map(|name| {
            let digest = network.resolve_controller(&name.to_string().parse().ok()?)?;
            let known = network.controller(digest)?.clone();
            let usable = network.stated(digest).standing != Standing::Yanked;
            usable.then_some((digest, known))
        });
        let newest: Vec<_> = newest.collect();
        drop(network);
        let read = newest.into_iter().filter_map(|(digest, known)| {
            let is_function = known.published.kind == ControllerKind::Function;
            let function = self.read_function(digest, &known).ok()?;
            is_function.then_some((digest, known, function))
        });
        read.collect()
    }

    pub(crate) fn read_function(
        &self,
        digest: Digest,
        known: &Controller,
    ) -> Result<Arc<Function>, NodeError> {
        self.0.functions.read(digest, &known.published.source)
    }

    /// Checks that a function can work at all: every model that is steered here compiles its
    /// answer's schema.
    pub(crate) fn check_function(&self, new: &NewController) -> Result<(), NodeError> {
        let function = Function::parse(&new.source).map_err(wrong)?;
        let models = self.models();
        let embedded = models.values().filter_map(|served| served.embedded());
        embedded.into_iter().try_for_each(|served| {
            let compiled = served
                .compiler
                .json_schema(function.output(), Default::default());
            compiled.map(drop).map_err(unenforced)
        })
    }

    /// The request as a model is asked it: by a function in the function's words, and for no more
    /// than its answer may have.
    pub(crate) fn worded(
        &self,
        mut request: CompletionRequest,
    ) -> Result<CompletionRequest, NodeError> {
        let Some((function, params)) = self.called(&request.steering)? else {
            return Ok(request);
        };
        for prompt in [&mut request.prompt].into_iter().chain(&mut request.others) {
            *prompt = word(&function, &params, prompt)?;
        }
        let most = function.max_tokens;
        request.max_tokens = Some(request.max_tokens.map_or(most, |asked| asked.min(most)));
        Ok(request)
    }

    /// See [`Node::worded`]: the prompt alone.
    pub(crate) fn worded_prompt<'a>(
        &self,
        steering: &Steering,
        prompt: &'a Prompt,
    ) -> Result<Cow<'a, Prompt>, NodeError> {
        match self.called(steering)? {
            None => Ok(Cow::Borrowed(prompt)),
            Some((function, params)) => Ok(Cow::Owned(word(&function, &params, prompt)?)),
        }
    }

    /// The function that steers, if one does, and what the request gives it. What is no function,
    /// or unknown, is somebody else's to refuse.
    fn called(&self, steering: &Steering) -> Result<Option<Called>, NodeError> {
        let Steering::Controller { name, params } = steering else {
            return Ok(None);
        };
        match self.function(name) {
            Ok((_, function)) => Ok(Some((function, params.clone()))),
            Err(NodeError::FunctionUnknown(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The input is what the request gives the controller, or else what was asked last.
fn word(
    function: &Function,
    params: &Map<String, Value>,
    prompt: &Prompt,
) -> Result<Prompt, NodeError> {
    let input = match params.is_empty() {
        true if matches!(prompt, Prompt::Tokens(_)) => Err(Misfit {
            path: "prompt".to_owned(),
            reason: "a function takes a text, and no tokens".to_owned(),
        }),
        true => function.input_of(asked(prompt)),
        false => {
            let input = Value::Object(params.clone());
            function.check_input(&input).map(|()| input)
        }
    };
    let input = input.map_err(|Misfit { path, reason }| NodeError::Input { path, reason })?;
    let Wording { system, user } = function.word(&input).map_err(wrong)?;
    let said = |role, content| ChatMessage { role, content };
    let mut messages = vec![said(Role::System, system), said(Role::User, user)];
    messages.retain(|message| !message.content.is_empty());
    Ok(Prompt::Chat(messages))
}

/// What its author can correct is the function, and no controller or parameter.
fn wrong(error: impl Display) -> NodeError {
    NodeError::Steering(format!("{error}; hint: correct the function's source"))
}

fn unenforced(mut error: CompileError) -> NodeError {
    let own = || "correct the schema of the function's output".to_owned();
    error.hint.get_or_insert_with(own);
    NodeError::Steering(format!("the function: output: {error}"))
}
