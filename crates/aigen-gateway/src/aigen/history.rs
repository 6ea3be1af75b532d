//! What runs and what went before: open calls, settled epochs, a controller's and a validator's
//! past, and an epoch settled again.

use super::per_page;
use super::question::own;
use super::receipts::{finish, tokens};
use super::registry::find;
use super::usage::before;
use crate::extract::{Asked, Key, Named};
use crate::failure::Failure;
use crate::limits::{HISTORY_PER_PAGE, HISTORY_PER_PAGE_MAX};
use crate::state::Gateway;
use aigen_api::resources::{
    CallThrough, ControllerPast, EpochSummary, List, OpenCall, ValidatorPast, Working, Workings,
};
use aigen_node::NodeError;
use aigen_node::economy::settlement::{Working as Settled, settle_explained};
use aigen_node::network::{Call, Network, Receipt, Role, SettledEpoch};
use aigen_types::{Amount, CallId, Digest, Epoch, Slug};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// `?account=&limit=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calls {
    /// Who pays; the key's own account, or for an operator everyone, when absent.
    account: Option<String>,
    limit: Option<usize>,
}

/// Calls that run, the oldest first: what is held, since when and for what.
pub(super) async fn calls(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(page): Asked<Calls>,
) -> Result<Json<List<OpenCall>>, Failure> {
    let payer = match page.account.as_deref() {
        None if caller.role == Role::Operator => None,
        account => Some(own(&caller, account)?),
    };
    let limit = history_page(page.limit)?;
    let network = gateway.node.network();
    let seen = |call: &&(CallId, &Call)| payer.as_ref().is_none_or(|payer| call.1.payer == *payer);
    let mut calls: Vec<_> = network.calls().filter(|call| seen(&call)).collect();
    calls.sort_by_key(|(id, call)| (call.opened_at, *id));
    let data = calls.into_iter().take(limit);
    let data = data.map(|(id, call)| open_call(&network, id, call));
    Ok(Json(List::complete(data.collect())))
}

fn open_call(network: &Network, id: CallId, call: &Call) -> OpenCall {
    let controller = call
        .controller
        .and_then(|digest| network.controller(digest));
    OpenCall {
        id,
        model: call.model.clone(),
        controller: controller.map(|known| known.published.reference.clone()),
        payer: call.payer.clone(),
        spender: call.spender.clone(),
        held: call.held(),
        prompt_tokens: call.prompt_tokens,
        covered_tokens: call.covered_tokens,
        opened_at: call.opened_at,
    }
}

/// `?controller=&limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Through {
    /// A version's digest or reference, or a tag.
    controller: String,
    limit: Option<usize>,
    /// Only calls that ended before this one.
    after: Option<String>,
}

/// The calls whose money a controller version earns from in an epoch, settled or not, newest
/// first. Open to every key, like the sums in the epoch's statement; who paid is not said.
pub(super) async fn calls_through(
    State(gateway): State<Gateway>,
    _: Key,
    Named(epoch): Named<u64>,
    Asked(page): Asked<Through>,
) -> Result<Json<List<CallThrough>>, Failure> {
    let limit = history_page(page.limit)?;
    let network = gateway.node.network();
    let digest = version(&network, page.controller)?;
    let after = before(&network, page.after.as_deref())?;
    let data: Vec<_> = network
        .receipts_through(Epoch(epoch), digest, after)
        .take(limit)
        .map(|(id, receipt)| call_through(id, &receipt))
        .collect();
    let next = data.last().filter(|_| data.len() == limit);
    Ok(Json(List {
        next: next.map(|call| call.id.to_string()),
        data,
    }))
}

fn version(network: &Network, named: String) -> Result<Digest, Failure> {
    let known = |digest: &Digest| network.controller(*digest).is_some();
    let digest = find(network, &named).filter(known);
    Ok(digest.ok_or(NodeError::ControllerUnknown(named))?)
}

fn call_through(id: CallId, receipt: &Receipt) -> CallThrough {
    CallThrough {
        id,
        ended_at: receipt.closed_at,
        model: receipt.call.model.clone(),
        usage: tokens(&receipt.call.used),
        charged: receipt.charge.total,
        escrowed: receipt.split.controller,
        finish: finish(receipt.outcome).to_owned(),
    }
}

/// `?limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Epochs {
    limit: Option<usize>,
    /// Only epochs before this one.
    after: Option<u64>,
}

/// Settled epochs, newest first. Open to every key, like their statements.
pub(super) async fn epochs(
    State(gateway): State<Gateway>,
    _: Key,
    Asked(page): Asked<Epochs>,
) -> Result<Json<List<EpochSummary>>, Failure> {
    let limit = history_page(page.limit)?;
    let network = gateway.node.network();
    let before = page.after.unwrap_or(u64::MAX);
    let newest_first = network.settled_epochs().rev();
    let seen = newest_first.filter(|(epoch, _)| epoch.0 < before);
    let data: Vec<_> = seen
        .take(limit)
        .map(|(epoch, settled)| summary(epoch, settled))
        .collect();
    let next = data.last().filter(|_| data.len() == limit);
    Ok(Json(List {
        next: next.map(|summary| summary.epoch.to_string()),
        data,
    }))
}

fn summary(epoch: Epoch, settled: &SettledEpoch) -> EpochSummary {
    let output = &settled.output;
    let payout: Amount = output.controllers.values().map(|row| row.payout).sum();
    let pay: Amount = output.validators.values().map(|row| row.pay).sum();
    EpochSummary {
        epoch,
        controllers: output.controllers.len() as u64,
        payout,
        validators: output.validators.len() as u64,
        pay,
        treasury: output.treasury,
        journal_seq: settled.record,
    }
}

/// What each of the last epochs said of a controller version, oldest first.
pub(super) async fn controller(
    State(gateway): State<Gateway>,
    _: Key,
    Named(name): Named<String>,
) -> Result<Json<List<ControllerPast>>, Failure> {
    let network = gateway.node.network();
    let unknown = |name| Failure::from(NodeError::ControllerUnknown(name)).param("path");
    let digest = find(&network, &name).ok_or_else(|| unknown(name))?;
    let id = digest.to_string();
    let past = last_epochs(&network, |epoch, settled| {
        let result = settled.output.controllers.get(&id)?;
        let state = result.state.iter();
        Some(ControllerPast {
            epoch,
            id: digest,
            score: result.score.parts(),
            state: state
                .map(|(name, share)| (name.clone(), share.parts()))
                .collect(),
            payout: result.payout,
            remainder: result.remainder,
        })
    });
    Ok(Json(List::complete(past)))
}

/// What each of the last epochs said of a validator, oldest first.
pub(super) async fn validator(
    State(gateway): State<Gateway>,
    _: Key,
    Named(name): Named<Slug>,
) -> Result<Json<List<ValidatorPast>>, Failure> {
    let network = gateway.node.network();
    let past = last_epochs(&network, |epoch, settled| {
        let result = settled.output.validators.get(name.as_str())?;
        Some(ValidatorPast {
            epoch,
            name: name.clone(),
            skill: result.skill,
            pay: result.pay,
            slash: result.slash,
        })
    });
    Ok(Json(List::complete(past)))
}

fn last_epochs<T>(network: &Network, said: impl Fn(Epoch, &SettledEpoch) -> Option<T>) -> Vec<T> {
    let newest_first = network.settled_epochs().rev();
    let mut past: Vec<T> = newest_first
        .filter_map(|(epoch, settled)| said(epoch, settled))
        .take(HISTORY_PER_PAGE_MAX)
        .collect();
    past.reverse();
    past
}

/// `?id=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    /// A controller version's digest, or a validator's name; nobody when absent.
    id: Option<String>,
}

/// The epoch settled again from its input. Open to every key: what cannot be recomputed cannot
/// be trusted.
pub(super) async fn workings(
    State(gateway): State<Gateway>,
    _: Key,
    Named(epoch): Named<u64>,
    Asked(who): Asked<Who>,
) -> Result<Json<Workings>, Failure> {
    let network = gateway.node.network();
    let epoch = Epoch(epoch);
    let settled = super::statement::settled(&network, epoch)?;
    let (output, working) = settle_explained(&settled.input);
    let id = who.id.unwrap_or_default();
    Ok(Json(Workings {
        epoch,
        same: output == settled.output,
        data: explained(&network, &working, &id),
    }))
}

fn explained(network: &Network, working: &Settled<'_>, id: &str) -> Vec<Working> {
    let controllers = working.controllers.iter().filter(|row| row.id == id);
    let controllers = controllers.map(|row| Working {
        id: id.to_owned(),
        name: super::statement::name(network, id).unwrap_or_else(|| id.to_owned()),
        lines: row.lines(),
    });
    let validators = working.validators.iter().filter(|row| row.id == id);
    let validators = validators.map(|row| Working {
        id: id.to_owned(),
        name: id.to_owned(),
        lines: row.lines(),
    });
    controllers.chain(validators).collect()
}

pub(super) fn history_page(limit: Option<usize>) -> Result<usize, Failure> {
    per_page(limit, HISTORY_PER_PAGE, HISTORY_PER_PAGE_MAX)
}
