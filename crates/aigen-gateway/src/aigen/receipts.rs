use super::reads;
use super::spending::reason_out;
use crate::extract::{Key, Named};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{
    AnyReceipt, Asked, ChargeLine, Correction, CorrectionKind, CountedBy, DatasetRead, Guarantee,
    Receipt, Replay, RowRange, Share, Steering, SubCall, TokenUsage,
};
use aigen_node::Caller;
use aigen_node::economy::LineKind;
use aigen_node::network::{self, ControllerKind, Counter, Network, Outcome, addresses};
use aigen_types::{Address, Amount, CallId, Digest};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// A receipt of the key's account. Another's does not exist as far as the caller can tell.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(id): Named<CallId>,
) -> Result<Json<AnyReceipt>, Failure> {
    any(&gateway, &caller, id)
}

/// Of a call, or of rows that were read outside of calls.
pub(super) fn any(
    gateway: &Gateway,
    caller: &Caller,
    id: CallId,
) -> Result<Json<AnyReceipt>, Failure> {
    let network = gateway.node.network();
    let read = network.read_receipt(id);
    if let Some(read) = read.filter(|read| reads::may_see(caller, read)) {
        let read = reads::describe(id, read);
        return Ok(Json(AnyReceipt::Read(Box::new(read))));
    }
    drop(network);
    let Json(receipt) = of(gateway, caller, id)?;
    Ok(Json(AnyReceipt::Call(Box::new(receipt))))
}

/// Whoever paid for a call sees its receipt, and whoever it is attributed to.
pub(super) fn of(gateway: &Gateway, caller: &Caller, id: CallId) -> Result<Json<Receipt>, Failure> {
    let network = gateway.node.network();
    let may_see = |receipt: &Arc<network::Receipt>| {
        caller.may_see_spender(&receipt.call.spender) || receipt.call.payer == caller.account
    };
    let receipt = network.receipt(id).filter(may_see);
    let missing = || {
        let way_out = "check the id; a running call has no receipt yet";
        Failure::not_found(
            format_args!("there is no receipt {id} of this account"),
            way_out,
        )
    };
    let receipt = receipt.ok_or_else(missing)?;
    let described = describe(&network, id, &receipt);
    let replayable = gateway.node.can_replay(id);
    Ok(Json(Receipt {
        replayable,
        ..described
    }))
}

/// Runs a call of the key's account again.
pub(super) async fn replay(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(id): Named<CallId>,
) -> Result<Json<Replay>, Failure> {
    let Json(receipt) = of(&gateway, &caller, id)?;
    let replayed = gateway.node.replay(id).await?;
    let (decisions, fuel) = (replayed.ending.decisions, replayed.ending.guest.fuel);
    let recorded = &receipt.steering;
    Ok(Json(Replay {
        text: replayed.text,
        decisions,
        fuel,
        same: (decisions, fuel) == (recorded.decisions, recorded.fuel),
    }))
}

pub(super) fn describe(network: &Network, id: CallId, receipt: &network::Receipt) -> Receipt {
    let call = &receipt.call;
    let model = network.model(&call.model);
    let controller = call
        .controller
        .and_then(|digest| network.controller(digest));
    Receipt {
        id,
        model: call.model.clone(),
        model_digest: model.map_or(Digest::ZERO, |model| model.digest),
        controller: controller.map(|controller| controller.published.reference.clone()),
        controller_digest: call.controller,
        usage: tokens(&call.used),
        counted_by: receipt.counter.map(counted_by),
        lines: receipt.charge.lines.iter().map(line).collect(),
        total: receipt.charge.total,
        margin: receipt.margin,
        payer: call.payer.clone(),
        spender: call.spender.clone(),
        budgets: call.caps.iter().map(|cap| cap.of.to_string()).collect(),
        corrections: corrections(
            id,
            receipt.total(),
            &receipt.refunds,
            receipt.reversal.as_ref(),
        ),
        split: shares(network, receipt),
        reads: call.reads.iter().map(read).collect(),
        finish: finish(receipt.outcome).to_owned(),
        steering: steering(receipt),
        guarantee: guarantee(network, receipt),
        sub_calls: sub_calls(network, id),
        parent: network.parent_of(id),
        replayable: false,
        created: call.opened_at,
        journal_seq: receipt.record,
    }
}

fn counted_by(counter: Counter) -> CountedBy {
    match counter {
        Counter::Engine => CountedBy::Engine,
        Counter::Upstream => CountedBy::Upstream,
        Counter::Estimated => CountedBy::Estimated,
    }
}

/// What was read of a dataset.
pub(crate) fn read(read: &network::Read) -> DatasetRead {
    let wanted = &read.wanted;
    let ranges = wanted.rows.ranges().iter();
    DatasetRead {
        dataset: wanted.dataset.clone(),
        purpose: read.purpose.as_str().to_owned(),
        columns: wanted.columns.clone(),
        rows: wanted.rows.count(),
        hits: wanted.hits,
        ranges: ranges
            .map(|range| RowRange {
                first: range.first,
                count: range.count,
            })
            .collect(),
        fee: read.fee,
        provider: read.provider.clone(),
        earned: read.earned,
    }
}

/// Who promised an answer's type, where a function did.
pub(crate) fn guarantee(network: &Network, receipt: &network::Receipt) -> Option<Guarantee> {
    let controller = network.controller(receipt.call.controller?)?;
    let is_function = controller.published.kind == ControllerKind::Function;
    is_function.then(|| promised(receipt))
}

/// Who held an answer to its form. What was decided token by token is known by the hash of the
/// decisions; of an answer from elsewhere there are none.
pub(crate) fn promised(receipt: &network::Receipt) -> Guarantee {
    match receipt.decisions == Digest::ZERO {
        true => Guarantee::Retry,
        false => Guarantee::Decoder,
    }
}

/// Those that are over; one that runs has no receipt yet.
fn sub_calls(network: &Network, id: CallId) -> Vec<SubCall> {
    let calls = network.sub_calls(id);
    let ended = calls.filter_map(|id| Some((id, network.receipt(id)?)));
    let ended = ended.map(|(id, receipt)| SubCall {
        id,
        model: receipt.call.model.clone(),
        usage: tokens(&receipt.call.used),
        cost: receipt.total(),
    });
    ended.collect()
}

pub(crate) fn steering(receipt: &network::Receipt) -> Steering {
    let steered = &receipt.steered;
    Steering {
        fuel: steered.fuel,
        controller_micros: receipt.controller_micros,
        decisions: receipt.decisions,
        hidden_tokens: steered.hidden_tokens,
        unkept_tokens: steered.unkept_tokens,
        branches: steered.branches,
        asked: asked(&steered.asked),
        fault: Some(steered.fault.clone()).filter(|fault| !fault.is_empty()),
    }
}

fn asked(asked: &network::Asked) -> Asked {
    Asked {
        tools: asked.tools,
        pages: asked.pages,
        completions: asked.completions,
        bytes: asked.bytes,
    }
}

pub(super) fn tokens(used: &aigen_node::economy::Usage) -> TokenUsage {
    TokenUsage {
        prompt_tokens: used.prompt_tokens,
        cached_prompt_tokens: used.cached_prompt_tokens,
        sampled_tokens: used.sampled_tokens,
        forced_tokens: used.forced_tokens,
        discarded_tokens: used.discarded_tokens,
    }
}

pub(super) fn corrections(
    call: CallId,
    total: Amount,
    refunds: &[network::Refund],
    reversal: Option<&network::Reversal>,
) -> Vec<Correction> {
    let refunds = refunds.iter().map(|refund| Correction {
        call,
        id: refund.id,
        kind: CorrectionKind::Refund,
        reason: reason_out(refund.reason),
        amount: refund.amount,
        at: refund.at,
        journal_seq: refund.record,
    });
    let reversal = reversal.iter().map(|reversal| Correction {
        call,
        id: reversal.id,
        kind: CorrectionKind::Reversal,
        reason: reason_out(reversal.reason),
        amount: total,
        at: reversal.at,
        journal_seq: reversal.record,
    });
    refunds.chain(reversal).collect()
}

pub(super) fn line(line: &aigen_node::economy::ChargeLine) -> ChargeLine {
    let kind = match line.kind {
        LineKind::Request => "request",
        LineKind::Input => "input",
        LineKind::CachedInput => "cached_input",
        LineKind::Output => "output",
        LineKind::Forced => "forced",
        LineKind::Discarded => "discarded",
        LineKind::DatasetRows => "dataset_rows",
        LineKind::DatasetHits => "dataset_hits",
        LineKind::DatasetDownload => "dataset_download",
    };
    ChargeLine {
        kind: kind.to_owned(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        amount: line.amount,
    }
}

/// Who received what, without those who received nothing.
fn shares(network: &Network, receipt: &network::Receipt) -> Vec<Share> {
    let (call, split) = (&receipt.call, &receipt.split);
    let provider = network.model(&call.model);
    let provider = provider.map(|model| addresses::provider(&model.provider));
    let escrow = call.controller.map(addresses::escrow);
    let budget = call.controller.map(addresses::validator_budget);
    let shares = [
        share("provider", provider, split.provider),
        share("controller", escrow, split.controller),
        share("validators", budget, split.validator),
        share("protocol", Some(addresses::protocol()), split.protocol),
        share("app", call.app.clone(), receipt.margin),
    ];
    let data = call.reads.iter();
    let data = data.map(|read| share("data", Some(read.provider.clone()), read.earned));
    shares.into_iter().chain(data).flatten().collect()
}

pub(super) fn share(role: &str, to: Option<Address>, amount: Amount) -> Option<Share> {
    if amount.is_zero() {
        return None;
    }
    Some(Share {
        to: to?,
        role: role.to_owned(),
        amount,
    })
}

pub(super) fn finish(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Stop => "stop",
        Outcome::Length => "length",
        Outcome::Budget => "budget",
        Outcome::Cancelled => "cancelled",
        Outcome::ControllerFault => "controller_fault",
        Outcome::EngineFault => "engine_fault",
        Outcome::Recovered => "recovered",
        Outcome::Expired => "expired",
        Outcome::Filtered => "content_filter",
    }
}
