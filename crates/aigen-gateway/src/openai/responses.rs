//! `/v1/responses`, stateless.

mod wording;

use super::answer::{Ask, complete};
use super::steering::{datasets, sampling, steering};
use super::tools::{Offer, conversation, offered};
use crate::extract::Post;
use crate::failure::Failure;
use crate::functions::addressed;
use crate::state::Gateway;
use aigen_api::openai::{
    ApiError, Content, InputItem, InputText, Message, ResponsesInput, ResponsesRequest, Role,
    ToolCall,
};
use aigen_node::{Prompt, Steering};
use axum::extract::State;
use axum::response::Response;
use wording::Responses;

pub(super) const ROUTE: &str = "/v1/responses";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    mut post: Post<Box<ResponsesRequest>>,
) -> Result<Response, Failure> {
    refuse_unsupported(&post.body)?;
    let named = |error: ApiError| match error.param.as_deref() {
        Some("max_tokens") => error.with_param("max_output_tokens"),
        _ => error,
    };
    post.body.sampling().check().map_err(named)?;
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
        stops: Vec::new(),
        top_logprobs: asked.logprobs,
        steering: steered(request)?,
        parties: post.parties.with(request.aigen.as_ref())?,
        max_cost: request.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        stream: request.stream == Some(true),
        retract: request.aigen.as_ref().is_some_and(|aigen| aigen.retract),
        trace: request.aigen.as_ref().is_some_and(|aigen| aigen.trace),
        replay: request.aigen.as_ref().is_some_and(|aigen| aigen.replay),
        datasets: datasets(request.aigen.as_ref())?,
        wording: Responses::new(request),
    });
    complete(&gateway, &post, ask).await
}

/// What would change the answer and cannot here is refused by name.
fn refuse_unsupported(request: &ResponsesRequest) -> Result<(), Failure> {
    let stateless = "nothing is stored here: send the whole conversation as `input`";
    let wrong = [
        (
            "previous_response_id",
            request.previous_response_id.is_some(),
            stateless,
        ),
        ("conversation", request.conversation.is_some(), stateless),
        ("prompt", request.prompt.is_some(), stateless),
        (
            "background",
            request.background == Some(true),
            "ask with `stream` and read on",
        ),
        ("moderation", request.moderation.is_some(), "leave it out"),
        (
            "context_management",
            request.context_management.is_some(),
            "leave it out",
        ),
        (
            "truncation",
            request
                .truncation
                .as_deref()
                .is_some_and(|how| how != "disabled"),
            "shorten the input",
        ),
    ];
    match wrong.into_iter().find(|(_, asked_for, _)| *asked_for) {
        Some((param, _, way_out)) => Err(Failure::unsupported(param, way_out)),
        None => Ok(()),
    }
}

fn steered(request: &ResponsesRequest) -> Result<Steering, Failure> {
    let foreign = request
        .tools
        .iter()
        .position(|tool| tool.kind != "function");
    if let Some(at) = foreign {
        let param = format!("tools[{at}].type");
        return Err(Failure::unsupported(
            &param,
            "offer tools of type `function`",
        ));
    }
    let offer = Offer {
        tools: request.tools.iter().map(|tool| tool.function()).collect(),
        choice: request.tool_choice.clone(),
        parallel: request.parallel_tool_calls != Some(false),
    };
    let format = request.text.as_ref().and_then(|text| text.format.as_ref());
    let format = format.map(|format| format.response_format()).transpose()?;
    steering(request.aigen.as_ref(), format.as_ref(), offered(offer)?)
}

fn prompt(request: &ResponsesRequest) -> Result<Prompt, Failure> {
    let mut messages = match &request.input {
        ResponsesInput::Text(text) => vec![Message::new(Role::User, text.as_str())],
        ResponsesInput::Items(items) => {
            let items = items.iter().enumerate();
            let messages = items.map(|(at, item)| message(at, item));
            messages
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?
        }
    };
    if messages.is_empty() {
        return Err(Failure::invalid("input", "needs at least one message"));
    }
    if let Some(instructions) = &request.instructions {
        messages.insert(0, Message::new(Role::System, instructions.as_str()));
    }
    conversation("input", &messages).map(Prompt::Chat)
}

/// `None` for what a model is not told.
fn message(at: usize, item: &InputItem) -> Result<Option<Message>, Failure> {
    let missing = |field: &str| {
        let param = format!("input[{at}].{field}");
        Failure::invalid(&param, "it is missing")
    };
    let text = |text: &InputText| Content::from(text.0.as_str());
    match item.kind.as_deref().unwrap_or("message") {
        "message" => {
            let role = item.role.ok_or_else(|| missing("role"))?;
            let content = item.content.as_ref().ok_or_else(|| missing("content"))?;
            Ok(Some(Message::new(role, text(content))))
        }
        "function_call" => {
            let id = item.call_id.clone().ok_or_else(|| missing("call_id"))?;
            let name = item.name.clone().ok_or_else(|| missing("name"))?;
            let arguments = item.arguments.clone().ok_or_else(|| missing("arguments"))?;
            Ok(Some(Message {
                content: None,
                tool_calls: Some(vec![ToolCall::new(id, name, arguments)]),
                ..Message::new(Role::Assistant, "")
            }))
        }
        "function_call_output" => {
            let output = item.output.as_ref().ok_or_else(|| missing("output"))?;
            Ok(Some(Message {
                tool_call_id: item.call_id.clone(),
                ..Message::new(Role::Tool, text(output))
            }))
        }
        // What another model thought is nothing that this one could use.
        "reasoning" => Ok(None),
        _ => {
            let param = format!("input[{at}].type");
            Err(Failure::unsupported(
                &param,
                "send messages, function calls and their outputs",
            ))
        }
    }
}
