//! Teams and apps: whoever keys, budgets and allowances name as one.

use super::spending::{describe_allowance, describe_budget};
use crate::extract::Key;
use crate::state::Gateway;
use aigen_api::resources::{List, Spender};
use aigen_node::Caller;
use aigen_node::network::Network;
use aigen_types::{Address, Slug};
use axum::Json;
use axum::extract::State;
use std::collections::BTreeSet;

pub(super) async fn teams(State(gateway): State<Gateway>, Key(caller): Key) -> Json<List<Spender>> {
    list(&gateway, &caller, "team")
}

pub(super) async fn apps(State(gateway): State<Gateway>, Key(caller): Key) -> Json<List<Spender>> {
    list(&gateway, &caller, "app")
}

/// Those of a kind that the key may see: an operator's all, any other those below its spender.
fn list(gateway: &Gateway, caller: &Caller, kind: &str) -> Json<List<Spender>> {
    let network = gateway.node.network();
    let named = named(&network);
    let spenders = named.iter();
    let spenders = spenders.filter(|address| is(address, kind) && caller.may_see_spender(address));
    let spenders = spenders.map(|address| describe(&network, address));
    Json(List::complete(spenders.collect()))
}

/// Everyone who spends or may, and whoever they are part of.
fn named(network: &Network) -> BTreeSet<Address> {
    let keys = network.keys().map(|(_, key)| key.spender.clone());
    let bounded = network.budgets().map(|(path, _)| path.address());
    let allowed = network.allowances().map(|((_, app), _)| app.clone());
    let all = keys.chain(bounded).chain(allowed);
    all.flat_map(|address| address.way()).collect()
}

/// Whether the last pair of an address is of this kind.
fn is(address: &Address, kind: &str) -> bool {
    address.as_str().rsplit(':').nth(1) == Some(kind)
}

fn describe(network: &Network, address: &Address) -> Spender {
    let keys = network.keys();
    let of_it = |name: &Slug, spender: &Address| {
        spender == address || spender.above_key(name).as_ref() == Some(address)
    };
    let keys = keys.filter(|(name, key)| of_it(name, &key.spender) && !key.revoked);
    let budgets = network.budgets();
    let budgets = budgets.filter(|(path, _)| path.address() == *address);
    let allowances = network.allowances();
    let allowances = allowances.filter(|((_, app), _)| app == address);
    Spender {
        address: address.clone(),
        keys: keys.map(|(name, _)| Slug::clone(name)).collect(),
        budgets: budgets
            .map(|(path, budget)| describe_budget(network, path, budget))
            .collect(),
        allowances: allowances
            .map(|((user, app), allowance)| describe_allowance(network, user, app, allowance))
            .collect(),
    }
}
