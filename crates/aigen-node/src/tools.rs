//! Functions that a model may call: what it is told of them, and what it may say.

use crate::complete::Prompt;
use aigen_engine::text::{TextFunction, TextTools};
use aigen_engine::{ChatMessage, Role};
use aigen_jarvis::{Function, ToolGrammar};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a request offers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ToolUse {
    /// The functions, in the caller's order; at least one that may be called.
    pub tools: Vec<Tool>,
    /// Whether something has to be called.
    pub required: bool,
    /// Whether there may be several calls in one answer.
    pub parallel: bool,
    /// The schema of an answer that calls nothing.
    pub answer: Option<Value>,
}

/// One function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tool {
    /// Letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// A JSON Schema of its arguments.
    pub parameters: Value,
    /// Whether a schema that cannot be enforced as a whole is refused.
    pub strict: bool,
    /// Whether it may be called in this answer; the model is told of all.
    pub callable: bool,
}

impl ToolUse {
    pub(crate) fn grammar(&self) -> ToolGrammar {
        let callable = self.tools.iter().filter(|tool| tool.callable);
        ToolGrammar {
            functions: callable.map(Tool::function).collect(),
            required: self.required,
            parallel: self.parallel,
            answer: self.answer.clone(),
        }
    }

    /// As an upstream is offered them: those that may be called.
    pub(crate) fn elsewhere(&self) -> TextTools {
        let callable = self.tools.iter().filter(|tool| tool.callable);
        TextTools {
            functions: callable.map(Tool::elsewhere).collect(),
            required: self.required,
            parallel: self.parallel,
        }
    }

    /// The conversation with the functions described in its instructions.
    pub(crate) fn introduce(&self, prompt: &Prompt) -> Prompt {
        let Prompt::Chat(messages) = prompt else {
            return prompt.clone();
        };
        let mut messages = messages.clone();
        match messages.first_mut() {
            Some(first) if first.role == Role::System => {
                first.content = format!("{}\n\n{}", first.content, self.description());
            }
            _ => messages.insert(0, ChatMessage::new(Role::System, self.description())),
        }
        Prompt::Chat(messages)
    }

    fn description(&self) -> String {
        let tools: Vec<_> = self.tools.iter().map(Tool::declaration).collect();
        format!(
            "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n\
             You are provided with function signatures within <tools></tools> XML tags:\n\
             <tools>\n{}\n</tools>\n\n\
             For each function call, return a json object with function name and arguments \
             within <tool_call></tool_call> XML tags:\n\
             <tool_call>\n{{\"name\": <function-name>, \"arguments\": <args-json-object>}}\n</tool_call>",
            tools.join("\n")
        )
    }
}

impl Tool {
    fn function(&self) -> Function {
        Function {
            name: self.name.clone(),
            parameters: self.parameters.clone(),
            strict: self.strict,
        }
    }

    fn elsewhere(&self) -> TextFunction {
        TextFunction {
            name: self.name.clone(),
            description: self.description.clone(),
            parameters: self.parameters.clone(),
            strict: self.strict,
        }
    }

    fn declaration(&self) -> String {
        let function = json!({
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        });
        json!({"type": "function", "function": function}).to_string()
    }
}

/// What a function answered, as a model is told of it.
#[must_use]
pub fn result_text(result: &str) -> String {
    format!("<tool_response>\n{result}\n</tool_response>")
}
