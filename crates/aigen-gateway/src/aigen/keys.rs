use super::spending::{describe_budget, period_in, to_come};
use crate::extract::{self, Named, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{
    Budget, Key, KeyCreated, KeyLimits, KeyRole, KeyScope, List, NewKey, SetKeyBudget,
};
use aigen_node::network::{self, Network, Role, Scope};
use aigen_node::{Caller, KeyTerms, has_secret, random_digest};
use aigen_types::{BudgetPath, Slug, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use std::time::{SystemTime, UNIX_EPOCH};

/// The only time a key's secret is shown.
pub(super) async fn create(
    State(gateway): State<Gateway>,
    post: Post<NewKey>,
) -> Result<Response, Failure> {
    let NewKey {
        account,
        name,
        role,
        spender,
        limits,
        budget,
    } = post.body;
    let name = name.unwrap_or_else(drawn_name);
    if has_secret(name.as_str()) {
        let reason = "is a whole key, and would be public; choose a word";
        return Err(Failure::invalid("name", reason));
    }
    if spender
        .as_ref()
        .is_some_and(|spender| !spender.is_within(&account))
    {
        let reason = format!("has to be {account} or a part of it, like {account}:app:NAME");
        return Err(Failure::invalid("spender", reason));
    }
    let wanted = match role {
        KeyRole::Customer => Role::Customer,
        KeyRole::Operator => Role::Operator,
    };
    if budget.is_some() && wanted == Role::Operator {
        let reason = "an operator's key sets budgets, so that none bounds it; leave it out";
        return Err(Failure::invalid("budget", reason));
    }
    let terms = KeyTerms {
        account,
        role: wanted,
        spender,
        limits: limits_of("limits.", limits)?,
        budget: budget.map(|budget| network::Budget {
            cap: budget.cap,
            period: period_in(budget.per),
        }),
    };
    let issued = gateway.node.create_key(&post.caller, name, terms).await?;
    let spender = issued.record.spender;
    let created = KeyCreated {
        name: issued.record.name,
        key: issued.secret,
        spender: spender.unwrap_or_else(|| issued.record.account.clone()),
        account: issued.record.account,
        role,
    };
    let never_kept = [(CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, never_kept, Json(created)).into_response())
}

/// By this machine's clock, as keys are checked.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    Timestamp(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn drawn_name() -> Slug {
    let name = format!("key-{}", random_digest().short(12));
    name.parse().expect("letters, a hyphen and hex digits")
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    extract::Key(caller): extract::Key,
) -> Result<Json<List<Key>>, Failure> {
    caller.must_operate()?;
    let network = gateway.node.network();
    let keys = network.keys();
    let keys = keys.map(|(name, key)| describe(&network, name, key));
    Ok(Json(List::complete(keys.collect())))
}

/// An operator's key sees all, every other itself: who holds a key may know what is left of it.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    extract::Key(caller): extract::Key,
    Named(name): Named<Slug>,
) -> Result<Json<Key>, Failure> {
    if caller.key != name {
        caller.must_operate()?;
    }
    show(&gateway, &name)
}

pub(super) async fn revoke(
    State(gateway): State<Gateway>,
    extract::Key(caller): extract::Key,
    Named(name): Named<Slug>,
) -> Result<Json<Key>, Failure> {
    gateway.node.revoke_key(&caller, name.clone()).await?;
    show(&gateway, &name)
}

pub(super) async fn limit(
    State(gateway): State<Gateway>,
    Named(name): Named<Slug>,
    post: Post<KeyLimits>,
) -> Result<Json<Key>, Failure> {
    let limits = limits_of("", post.body)?;
    must_live(&gateway, &post.caller, &name)?;
    let node = &gateway.node;
    node.limit_key(&post.caller, name.clone(), limits).await?;
    show(&gateway, &name)
}

pub(super) async fn bound(
    State(gateway): State<Gateway>,
    Named(name): Named<Slug>,
    post: Post<SetKeyBudget>,
) -> Result<Json<Key>, Failure> {
    must_live(&gateway, &post.caller, &name)?;
    let SetKeyBudget { cap, per } = post.body;
    let period = period_in(per);
    let budget = cap.map(|cap| network::Budget { cap, period });
    gateway.node.bound_key(&post.caller, &name, budget).await?;
    show(&gateway, &name)
}

/// A key that has ended stays as it was.
fn must_live(gateway: &Gateway, caller: &Caller, name: &Slug) -> Result<(), Failure> {
    caller.must_operate()?;
    let network = gateway.node.network();
    match network.key(name).is_some_and(|key| key.revoked) {
        true => Err(Failure::key_ended(name)),
        false => Ok(()),
    }
}

fn show(gateway: &Gateway, name: &Slug) -> Result<Json<Key>, Failure> {
    let network = gateway.node.network();
    let key = network.key(name).map(|key| describe(&network, name, key));
    let gone = || Failure::not_found(format_args!("there is no key {name}"), "check the name");
    key.map(Json).ok_or_else(gone)
}

/// # Errors
/// Limits with which the key could never be used, named as they stand in the body.
fn limits_of(within: &str, limits: KeyLimits) -> Result<network::KeyLimits, Failure> {
    let rates = [
        ("requests_per_minute", limits.requests_per_minute),
        ("tokens_per_minute", limits.tokens_per_minute),
    ];
    if let Some((rate, _)) = rates.iter().find(|(_, limit)| *limit == Some(0)) {
        let reason = "with 0 no call ever begins; revoke the key, or leave this out for no limit";
        return Err(Failure::invalid(&format!("{within}{rate}"), reason));
    }
    let expires_at = to_come(&format!("{within}expires_at"), limits.expires_at, now())?;
    let scope = |scope| match scope {
        KeyScope::Complete => Scope::Complete,
        KeyScope::Read => Scope::Read,
        KeyScope::Manage => Scope::Manage,
    };
    Ok(network::KeyLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        expires_at,
        models: limits.models,
        controllers: limits.controllers,
        datasets: limits.datasets,
        scopes: limits.scopes.into_iter().map(scope).collect(),
    })
}

fn shown(limits: &network::KeyLimits) -> KeyLimits {
    let scope = |scope: &Scope| match scope {
        Scope::Complete => KeyScope::Complete,
        Scope::Read => KeyScope::Read,
        Scope::Manage => KeyScope::Manage,
    };
    KeyLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        expires_at: limits.expires_at,
        models: limits.models.clone(),
        controllers: limits.controllers.clone(),
        datasets: limits.datasets.clone(),
        scopes: limits.scopes.iter().map(scope).collect(),
    }
}

fn describe(network: &Network, name: &Slug, key: &network::Key) -> Key {
    let limits = network.keyring().limits.get(name).map(shown);
    let limits = limits.unwrap_or_default();
    Key {
        name: name.clone(),
        account: key.account.clone(),
        spender: key.spender.clone(),
        role: match key.role {
            Role::Customer => KeyRole::Customer,
            Role::Operator => KeyRole::Operator,
        },
        revoked: key.revoked,
        expired: limits.expires_at.is_some_and(|end| end <= now()),
        limits,
        budget: own_budget(network, name, key),
    }
}

/// What bounds this key and nobody else.
fn own_budget(network: &Network, name: &Slug, key: &network::Key) -> Option<Budget> {
    key.spender.above_key(name)?;
    let budget = network.budget_of(&key.spender)?;
    let path = BudgetPath::from(&key.spender);
    Some(describe_budget(network, &path, budget))
}
