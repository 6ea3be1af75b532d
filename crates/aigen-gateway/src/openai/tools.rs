//! What a request says about tools, and conversations in which tools were called.

use crate::failure::Failure;
use crate::limits::{TOOL_NAME_BYTES_MAX, TOOLS_MAX};
use aigen_api::from_json;
use aigen_api::openai::{FunctionCall, FunctionSpec, Message, Role, ToolChoice};
use aigen_node::{ChatMessage, Speaker, Tool, ToolUse, call_text, result_text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The tools of a request, whichever route it came by.
pub(crate) struct Offer {
    pub tools: Vec<FunctionSpec>,
    pub choice: Option<ToolChoice>,
    pub parallel: bool,
}

/// What may be called; `None` where nothing can be.
pub(crate) fn offered(offer: Offer) -> Result<Option<ToolUse>, Failure> {
    let Offer {
        tools,
        choice,
        parallel,
    } = offer;
    let choice = choice.unwrap_or(ToolChoice::Auto);
    if tools.is_empty() {
        return match choice {
            ToolChoice::None | ToolChoice::Auto => Ok(None),
            _ => Err(Failure::invalid("tool_choice", "there are no `tools`")),
        };
    }
    if tools.len() > TOOLS_MAX {
        let reason = format!("takes at most {TOOLS_MAX} tools");
        return Err(Failure::invalid("tools", reason));
    }
    if let Some(at) = named_twice(&tools) {
        let param = format!("tools[{at}].function.name");
        let reason = "a tool before it has this name";
        return Err(Failure::invalid(&param, reason));
    }
    let tools = tools.into_iter().enumerate();
    let mut tools = tools
        .map(|(at, spec)| tool(at, spec))
        .collect::<Result<Vec<_>, _>>()?;
    let required = match &choice {
        ToolChoice::None => return Ok(None),
        ToolChoice::Auto => false,
        ToolChoice::Required => true,
        ToolChoice::Function(name) => {
            only(&mut tools, std::slice::from_ref(name))?;
            true
        }
        ToolChoice::Allowed { names, required } => {
            only(&mut tools, names)?;
            *required
        }
    };
    // A named function is called once: that is what was asked for.
    let named = matches!(choice, ToolChoice::Function(_));
    Ok(Some(ToolUse {
        tools,
        required,
        parallel: parallel && !named,
        answer: None,
    }))
}

/// The first tool whose name another has.
fn named_twice(tools: &[FunctionSpec]) -> Option<usize> {
    let mut names = BTreeSet::new();
    tools.iter().position(|tool| !names.insert(&tool.name))
}

fn only(tools: &mut [Tool], names: &[String]) -> Result<(), Failure> {
    let known = |name: &String| tools.iter().any(|tool| tool.name == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let reason = format!("there is no tool {unknown:?}");
        return Err(Failure::invalid("tool_choice", reason));
    }
    if names.is_empty() {
        return Err(Failure::invalid("tool_choice", "it allows no tool"));
    }
    for tool in tools {
        tool.callable = names.contains(&tool.name);
    }
    Ok(())
}

fn tool(at: usize, spec: FunctionSpec) -> Result<Tool, Failure> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let fits = (1..=TOOL_NAME_BYTES_MAX).contains(&spec.name.len());
    if !fits || !spec.name.chars().all(letter) {
        let param = format!("tools[{at}].function.name");
        let reason = format!("must be 1 to {TOOL_NAME_BYTES_MAX} letters, digits, `_`, `-` or `.`");
        return Err(Failure::invalid(&param, reason));
    }
    let parameters = match &spec.parameters {
        None => json!({"type": "object", "properties": {}, "additionalProperties": false}),
        Some(schema) => from_json::<Value>(schema.as_str().as_bytes()).map_err(|error| {
            Failure::invalid(&format!("tools[{at}].function.parameters"), error)
        })?,
    };
    Ok(Tool {
        name: spec.name,
        description: spec.description,
        parameters,
        strict: spec.strict == Some(true),
        callable: true,
    })
}

/// Messages as a model is told of them. `field` is the list's name in the request.
pub(crate) fn conversation(field: &str, messages: &[Message]) -> Result<Vec<ChatMessage>, Failure> {
    let mut turns: Vec<ChatMessage> = Vec::new();
    let mut before = None;
    for (at, message) in messages.iter().enumerate() {
        let turn = turn(&format!("{field}[{at}]"), message)?;
        // Several results are one turn, and so are a text and the calls after it: most
        // templates want turns to alternate.
        let goes_on = match message.role {
            Role::Tool => before == Some(Role::Tool),
            Role::Assistant => before == Some(Role::Assistant) && message.content.is_none(),
            _ => false,
        };
        match turns.last_mut() {
            Some(last) if goes_on => {
                last.content.push('\n');
                last.content.push_str(&turn.content);
            }
            _ => turns.push(turn),
        }
        before = Some(message.role);
    }
    Ok(turns)
}

fn turn(place: &str, message: &Message) -> Result<ChatMessage, Failure> {
    let content = message.content.as_ref();
    let content = content.map(|content| content.text().into_owned());
    let content = content.or_else(|| message.refusal.clone());
    let mut content = content.unwrap_or_default();
    let speaker = match message.role {
        Role::Developer | Role::System => Speaker::System,
        Role::User => Speaker::User,
        Role::Assistant => Speaker::Assistant,
        Role::Tool => {
            content = result_text(&content);
            Speaker::User
        }
    };
    for (number, call) in message.tool_calls.iter().flatten().enumerate() {
        let param = format!("{place}.tool_calls[{number}]");
        if message.role != Role::Assistant {
            return Err(Failure::invalid(&param, "only an assistant calls tools"));
        }
        if !content.is_empty() {
            content.push('\n');
        }
        content.push_str(&called(&call.function));
    }
    Ok(ChatMessage::new(speaker, content))
}

/// The arguments of a call that was cut off are no JSON: the model is shown them as a text.
fn called(function: &FunctionCall) -> String {
    match from_json::<Value>(function.arguments.as_bytes()) {
        Ok(_) => call_text(&function.name, &function.arguments),
        Err(_) => call_text(&function.name, &json!(function.arguments).to_string()),
    }
}
