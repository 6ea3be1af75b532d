use crate::extract::{self, Named, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{Key, KeyCreated, KeyLimits, KeyRole, KeyScope, List, NewKey};
use aigen_node::network::{self, Network, Role, Scope};
use aigen_node::random_digest;
use aigen_types::Slug;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

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
    } = post.body;
    let name = name.unwrap_or_else(drawn_name);
    let wanted = match role {
        KeyRole::Customer => Role::Customer,
        KeyRole::Operator => Role::Operator,
    };
    let node = &gateway.node;
    let limits = limits_of(limits);
    let created = node.create_key(&post.caller, name, account, wanted, spender, limits);
    let issued = created.await?;
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
    let limits = limits_of(post.body);
    let node = &gateway.node;
    node.limit_key(&post.caller, name.clone(), limits).await?;
    show(&gateway, &name)
}

fn show(gateway: &Gateway, name: &Slug) -> Result<Json<Key>, Failure> {
    let network = gateway.node.network();
    let key = network.key(name).map(|key| describe(&network, name, key));
    let gone = || Failure::not_found(format_args!("there is no key {name}"), "check the name");
    key.map(Json).ok_or_else(gone)
}

fn limits_of(limits: KeyLimits) -> network::KeyLimits {
    let scope = |scope| match scope {
        KeyScope::Complete => Scope::Complete,
        KeyScope::Read => Scope::Read,
        KeyScope::Manage => Scope::Manage,
    };
    network::KeyLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        expires_at: limits.expires_at,
        models: limits.models,
        controllers: limits.controllers,
        datasets: limits.datasets,
        scopes: limits.scopes.into_iter().map(scope).collect(),
    }
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
    Key {
        name: name.clone(),
        account: key.account.clone(),
        spender: key.spender.clone(),
        role: match key.role {
            Role::Customer => KeyRole::Customer,
            Role::Operator => KeyRole::Operator,
        },
        revoked: key.revoked,
        limits: network
            .keyring()
            .limits
            .get(name)
            .map(shown)
            .unwrap_or_default(),
    }
}
