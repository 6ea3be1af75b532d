use super::wording::Messages;
use crate::extract::Post;
use crate::failure::Failure;
use crate::functions::addressed;
use crate::openai::answer::{Ask, by, complete, served, unsteered};
use crate::openai::models::may_ask;
use crate::openai::steering::{datasets, sampling, steering};
use crate::openai::tools::{Offer, conversation, offered};
use crate::openai::wording::Wording;
use crate::state::Gateway;
use aigen_api::anthropic::{
    Blocks, ContentBlock, MessagesRequest, MessagesToolChoice, TokenCount, Turn, TurnRole,
};
use aigen_api::openai::{Content, Message, Role, ToolCall};
use aigen_node::{Prompt, Steering};
use axum::Json;
use axum::extract::State;
use axum::response::Response;

pub(super) const ROUTE: &str = "/v1/messages";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    mut post: Post<Box<MessagesRequest>>,
) -> Result<Response, Failure> {
    if post.body.max_tokens.is_none() {
        return Err(Failure::invalid("max_tokens", "it is missing"));
    }
    post.body.check()?;
    refuse_unsupported(&post.body)?;
    addressed(&gateway, &mut *post.body)?;
    let request = &post.body;
    let asked = request.sampling();
    let ask = Box::new(Ask {
        choices: 1,
        model: request.model.clone(),
        prompt: prompt(request)?,
        others: Vec::new(),
        max_tokens: asked.max_tokens,
        sampling: sampling(&asked),
        stops: asked.stop.clone(),
        top_logprobs: None,
        steering: steered(request)?,
        parties: post.parties.with(request.aigen.as_ref())?,
        max_cost: request.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        stream: request.stream == Some(true),
        retract: request.aigen.as_ref().is_some_and(|aigen| aigen.retract),
        trace: request.aigen.as_ref().is_some_and(|aigen| aigen.trace),
        replay: request.aigen.as_ref().is_some_and(|aigen| aigen.replay),
        datasets: datasets(request.aigen.as_ref())?,
        wording: Messages::new(&asked.stop),
    });
    complete(&gateway, &post, ask).await
}

/// What a request would have as its prompt. Nothing is charged.
pub(super) async fn count_tokens(
    State(gateway): State<Gateway>,
    mut post: Post<Box<MessagesRequest>>,
) -> Result<Json<TokenCount>, Failure> {
    post.body.check()?;
    refuse_unsupported(&post.body)?;
    addressed(&gateway, &mut *post.body)?;
    let request = &post.body;
    let (model, _) = served(&gateway, &request.model)?;
    may_ask(&gateway, &post.caller, &model)?;
    let (prompt, steering) = (prompt(request)?, steered(request)?);
    let passages = datasets(request.aigen.as_ref())?;
    let steered = by(&steering, Messages::SCHEMA);
    let counted = gateway
        .node
        .prompt_tokens(&post.caller, model, prompt, steering, passages);
    let tokens = counted
        .await
        .map_err(|error| unsteered(error, steered, &post.caller.account))?;
    let input_tokens = tokens.len() as u64;
    Ok(Json(TokenCount { input_tokens }))
}

/// What would change the answer and cannot here is refused by name.
fn refuse_unsupported(request: &MessagesRequest) -> Result<(), Failure> {
    let empty = |value: &serde_json::Value| value.is_null() || *value == serde_json::json!([]);
    for (param, value) in [
        ("mcp_servers", &request.mcp_servers),
        ("container", &request.container),
        ("context_management", &request.context_management),
    ] {
        if value.as_ref().is_some_and(|value| !empty(value)) {
            return Err(Failure::unsupported(param, "leave it out"));
        }
    }
    let own = |kind: &Option<String>| kind.as_deref().is_none_or(|kind| kind == "custom");
    match request.tools.iter().position(|tool| !own(&tool.kind)) {
        Some(at) => {
            let param = format!("tools[{at}].type");
            Err(Failure::unsupported(&param, "offer tools of type `custom`"))
        }
        None => Ok(()),
    }
}

fn steered(request: &MessagesRequest) -> Result<Steering, Failure> {
    let choice = request.tool_choice.as_ref();
    let single = choice.is_some_and(|choice| choice.disable_parallel_tool_use);
    let offer = Offer {
        tools: request.tools.iter().map(|tool| tool.function()).collect(),
        choice: choice.map(MessagesToolChoice::choice).transpose()?,
        parallel: !single,
    };
    let config = request.output_config.as_ref();
    let format = config.and_then(|config| config.format.as_ref());
    let format = format.or(request.output_format.as_ref());
    let format = format.map(|format| format.response_format()).transpose()?;
    steering(request.aigen.as_ref(), format.as_ref(), offered(offer)?)
}

fn prompt(request: &MessagesRequest) -> Result<Prompt, Failure> {
    let mut messages = Vec::new();
    if let Some(system) = &request.system {
        messages.push(Message::new(Role::System, texts("system", system)?));
    }
    for (at, turn) in request.messages.iter().enumerate() {
        add(&mut messages, &format!("messages[{at}].content"), turn)?;
    }
    conversation("messages", &messages).map(Prompt::Chat)
}

/// A turn as the messages that OpenAI would make of it: results of tools are messages of
/// their own, and come first.
fn add(messages: &mut Vec<Message>, place: &str, turn: &Turn) -> Result<(), Failure> {
    let role = match turn.role {
        TurnRole::System => Role::System,
        TurnRole::User => Role::User,
        TurnRole::Assistant => Role::Assistant,
    };
    let (mut text, mut calls) = (String::new(), Vec::new());
    for (at, block) in turn.content.0.iter().enumerate() {
        let place = format!("{place}[{at}]");
        match block.kind.as_str() {
            "text" => text.push_str(block.text.as_deref().unwrap_or_default()),
            "tool_use" => calls.push(called(&place, block)?),
            "tool_result" => messages.push(result(&place, block)?),
            // What another model thought is nothing that this one could use.
            "thinking" | "redacted_thinking" => {}
            _ => return Err(foreign(&place)),
        }
    }
    let calls = Some(calls).filter(|calls| !calls.is_empty());
    if !text.is_empty() || calls.is_some() {
        messages.push(Message {
            content: Some(Content::from(text)),
            tool_calls: calls,
            ..Message::new(role, "")
        });
    }
    Ok(())
}

fn called(place: &str, block: &ContentBlock) -> Result<ToolCall, Failure> {
    let missing = |field: &str| Failure::invalid(&format!("{place}.{field}"), "it is missing");
    let id = block.id.clone().ok_or_else(|| missing("id"))?;
    let name = block.name.clone().ok_or_else(|| missing("name"))?;
    let input = block.input.as_ref().ok_or_else(|| missing("input"))?;
    if !input.is_object() {
        let reason = "has to be an object: what the function was called with";
        return Err(Failure::invalid(&format!("{place}.input"), reason));
    }
    Ok(ToolCall::new(id, name, input.to_string()))
}

fn result(place: &str, block: &ContentBlock) -> Result<Message, Failure> {
    let content = block.content.as_ref();
    let text = content.map_or(Ok(String::new()), |content| {
        texts(&format!("{place}.content"), content)
    })?;
    let failed = block.is_error == Some(true);
    let text = if failed {
        format!("error: {text}")
    } else {
        text
    };
    Ok(Message {
        tool_call_id: block.tool_use_id.clone(),
        ..Message::new(Role::Tool, text)
    })
}

fn texts(place: &str, blocks: &Blocks) -> Result<String, Failure> {
    let blocks = blocks.0.iter().enumerate();
    let texts = blocks.map(|(at, block)| match block.kind.as_str() {
        "text" => Ok(block.text.as_deref().unwrap_or_default()),
        _ => Err(foreign(&format!("{place}[{at}]"))),
    });
    texts.collect()
}

fn foreign(place: &str) -> Failure {
    Failure::unsupported(&format!("{place}.type"), "send blocks of text")
}
