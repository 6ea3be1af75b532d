//! Completions that a controller asks for: calls of their own, made within the one that it
//! steers, charged to whom that one is charged. Nothing steers them but a schema, so that no
//! controller ever runs within another.

use super::Asks;
use crate::complete::{CallEvent, CompletionRequest, Ended, Prompt};
use crate::error::NodeError;
use crate::limits::SUB_MESSAGES_BYTES_MAX;
use crate::steering::Steering;
use aigen_engine::sampler::Sampling;
use aigen_engine::{ChatMessage, Role};
use aigen_jarvis::{Answer, Answered, Ask, Finish, OutsideError};
use aigen_types::{CallId, ModelName};
use serde::Deserialize;
use serde_json::Value;

/// OpenAI's parameters, as far as they mean something here. Others are refused: they were meant
/// to do something.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    #[serde(alias = "max_completion_tokens")]
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<Stops>,
    response_format: Option<Format>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stops {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format {
    Text,
    JsonObject,
    JsonSchema { json_schema: Named },
}

#[derive(Deserialize)]
struct Named {
    schema: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: Speaker,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    System,
    User,
    Assistant,
}

impl Asks {
    pub(super) async fn complete(
        self,
        number: u32,
        model: String,
        messages: String,
        options: String,
    ) -> Answered {
        let request = self.request(number, model, messages, options)?;
        let running = self.node.complete(&self.behalf.caller, request).await;
        let mut running = running.map_err(refused)?;
        let mut text = String::new();
        while let Some(event) = running.events.recv().await {
            match event {
                CallEvent::Piece { piece, .. } => text.push_str(&piece.text),
                CallEvent::Ended(ended) => return concluded(text, *ended),
            }
        }
        Err(OutsideError::Unavailable("it was not settled".to_owned()))
    }

    fn request(
        &self,
        number: u32,
        model: String,
        messages: String,
        options: String,
    ) -> Result<CompletionRequest, OutsideError> {
        let ask = Ask::Complete {
            model,
            messages,
            options,
        };
        let request = ask.digest();
        let Ask::Complete {
            model,
            messages,
            options,
        } = ask
        else {
            unreachable!("it is made above");
        };
        let options = match options.trim() {
            "" => Options::default(),
            options => serde_json::from_str(options).map_err(|error| wrong("options", &error))?,
        };
        let behalf = &self.behalf;
        let most = self.grant.completion_tokens;
        Ok(CompletionRequest {
            call: within(behalf.call, number),
            parent: Some(behalf.call),
            request,
            model: model.parse::<ModelName>().map_err(|_| unknown(&model))?,
            prompt: Prompt::Chat(conversation(&messages)?),
            others: Vec::new(),
            max_tokens: Some(options.max_tokens.unwrap_or(most).min(most)),
            corrections: Vec::new(),
            max_cost: None,
            end_user: behalf.end_user.clone(),
            bill_to: behalf.bill_to.clone(),
            sampling: sampling(&options, behalf.seed, number),
            stops: match options.stop {
                None => Vec::new(),
                Some(Stops::One(stop)) => vec![stop],
                Some(Stops::Several(stops)) => stops,
            },
            top_logprobs: None,
            choices: 1,
            steering: match options.response_format {
                None | Some(Format::Text) => Steering::Free,
                Some(Format::JsonObject) => Steering::JsonObject,
                Some(Format::JsonSchema { json_schema }) => {
                    Steering::JsonSchema(json_schema.schema)
                }
            },
            replay: false,
            retract: false,
            trace: false,
            datasets: Vec::new(),
            traceparent: None,
        })
    }
}

/// The same question of the same call is the same call, however often it is asked.
fn within(call: CallId, number: u32) -> CallId {
    let mut hasher = blake3::Hasher::new_derive_key("aigen call within a call 1");
    hasher.update(&call.0.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    CallId(u128::from_le_bytes(id))
}

fn sampling(options: &Options, seed: u64, number: u32) -> Sampling {
    let default = Sampling::default();
    let own = seed.wrapping_add(u64::from(number) + 1);
    Sampling {
        temperature: options.temperature.unwrap_or(1.0).clamp(0.0, 2.0),
        top_p: options.top_p.unwrap_or(1.0).clamp(0.0, 1.0),
        seed: options.seed.map_or(own, i64::cast_unsigned),
        ..default
    }
}

fn conversation(messages: &str) -> Result<Vec<ChatMessage>, OutsideError> {
    if messages.len() > SUB_MESSAGES_BYTES_MAX {
        let why = format!("the messages have more than {SUB_MESSAGES_BYTES_MAX} bytes");
        return Err(OutsideError::Limit(why));
    }
    let messages: Vec<Message> =
        serde_json::from_str(messages).map_err(|error| wrong("messages", &error))?;
    let message = |message: Message| {
        let role = match message.role {
            Speaker::System => Role::System,
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
        };
        ChatMessage::new(role, message.content)
    };
    Ok(messages.into_iter().map(message).collect())
}

fn wrong(what: &str, error: &serde_json::Error) -> OutsideError {
    OutsideError::Denied(format!("the {what} cannot be used: {error}"))
}

fn unknown(model: &str) -> OutsideError {
    OutsideError::Unavailable(format!("there is no model `{model}`"))
}

fn refused(error: NodeError) -> OutsideError {
    match error {
        // Whatever rule says so, the money or a rate is what there is too little of.
        NodeError::Refused(refusal) => OutsideError::Limit(refusal.to_string()),
        other => OutsideError::Unavailable(other.to_string()),
    }
}

fn concluded(text: String, ended: Ended) -> Answered {
    match ended.finish {
        Finish::Stop | Finish::StopString | Finish::Length | Finish::Budget | Finish::Filtered => {
            Ok(Answer::Text(text))
        }
        Finish::Cancelled => Err(OutsideError::Unavailable("it was cut off".to_owned())),
        Finish::Fault(fault) => Err(OutsideError::Unavailable(fault.to_string())),
    }
}
