use super::transfers;
use crate::extract::{Key, Named, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{Account, Fund, Pay, Transfer};
use aigen_node::network::Network;
use aigen_node::{Caller, random_transfer_id};
use aigen_types::{Address, Amount, TransferId};
use axum::Json;
use axum::extract::State;

/// The account that the key spends from.
pub(super) async fn own(State(gateway): State<Gateway>, Key(caller): Key) -> Json<Account> {
    Json(describe(&gateway.node.network(), caller.account))
}

pub(super) async fn account(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(address): Named<Address>,
) -> Result<Json<Account>, Failure> {
    caller.must_own(&address)?;
    Ok(Json(describe(&gateway.node.network(), address)))
}

/// An address that nothing was ever posted to has nothing.
fn describe(network: &Network, address: Address) -> Account {
    let account = network.account(&address);
    let of =
        |amount: fn(&aigen_node::ledger::Account) -> Amount| account.map_or(Amount::ZERO, amount);
    Account {
        available: of(aigen_node::ledger::Account::available),
        held: of(|account| account.debits_pending),
        // Issuance alone owes more than it owns; what it owes is what everyone else has.
        posted: of(|account| account.credits_posted.saturating_sub(account.debits_posted)),
        address,
    }
}

pub(super) async fn issue(
    State(gateway): State<Gateway>,
    post: Post<Fund>,
) -> Result<Json<Transfer>, Failure> {
    let Fund { to, amount, id } = post.body;
    let id = transfer_id(&post.caller, post.idempotency_key.as_deref(), id)?;
    let issued = gateway.node.issue(&post.caller, id, to, amount).await;
    let id = issued.map_err(|error| differing(error.into()))?;
    transfers::get(&gateway, id)
}

pub(super) async fn pay(
    State(gateway): State<Gateway>,
    post: Post<Pay>,
) -> Result<Json<Transfer>, Failure> {
    let Pay { to, amount, id } = post.body;
    let (caller, key) = (&post.caller, post.idempotency_key.as_deref());
    let (id, payer) = (transfer_id(caller, key, id)?, &caller.account);
    let paid = gateway.node.pay(caller, id, to, amount).await;
    let id = paid.map_err(|error| differing(Failure::to_payer(error, payer)))?;
    transfers::get(&gateway, id)
}

/// The field in which a transfer is not the one that its id stands for.
fn differing(failure: Failure) -> Failure {
    match failure.code() {
        "exists_with_different_amount" => failure.param("amount"),
        "exists_with_different_credit_account_id" => failure.param("to"),
        _ => failure,
    }
}

/// Which transfer it is: that of the body's `id` or of the `Idempotency-Key`, the same at every
/// retry, or a new one.
///
/// # Errors
/// An id that is none, or both.
pub(super) fn transfer_id(
    caller: &Caller,
    key: Option<&str>,
    given: Option<TransferId>,
) -> Result<TransferId, Failure> {
    let wrong = |reason| Err(Failure::invalid("id", reason));
    match (given, key) {
        (None, None) => Ok(random_transfer_id()),
        (None, Some(key)) => Ok(caller.chosen_by(key)),
        (Some(_), Some(_)) => {
            wrong("the Idempotency-Key names the transfer already; give one of both")
        }
        (Some(TransferId(0 | u128::MAX)), None) => wrong("all zeros and all ones are not ids"),
        (Some(id), None) => Ok(id),
    }
}
