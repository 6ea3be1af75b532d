use super::model;
use crate::extract::{Named, Post};
use crate::failure::Failure;
use crate::openai::answer::{Ask, complete, json};
use crate::openai::conclusion::Conclusion;
use crate::openai::frame::Frame;
use crate::openai::speech::{Part, Said};
use crate::openai::steering::sampling;
use crate::openai::wording::{Head, Wording};
use crate::state::Gateway;
use aigen_api::openai::{AigenStop, Extension, FinishReason, Sampling};
use aigen_api::resources::{CallFunction, FunctionReceipt, FunctionReply, Guarantee};
use aigen_node::{ChatMessage, Function, NodeError, Prompt, Speaker, Steering};
use aigen_types::{ControllerRef, Digest};
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

/// Computes a function.
pub(super) async fn create(
    State(gateway): State<Gateway>,
    Named(name): Named<String>,
    mut post: Post<CallFunction>,
) -> Result<Response, Failure> {
    let (digest, function) = gateway.node.function(&name)?;
    let input = Value::Object(post.body.input.clone());
    function
        .check_input(&input)
        .map_err(|misfit| NodeError::Input {
            path: misfit.path,
            reason: misfit.reason,
        })?;
    post.digest = for_function(post.digest, &name);
    let ask = ask(&gateway, &post, (digest, &function), &input)?;
    complete(&gateway, &post, ask).await
}

/// The same input of another function is another request.
fn for_function(body: Digest, name: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&body.0);
    hasher.update(name.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

fn ask(
    gateway: &Gateway,
    post: &Post<CallFunction>,
    (digest, function): (Digest, &Function),
    input: &Value,
) -> Result<Box<Ask<Answer>>, Failure> {
    let options = &post.body.aigen;
    let temperature = options.temperature.unwrap_or(function.temperature);
    if !(0.0..=2.0).contains(&temperature) {
        return Err(Failure::invalid("aigen.temperature", "must be 0 to 2"));
    }
    let chances = sampling(&Sampling {
        temperature: Some(temperature),
        seed: options.seed,
        ..Sampling::default()
    });
    let parties = Extension {
        end_user: options.end_user.clone(),
        bill_to: options.bill_to.clone(),
        ..Extension::default()
    };
    let message = ChatMessage {
        role: Speaker::User,
        content: input.to_string(),
    };
    let reference = gateway
        .node
        .network()
        .controller(digest)
        .map(|known| known.published.reference.clone());
    let reference = reference.ok_or_else(|| NodeError::FunctionUnknown(digest.to_string()))?;
    Ok(Box::new(Ask {
        model: model(gateway, options.model.as_ref(), function)?,
        prompt: Prompt::Chat(vec![message]),
        others: Vec::new(),
        datasets: Vec::new(),
        max_tokens: options.max_tokens,
        choices: 1,
        max_cost: options.max_cost,
        parties: post.parties.with(Some(&parties))?,
        sampling: chances,
        stops: Vec::new(),
        top_logprobs: None,
        steering: Steering::Controller {
            name: digest.to_string(),
            params: Default::default(),
        },
        stream: false,
        retract: false,
        trace: false,
        replay: false,
        wording: Answer { reference, digest },
    }))
}

/// How a function's answer is worded.
struct Answer {
    reference: ControllerRef,
    digest: Digest,
}

impl Wording for Answer {
    const ROUTE: &'static str = "/v1/functions";
    const PROMPT: &'static str = "input";
    const SCHEMA: &'static str = "aigen.controller";
    const ID_PREFIX: &'static str = "";

    fn refused(&self, said: &[Said], conclusion: &Conclusion) -> Option<Failure> {
        let text = text(said);
        let whole = conclusion.finish() == FinishReason::Stop;
        let is_value = whole && serde_json::from_str::<Value>(text).is_ok();
        let stop = match (conclusion.aigen.stop, conclusion.finish()) {
            (Some(AigenStop::Budget), _) => "budget",
            (_, FinishReason::ContentFilter) => "content_filter",
            _ => "length",
        };
        (!is_value).then(|| Failure::truncated(text, stop))
    }

    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8> {
        let aigen = conclusion.aigen;
        json(&FunctionReply {
            // `refused` has seen that it is one.
            value: serde_json::from_str(text(&said)).unwrap_or_default(),
            receipt: FunctionReceipt {
                id: aigen.receipt,
                cost: aigen.cost,
                guarantee: aigen.guarantee.unwrap_or(Guarantee::Retry),
                closed_early: aigen.closed_early,
                asked_before: aigen.asked_before,
                function: self.reference.clone(),
                function_digest: self.digest,
                model: head.model.clone(),
                usage: conclusion.usage,
                journal_seq: aigen.journal_seq,
            },
        })
    }

    // A value comes whole or not at all: no request of this route asks for a stream.
    fn open(&mut self, _: &mut Frame, _: &Head) {}

    fn part(&mut self, _: &mut Frame, _: &Head, _: u32, _: Part<'_>) {}

    fn close(&mut self, _: &mut Frame, _: &Head, _: Conclusion) {}

    fn fail(&mut self, _: &mut Frame, _: &Head, _: Failure) {}
}

fn text(said: &[Said]) -> &str {
    said.first().map_or("", |said| &said.text)
}
