//! What the model reads.

use crate::{AiError, Backend, Definition, Schema};
use aigen_api::openai::{Message, Role, Tokenize};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// What a function was called with.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    all: Vec<Argument>,
    context: String,
}

#[derive(Clone, Debug)]
struct Argument {
    name: &'static str,
    description: &'static str,
    value: Result<Value, String>,
}

impl Arguments {
    /// One more.
    #[must_use]
    pub fn with<V>(mut self, name: &'static str, description: &'static str, value: &V) -> Self
    where
        V: Serialize + ?Sized,
    {
        let value = serde_json::to_value(value).map_err(|error| error.to_string());
        self.all.push(Argument {
            name,
            description,
            value,
        });
        self
    }

    /// What the model should know beside.
    #[must_use]
    pub fn context(mut self, context: impl ToString) -> Self {
        self.context = context.to_string();
        self
    }

    /// A single text stands as it is; several arguments stand under their names.
    fn text(&self) -> Result<String, AiError> {
        if let [
            Argument {
                value: Ok(value), ..
            },
        ] = &self.all[..]
        {
            return Ok(shown(value));
        }
        let mut text = String::new();
        for Argument { name, value, .. } in &self.all {
            let value = value.as_ref().map_err(|why| AiError::Argument {
                name,
                why: why.clone(),
            })?;
            // Writing to a String cannot fail.
            let _ = write!(text, "{name}:\n{}\n\n", shown(value));
        }
        Ok(text.trim_end().to_owned())
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The messages of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What the function does, what its parameters are, and what an answer looks like.
    pub system: String,
    /// The arguments.
    pub user: String,
}

impl Prompt {
    pub(crate) fn new(
        definition: &Definition,
        arguments: &Arguments,
        schema: &Schema,
    ) -> Result<Self, AiError> {
        let mut system = definition.instruction.to_owned();
        let described = |argument: &&Argument| !argument.description.is_empty();
        for argument in arguments.all.iter().filter(described) {
            let _ = write!(system, "\n`{}` is {}.", argument.name, argument.description);
        }
        if !arguments.context.is_empty() {
            let _ = write!(system, "\n\n{}", arguments.context);
        }
        let _ = write!(system, "\n\nAnswer in JSON of this schema:\n{schema}");
        let user = arguments.text()?;
        Ok(Self { system, user })
    }

    /// The tokens of the messages, as this model's own template and tokenizer make them.
    ///
    /// # Errors
    /// If the server does not say: another server than AiGen's, or a model that is computed
    /// elsewhere, whose tokens nobody sees.
    pub async fn tokens(&self, on: &dyn Backend, model: &str) -> Result<u64, AiError> {
        let asked = Tokenize {
            model: model.to_owned(),
            messages: Some(self.messages()),
            ..Tokenize::default()
        };
        Ok(on.tokens(&asked).await?.count)
    }

    /// In OpenAI's form.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        vec![
            Message::new(Role::System, self.system.as_str()),
            Message::new(Role::User, self.user.as_str()),
        ]
    }
}
