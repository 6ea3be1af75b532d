use super::asking::Before;
use crate::access::Access;
use crate::aigen::receipts::{guarantee, promised, steering};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::openai::{
    AigenReply, AigenStop, Citation, CompletionTokensDetails, Counted, FinishReason,
    PromptTokensDetails, Usage,
};
use aigen_node::network::Receipt;
use aigen_node::{Counting, Ended, EndedChoice, Finish};
use aigen_types::{Amount, CallId};
use serde_json::{Map, Value};

/// A call that is over: captured, recorded, and worth an answer.
pub(crate) struct Conclusion {
    /// Why each answer ended.
    pub finishes: Vec<FinishReason>,
    /// Whether one of the request's stop texts ended it.
    pub at_stop_text: bool,
    pub usage: Usage,
    pub aigen: AigenReply,
}

impl Conclusion {
    /// Why the answer ended; of several the first.
    pub fn finish(&self) -> FinishReason {
        self.finishes[0]
    }
}

/// A call that is over and has no answer. What it used may be charged all the same.
pub(super) struct Broken {
    pub failure: Failure,
    /// `None`: it was not settled.
    pub cost: Option<Amount>,
}

pub(super) fn conclude(
    gateway: &Gateway,
    access: &Access,
    (call, before): (CallId, &Before),
    ended: Ended,
) -> Result<Conclusion, Box<Broken>> {
    let receipt = ended.receipt.map_err(|error| {
        tracing::error!(%call, %error, "a call was not settled");
        unsettled(access, call)
    })?;
    note(access, &receipt, &ended.finish);
    access.note(|facts| facts.first_token = ended.first_token);
    let choices = ended.choices.iter();
    let finishes = choices.map(|choice| match &choice.finish {
        Finish::Stop | Finish::StopString => Ok(FinishReason::Stop),
        Finish::Length | Finish::Budget => Ok(FinishReason::Length),
        Finish::Filtered => Ok(FinishReason::ContentFilter),
        Finish::Cancelled => Err(Failure::cut_off()),
        Finish::Fault(fault) => Err(Failure::fault(fault)),
    });
    let finishes: Result<_, _> = finishes.collect();
    let cost = before.cost.saturating_add(receipt.total());
    let finishes = finishes.map_err(|failure: Failure| {
        Box::new(Broken {
            failure: before.named_in(failure.was_charged(call, cost)),
            cost: Some(cost),
        })
    })?;
    let at_stop_text = ended.finish == Finish::StopString;
    let complete = complete(&ended.choices);
    let of_function = guarantee(&gateway.node.network(), &receipt);
    let guarantee = of_function.or_else(|| complete.map(|_| promised(&receipt)));
    let stop = (ended.finish == Finish::Budget).then_some(AigenStop::Budget);
    Ok(Conclusion {
        finishes,
        at_stop_text,
        usage: reasoned(usage(&receipt), ended.reasoning_tokens),
        aigen: AigenReply {
            stop,
            guarantee,
            grammar_complete: complete,
            closed_early: ended.choices.iter().any(|choice| choice.closed_early),
            outcome: outcomes(&ended.choices),
            results: results(&ended.choices),
            counted: counted(ended.counting),
            replayable: ended.replayable,
            citations: ended.citations.into_iter().map(citation).collect(),
            asked_before: before.calls.clone(),
            cost,
            ..reply(gateway, call, &receipt)
        },
    })
}

/// The events ended without a last word.
pub(super) fn unsettled(access: &Access, call: CallId) -> Box<Broken> {
    access.note(|facts| facts.outcome = Some("unsettled".to_owned()));
    Box::new(Broken {
        failure: Failure::unsettled(call),
        cost: None,
    })
}

fn note(access: &Access, receipt: &Receipt, finish: &Finish) {
    charged(access, receipt);
    access.note(|facts| facts.outcome = Some(outcome(finish).to_owned()));
}

/// What a call came to, whether or not anybody hears of it.
pub(super) fn charged(access: &Access, receipt: &Receipt) {
    let usage = usage(receipt);
    access.note(|facts| {
        facts.prompt_tokens = usage.prompt_tokens;
        facts.completion_tokens = usage.completion_tokens;
        facts.cost = Some(facts.cost_before.saturating_add(receipt.total()));
        facts.hold = Some(receipt.call.held());
    });
}

fn outcome(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopString => "stop",
        Finish::Length => "length",
        Finish::Budget => "budget",
        Finish::Filtered => "content_filter",
        Finish::Cancelled => "cancelled",
        Finish::Fault(fault) => fault.name(),
    }
}

fn usage(receipt: &Receipt) -> Usage {
    let used = &receipt.call.used;
    let prompt = PromptTokensDetails {
        cached_tokens: used.cached_prompt_tokens,
    };
    let completion = CompletionTokensDetails {
        reasoning_tokens: 0,
        forced_tokens: used.forced_tokens,
        discarded_tokens: used.discarded_tokens,
    };
    Usage::new(
        used.all_prompt_tokens(),
        prompt,
        used.computed_tokens(),
        completion,
    )
}

fn reasoned(mut usage: Usage, tokens: u64) -> Usage {
    usage.completion_tokens_details.reasoning_tokens = tokens;
    usage
}

/// Jarvis has checked that it is.
fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// What the controller said in the end; of several answers, each of them in order.
fn outcomes(choices: &[EndedChoice]) -> Option<Value> {
    let said = |choice: &EndedChoice| choice.outcome.as_deref().and_then(json);
    match choices {
        [only] => said(only),
        _ if choices.iter().all(|choice| choice.outcome.is_none()) => None,
        _ => Some(choices.iter().map(said).collect()),
    }
}

/// What it put beside the text; of several answers, under their numbers.
fn results(choices: &[EndedChoice]) -> Map<String, Value> {
    let of = |choice: &EndedChoice| -> Map<String, Value> {
        let results = choice.results.iter();
        results
            .filter_map(|(name, text)| Some((name.clone(), json(text)?)))
            .collect()
    };
    match choices {
        [only] => of(only),
        _ => (0..)
            .zip(choices)
            .map(|(number, choice): (u32, _)| (number.to_string(), of(choice)))
            .filter(|(_, results)| !results.is_empty())
            .map(|(number, results)| (number, results.into()))
            .collect(),
    }
}

/// Whether every grammar was satisfied, where there is any.
fn complete(choices: &[EndedChoice]) -> Option<bool> {
    let complete = choices.iter().filter_map(|choice| choice.grammar_complete);
    complete.reduce(|all, one| all && one)
}

fn citation(citation: aigen_node::Citation) -> Citation {
    Citation {
        number: citation.number,
        dataset: citation.dataset,
        row: citation.row,
        columns: citation.columns,
    }
}

pub(super) fn counted(counting: Counting) -> Option<Counted> {
    match counting {
        Counting::Exact => None,
        Counting::Claimed => Some(Counted::Upstream),
        Counting::Estimated(doubt) => Some(Counted::Estimate {
            doubt: doubt.to_string(),
        }),
    }
}

/// What a reply says of its call.
pub(super) fn reply(gateway: &Gateway, call: CallId, receipt: &Receipt) -> AigenReply {
    let network = gateway.node.network();
    let digest = receipt.call.controller;
    let controller = digest.and_then(|digest| network.controller(digest));
    AigenReply {
        receipt: call,
        cost: receipt.total(),
        journal_seq: receipt.record,
        controller: controller.map(|controller| controller.published.reference.clone()),
        controller_digest: digest,
        steering: digest.map(|_| steering(receipt)),
        model_digest: network.model(&receipt.call.model).map(|model| model.digest),
        ..AigenReply::default()
    }
}
