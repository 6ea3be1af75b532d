use super::conclusion::{Broken, conclude, unsettled};
use super::logprobs::logprobs;
use super::stream;
use super::wording::{Answer, Head, Wording};
use crate::access::Access;
use crate::extract::Post;
use crate::failure::Failure;
use crate::replies::{OtherRequest, Reply, Sameness};
use crate::state::Gateway;
use aigen_api::openai::ErrorEnvelope;
use aigen_node::{
    CallEvent, CompletionRequest, NodeError, Prompt, Running, Sampling, Steering, Tokenizer,
    random_call_id,
};
use aigen_types::{Amount, CallId, ModelName};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// One completion, checked, in the form that both routes share.
pub(super) struct Ask<W> {
    pub model: String,
    pub prompt: Prompt,
    pub max_tokens: Option<u32>,
    pub max_cost: Option<Amount>,
    pub sampling: Sampling,
    pub stops: Vec<String>,
    pub top_logprobs: Option<u32>,
    pub steering: Steering,
    /// `None`: the answer comes whole.
    pub streaming: Option<Streaming>,
    pub wording: W,
}

/// How an answer is streamed.
#[derive(Clone, Copy)]
pub(super) struct Streaming {
    /// Whether the usage comes last.
    pub usage: bool,
}

/// A call whose first hold is durable, on its way to the one who asked. Dropping it, as the
/// server does when the client is gone, ends the call; what it produced is charged.
pub(super) struct Underway<W> {
    pub gateway: Gateway,
    pub access: Access,
    pub running: Running,
    pub head: Head,
    pub tokenizer: Arc<dyn Tokenizer>,
    pub wording: W,
}

/// Runs a completion and answers it, whole or as a stream.
pub(super) async fn complete<T, W: Wording>(
    gateway: &Gateway,
    post: Post<T>,
    ask: Ask<W>,
) -> Result<Response, Failure> {
    let Post {
        caller,
        access,
        idempotency_key,
        digest,
        ..
    } = post;
    access.note(|facts| facts.model = Some(printable(&ask.model)));
    let named = idempotency_key.map(|key| caller.call_id(&key));
    let sameness = Sameness {
        key: caller.key.clone(),
        route: W::ROUTE,
        body: digest,
    };
    if let Some(call) = named
        && let Some(reply) = kept(gateway, call, &sameness)?
    {
        return Ok(reply.into_response());
    }
    let call = named.unwrap_or_else(random_call_id);
    let model = served(gateway, &ask.model)?;
    let request = CompletionRequest {
        call,
        request: digest,
        model: model.clone(),
        prompt: ask.prompt,
        max_tokens: ask.max_tokens,
        max_cost: ask.max_cost,
        sampling: ask.sampling,
        stops: ask.stops,
        top_logprobs: ask.top_logprobs.and_then(|top| u8::try_from(top).ok()),
        steering: ask.steering,
    };
    let running = match gateway.node.complete(&caller, request).await {
        Ok(running) => running,
        Err(NodeError::CallExists { same: true, .. }) => {
            return again(gateway, call, &sameness);
        }
        Err(error @ NodeError::ContextTooLong { .. }) => {
            return Err(Failure::from(error).param(W::PROMPT));
        }
        Err(error) => return Err(Failure::to_payer(error, &caller.account)),
    };
    access.note(|facts| facts.controller = running.controller);
    let underway = Underway {
        head: head::<W>(gateway, &model, call),
        tokenizer: gateway.node.models()[&model].engine.tokenizer(),
        gateway: gateway.clone(),
        access,
        running,
        wording: ask.wording,
    };
    if let Some(streaming) = ask.streaming {
        return Ok(stream::respond(underway, streaming));
    }
    let reply = underway.whole().await?;
    if named.is_some() {
        gateway.replies.keep(call, sameness, reply.clone());
    }
    Ok(reply.into_response())
}

/// The name as a log may show it: a request can say anything.
fn printable(model: &str) -> String {
    match model.parse::<ModelName>() {
        Ok(model) => model.to_string(),
        Err(_) => "invalid".to_owned(),
    }
}

/// The model, if it runs here; the failure names those that do.
fn served(gateway: &Gateway, model: &str) -> Result<ModelName, Failure> {
    let models = gateway.node.models();
    match model.parse::<ModelName>() {
        Ok(model) if models.contains_key(&model) => Ok(model),
        _ => Err(Failure::model_unknown(model, models.keys())),
    }
}

fn kept(gateway: &Gateway, call: CallId, sameness: &Sameness) -> Result<Option<Reply>, Failure> {
    let found = gateway.replies.find(call, sameness);
    found.map_err(|OtherRequest| NodeError::CallExists { call, same: false }.into())
}

/// The journal knows the call: its reply is kept, or gone, or still to come.
fn again(gateway: &Gateway, call: CallId, sameness: &Sameness) -> Result<Response, Failure> {
    if let Some(reply) = kept(gateway, call, sameness)? {
        return Ok(reply.into_response());
    }
    if gateway.node.network().receipt(call).is_some() {
        return Err(Failure::reply_gone(call));
    }
    Err(NodeError::CallExists { call, same: true }.into())
}

fn head<W: Wording>(gateway: &Gateway, model: &ModelName, call: CallId) -> Head {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let digest = gateway.node.models()[model].engine.info().digest;
    Head {
        id: format!("{}{call}", W::ID_PREFIX),
        created: now.map_or(0, |since| since.as_secs()),
        model: model.to_string(),
        system_fingerprint: Some(format!("fp_{}", digest.short(12))),
    }
}

impl<W: Wording> Underway<W> {
    /// The answer in one piece. `Err` only where nothing was settled.
    async fn whole(mut self) -> Result<Reply, Failure> {
        let (mut text, mut tokens) = (String::new(), Vec::new());
        let call = self.running.call;
        while let Some(event) = self.running.events.recv().await {
            match event {
                CallEvent::Piece(piece) => {
                    text.push_str(&piece.text);
                    tokens.extend(logprobs(piece.logprobs, &*self.tokenizer));
                }
                CallEvent::Ended(ended) => {
                    let concluded = conclude(&self.gateway, &self.access, call, *ended);
                    return match concluded {
                        Ok(conclusion) => {
                            let answer = Answer {
                                text,
                                logprobs: tokens,
                                finish: conclusion.finish,
                                usage: conclusion.usage,
                                aigen: conclusion.aigen,
                            };
                            Ok(self.reply(answer))
                        }
                        Err(broken) => charged(call, *broken),
                    };
                }
            }
        }
        Err(unsettled(&self.access, call).failure)
    }

    fn reply(mut self, answer: Answer) -> Reply {
        let (receipt, cost) = (answer.aigen.receipt, answer.aigen.cost);
        Reply {
            status: StatusCode::OK,
            receipt,
            cost,
            body: json(&self.wording.whole(self.head, answer)).into(),
        }
    }
}

/// A failure that was paid for is an answer too: the same one at every retry.
fn charged(call: CallId, broken: Broken) -> Result<Reply, Failure> {
    let Some(cost) = broken.cost else {
        return Err(broken.failure);
    };
    Ok(Reply {
        status: broken.failure.status,
        receipt: call,
        cost,
        body: json::<ErrorEnvelope>(&broken.failure.envelope()).into(),
    })
}

/// A wire shape as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("wire shapes have text keys only")
}
