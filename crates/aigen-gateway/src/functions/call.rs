use super::model;
use crate::extract::{Named, Post};
use crate::failure::Failure;
use crate::openai::answer::{Ask, answer, json};
use crate::openai::conclusion::Conclusion;
use crate::openai::frame::Frame;
use crate::openai::speech::{Part, Said};
use crate::openai::steering::sampling;
use crate::openai::wording::{Head, Wording};
use crate::rates;
use crate::replies::{COST, RECEIPT};
use crate::state::Gateway;
use aigen_api::openai::{AigenStop, Extension, FinishReason, Sampling};
use aigen_api::resources::{CallFunction, FunctionReceipt, FunctionReply, Guarantee};
use aigen_node::{ChatMessage, Function, NodeError, Prompt, Speaker, Steering};
use aigen_types::{Amount, CallId, ControllerRef, Digest};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use serde_json::Value;
use std::str::FromStr;

/// How often a model elsewhere is asked again after an answer of another type.
const ASKED_AGAIN_MAX: usize = 2;

/// Calls of this request that were charged and gave no value.
#[derive(Clone, Default)]
struct Before {
    calls: Vec<CallId>,
    cost: Amount,
}

/// Computes a function. A model elsewhere, which nobody holds to a type, is asked again where its
/// answer is of another; each time is a call with a receipt, and all of them keep to `max_cost`.
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
    let own_key = post.idempotency_key.clone();
    let mut before = Before::default();
    loop {
        let ask = ask(&gateway, &post, (digest, &function), &input, &before)?;
        let answered = answer(&gateway, &post, ask).await;
        let mut response = answered.map_err(|failure| told(failure, &before))?;
        let lost = lost(&response).filter(|_| before.calls.len() < ASKED_AGAIN_MAX);
        if let Some((call, cost)) = lost.filter(|_| has_more(&post.body, &before)) {
            before.calls.push(call);
            before.cost = before.cost.saturating_add(cost);
            let again = before.calls.len();
            post.idempotency_key = own_key.as_ref().map(|key| format!("{key}/again/{again}"));
            continue;
        }
        rates::tell(response.headers_mut(), &gateway, &post.caller.key);
        return Ok(response);
    }
}

/// The same input of another function is another request.
fn for_function(body: Digest, name: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&body.0);
    hasher.update(name.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

/// A call that was charged, and whose upstream did not keep to the type, or broke off.
fn lost(response: &Response) -> Option<(CallId, Amount)> {
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    let lost = response.status() == StatusCode::BAD_GATEWAY;
    let call = CallId::from_str(header(RECEIPT)?).ok()?;
    lost.then_some((call, Amount::from_str(header(COST)?).ok()?))
}

fn has_more(body: &CallFunction, before: &Before) -> bool {
    body.aigen.max_cost.is_none_or(|most| before.cost < most)
}

/// A refusal says what was charged before it.
fn told(failure: Failure, before: &Before) -> Failure {
    if before.calls.is_empty() {
        return failure;
    }
    let calls = before.calls.iter().map(CallId::to_string);
    failure
        .metadata("asked_before", calls.collect::<Vec<_>>())
        .metadata("cost", before.cost.to_string())
        .retry(false)
}

fn ask(
    gateway: &Gateway,
    post: &Post<CallFunction>,
    (digest, function): (Digest, &Function),
    input: &Value,
    before: &Before,
) -> Result<Ask<Answer>, Failure> {
    let options = &post.body.aigen;
    let temperature = options.temperature.unwrap_or(function.temperature);
    if !(0.0..=2.0).contains(&temperature) {
        return Err(Failure::invalid("aigen.temperature", "must be 0 to 2"));
    }
    let chances = sampling(&Sampling {
        temperature: Some(temperature),
        // Another answer than the last, where the caller chose the chances.
        seed: options
            .seed
            .map(|seed| seed.wrapping_add(i64::try_from(before.calls.len()).unwrap_or(0))),
        ..Sampling::default()
    });
    let parties = Extension {
        end_user: options.end_user.clone(),
        bill_to: options.bill_to.clone(),
        ..Extension::default()
    };
    let left = |most: Amount| most.saturating_sub(before.cost);
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
    Ok(Ask {
        model: model(gateway, options.model.as_ref(), function)?,
        prompt: Prompt::Chat(vec![message]),
        datasets: Vec::new(),
        max_tokens: options.max_tokens,
        choices: 1,
        max_cost: options.max_cost.map(left),
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
        wording: Answer {
            reference,
            digest,
            before: before.clone(),
        },
    })
}

/// How a function's answer is worded.
struct Answer {
    reference: ControllerRef,
    digest: Digest,
    before: Before,
}

impl Wording for Answer {
    const ROUTE: &'static str = "/v1/functions";
    const PROMPT: &'static str = "input";
    const ID_PREFIX: &'static str = "";

    fn refused(&self, said: &[Said], conclusion: &Conclusion) -> Option<Failure> {
        let text = text(said);
        let whole = conclusion.finish() == FinishReason::Stop;
        let is_value = whole && serde_json::from_str::<Value>(text).is_ok();
        let budget = conclusion.aigen.stop == Some(AigenStop::Budget);
        (!is_value).then(|| Failure::truncated(text, budget))
    }

    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8> {
        let aigen = conclusion.aigen;
        json(&FunctionReply {
            // `refused` has seen that it is one.
            value: serde_json::from_str(text(&said)).unwrap_or_default(),
            receipt: FunctionReceipt {
                id: aigen.receipt,
                cost: aigen.cost.saturating_add(self.before.cost),
                guarantee: aigen.guarantee.unwrap_or(Guarantee::Retry),
                asked_before: self.before.calls.clone(),
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

    fn part(&mut self, _: &mut Frame, _: &Head, _: u32, _: Part) {}

    fn close(&mut self, _: &mut Frame, _: &Head, _: Conclusion) {}

    fn fail(&mut self, _: &mut Frame, _: &Head, _: Failure) {}
}

fn text(said: &[Said]) -> &str {
    said.first().map_or("", |said| &said.text)
}
