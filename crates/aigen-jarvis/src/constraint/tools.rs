//! Calls of functions as a grammar: what a model may say when it is offered tools.
//!
//! A call is written as models of the Hermes and Qwen families were taught to, on every model:
//! one form that a grammar guarantees is worth more than each family's own, guessed.

use serde_json::Value;

use super::{CompileError, JsonOptions, source};

/// What a call begins with.
pub(crate) const CALL_BEGIN: &str = "<tool_call>";
/// What it ends with.
pub(crate) const CALL_END: &str = "</tool_call>";
/// Between the beginning and the function's name.
pub(crate) const HEAD: &str = "\n{\"name\": \"";
/// Between the name and the arguments.
pub(crate) const ARGUMENTS: &str = "\", \"arguments\": ";
/// Between the arguments and the end.
pub(crate) const TAIL: &str = "}\n";

/// What a model may say: text, calls of functions, or both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolGrammar {
    /// What may be called; at least one.
    pub functions: Vec<Function>,
    /// Whether something has to be called.
    pub required: bool,
    /// Whether there may be several calls.
    pub parallel: bool,
    /// The schema of an answer that calls nothing; any text where `None`.
    pub answer: Option<Value>,
}

/// A function and the arguments it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// A JSON Schema of an object.
    pub parameters: Value,
    /// Whether a schema that cannot be enforced as a whole is refused.
    pub strict: bool,
}

impl ToolGrammar {
    /// Every schema of it, under what its place is called.
    pub(super) fn schemas(&self) -> impl Iterator<Item = (String, &Value)> {
        let answer = self.answer.iter();
        let answer = answer.map(|schema| ("the answer's schema".to_owned(), schema));
        let functions = self.functions.iter().map(|function| {
            let name = format!("parameters of `{}`", function.name);
            (name, &function.parameters)
        });
        answer.chain(functions)
    }

    /// As Lark.
    pub(super) fn lark(&self) -> Result<String, CompileError> {
        let calls = self.functions.iter().map(call);
        let calls = calls.collect::<Result<Vec<_>, _>>()?.join(" | ");
        let more = match self.parallel {
            true => format!(" ({} call)*", source::text(&format!("\n{CALL_BEGIN}"))),
            false => String::new(),
        };
        let begin = source::text(CALL_BEGIN);
        let start = match (&self.answer, self.required) {
            (_, true) => format!("start: {begin} calls"),
            (Some(schema), false) => {
                let schema = source::schema(schema, JsonOptions::default())?;
                format!("start: answer | {begin} calls\nanswer: %json {schema}")
            }
            // The beginning of a call ends the text, wherever it is.
            (None, false) => format!(
                "start: TEXT? | lead calls\nTEXT: /(?s:.+)/\nlead[lazy]: /(?s:.*){CALL_BEGIN}/"
            ),
        };
        Ok(format!("{start}\ncalls: call{more}\ncall: {calls}\n"))
    }
}

fn call(function: &Function) -> Result<String, CompileError> {
    let Function {
        name,
        parameters,
        strict,
    } = function;
    let options = JsonOptions {
        lenient: !strict,
        ..JsonOptions::default()
    };
    let schema = source::schema(parameters, options)?;
    let head = source::text(&format!("{HEAD}{name}{ARGUMENTS}"));
    let tail = source::text(&format!("{TAIL}{CALL_END}"));
    Ok(format!("{head} %json {schema} {tail}"))
}

/// A call as a model says it.
#[must_use]
pub fn call_text(name: &str, arguments: &str) -> String {
    format!("{CALL_BEGIN}{HEAD}{name}{ARGUMENTS}{arguments}{TAIL}{CALL_END}")
}
