//! Budgets, allowances, and money given back.

use super::money::transfer_id;
use super::receipts;
use crate::extract::{Asked, Key, Named, Nothing, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{
    Allowance, AnyReceipt, Budget, GrantAllowance, List, Period, Refund, RefundReason, Reverse,
    RevokeAllowance, SetBudget,
};
use aigen_node::Caller;
use aigen_node::network::{self, Capped, Network, Role};
use aigen_types::{Address, BudgetPath, CallId, Ppm, Timestamp};
use axum::Json;
use axum::extract::State;

/// Those that the key may set and those that bound it.
pub(super) async fn budgets(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(Nothing {}): Asked<Nothing>,
) -> Json<List<Budget>> {
    let network = gateway.node.network();
    Json(List::complete(list_budgets(&network, &caller)))
}

fn list_budgets(network: &Network, caller: &Caller) -> Vec<Budget> {
    let seen = network.budgets();
    let seen = seen.filter(|(path, _)| caller.may_see_budget(path));
    seen.map(|(path, budget)| describe_budget(network, path, budget))
        .collect()
}

/// Each end user has an account of their own, so that a path of them has spent nothing itself.
pub(super) fn describe_budget(
    network: &Network,
    path: &BudgetPath,
    budget: &network::Budget,
) -> Budget {
    let window = budget.period.window(network.ledger().now());
    let state = match path.is_each_user() {
        true => network::CapState {
            cap: budget.cap,
            ..network::CapState::default()
        },
        false => network.cap_state(&network::Cap {
            of: Capped::Path(path.address()),
            window,
        }),
    };
    Budget {
        path: path.clone(),
        period: period_out(budget.period),
        resets_at: window.ends_at(),
        cap: state.cap,
        spent: state.spent,
        held: state.held,
        available: state.available(),
    }
}

/// When something ends by itself: what has ended already was meant otherwise.
pub(super) fn to_come(
    param: &str,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    if end.is_some_and(|end| end <= now) {
        let reason = "is over; times are in nanoseconds since the Unix epoch";
        return Err(Failure::invalid(param, reason));
    }
    Ok(end)
}

/// Answers with every budget that the key sees.
pub(super) async fn set(
    State(gateway): State<Gateway>,
    post: Post<SetBudget>,
) -> Result<Json<List<Budget>>, Failure> {
    let SetBudget { path, cap, period } = post.body;
    let period = period_in(period);
    let set = network::SetBudget { path, cap, period };
    gateway.node.set_budget(&post.caller, set).await?;
    let network = gateway.node.network();
    Ok(Json(List::complete(list_budgets(&network, &post.caller))))
}

/// Those that the key's account granted or may spend; an operator's key sees all.
pub(super) async fn allowances(
    State(gateway): State<Gateway>,
    Key(caller): Key,
) -> Json<List<Allowance>> {
    let network = gateway.node.network();
    Json(List::complete(list_allowances(&network, &caller)))
}

fn list_allowances(network: &Network, caller: &Caller) -> Vec<Allowance> {
    let seen = network.allowances().filter(|((user, app), _)| {
        caller.role == Role::Operator || [user, app].contains(&&caller.account)
    });
    seen.map(|((user, app), allowance)| describe_allowance(network, user, app, allowance))
        .collect()
}

pub(super) fn describe_allowance(
    network: &Network,
    user: &Address,
    app: &Address,
    allowance: &network::Allowance,
) -> Allowance {
    let now = network.ledger().now();
    let state = network.cap_state(&network::Cap {
        of: Capped::Allowance {
            user: user.clone(),
            app: app.clone(),
        },
        window: allowance.period.window(now),
    });
    Allowance {
        user: user.clone(),
        app: app.clone(),
        live: allowance.is_live(now),
        period: period_out(allowance.period),
        margin_ppm: allowance.margin.parts(),
        expires_at: allowance.expires_at,
        cap: state.cap,
        spent: state.spent,
        held: state.held,
        available: state.available(),
    }
}

pub(super) async fn grant(
    State(gateway): State<Gateway>,
    post: Post<GrantAllowance>,
) -> Result<Json<List<Allowance>>, Failure> {
    let body = post.body;
    let now = gateway.node.network().ledger().now();
    let too_large = || Failure::invalid("margin_ppm", "must be 0 to 1000000");
    let grant = network::GrantAllowance {
        user: body.user.unwrap_or_else(|| post.caller.account.clone()),
        app: body.app,
        cap: body.cap,
        period: period_in(body.period),
        margin: Ppm::new(body.margin_ppm).ok_or_else(too_large)?,
        expires_at: to_come("expires_at", body.expires_at, now)?,
    };
    gateway.node.grant_allowance(&post.caller, grant).await?;
    let network = gateway.node.network();
    Ok(Json(List::complete(list_allowances(
        &network,
        &post.caller,
    ))))
}

pub(super) async fn revoke(
    State(gateway): State<Gateway>,
    post: Post<RevokeAllowance>,
) -> Result<Json<List<Allowance>>, Failure> {
    let RevokeAllowance { app, user } = post.body;
    let user = user.unwrap_or_else(|| post.caller.account.clone());
    let revoke = network::RevokeAllowance { user, app };
    gateway.node.revoke_allowance(&post.caller, revoke).await?;
    let network = gateway.node.network();
    Ok(Json(List::complete(list_allowances(
        &network,
        &post.caller,
    ))))
}

/// Answers with the receipt, which tells what was given back.
pub(super) async fn reverse(
    State(gateway): State<Gateway>,
    Named(call): Named<CallId>,
    post: Post<Reverse>,
) -> Result<Json<AnyReceipt>, Failure> {
    let reverse = network::ReverseCall {
        id: transfer_id(&post.caller, post.idempotency_key.as_deref(), post.body.id)?,
        call,
        reason: reason_in(post.body.reason),
    };
    gateway.node.reverse(&post.caller, reverse).await?;
    receipts::any(&gateway, &post.caller, call)
}

pub(super) async fn refund(
    State(gateway): State<Gateway>,
    Named(call): Named<CallId>,
    post: Post<Refund>,
) -> Result<Json<AnyReceipt>, Failure> {
    let refund = network::RefundCall {
        id: transfer_id(&post.caller, post.idempotency_key.as_deref(), post.body.id)?,
        call,
        amount: post.body.amount,
        reason: reason_in(post.body.reason),
    };
    gateway.node.refund(&post.caller, refund).await?;
    receipts::any(&gateway, &post.caller, call)
}

pub(super) fn period_in(period: Period) -> network::Period {
    match period {
        Period::Day => network::Period::Day,
        Period::Week => network::Period::Week,
        Period::Month => network::Period::Month,
        Period::Total => network::Period::Total,
    }
}

fn period_out(period: network::Period) -> Period {
    match period {
        network::Period::Day => Period::Day,
        network::Period::Week => Period::Week,
        network::Period::Month => Period::Month,
        network::Period::Total => Period::Total,
    }
}

fn reason_in(reason: RefundReason) -> network::RefundReason {
    match reason {
        RefundReason::Duplicate => network::RefundReason::Duplicate,
        RefundReason::ServiceFailure => network::RefundReason::ServiceFailure,
        RefundReason::Quality => network::RefundReason::Quality,
        RefundReason::Fraud => network::RefundReason::Fraud,
        RefundReason::Goodwill => network::RefundReason::Goodwill,
        RefundReason::Other => network::RefundReason::Other,
    }
}

pub(super) fn reason_out(reason: network::RefundReason) -> RefundReason {
    match reason {
        network::RefundReason::Duplicate => RefundReason::Duplicate,
        network::RefundReason::ServiceFailure => RefundReason::ServiceFailure,
        network::RefundReason::Quality => RefundReason::Quality,
        network::RefundReason::Fraud => RefundReason::Fraud,
        network::RefundReason::Goodwill => RefundReason::Goodwill,
        network::RefundReason::Other => RefundReason::Other,
    }
}
