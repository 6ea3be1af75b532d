use super::per_page;
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::limits::{TRANSFERS_PER_PAGE, TRANSFERS_PER_PAGE_MAX};
use crate::state::Gateway;
use aigen_api::resources::{List, Transfer};
use aigen_node::Caller;
use aigen_node::network::{Network, Role, account_id, transfer_reason};
use aigen_types::{AccountId, Address, TransferId};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// `?account=&limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Whose; the key's own account, or for an operator everyone's, when absent.
    account: Option<String>,
    /// How many, at most.
    limit: Option<usize>,
    /// Only transfers before this one.
    after: Option<String>,
}

/// Transfers that moved money, newest first.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(page): Asked<Page>,
) -> Result<Json<List<Transfer>>, Failure> {
    let account = whose(&caller, page.account.as_deref())?;
    let limit = per_page(page.limit, TRANSFERS_PER_PAGE, TRANSFERS_PER_PAGE_MAX)?;
    let network = gateway.node.network();
    let account = account.as_ref().map(account_id);
    let cursor = |after| cursor(&network, account, after);
    let before = page.after.as_deref().map(cursor);
    let data = newest(&network, account, before.transpose()?, limit);
    let next = data.last().filter(|_| data.len() == limit);
    Ok(Json(List {
        next: next.map(|transfer| transfer.id.to_string()),
        data,
    }))
}

/// `None`: everyone.
fn whose(caller: &Caller, asked: Option<&str>) -> Result<Option<Address>, Failure> {
    match asked {
        None if caller.role == Role::Operator => Ok(None),
        None => Ok(Some(caller.account.clone())),
        Some(text) => {
            let address = text.parse::<Address>();
            let address = address.map_err(|error| Failure::invalid("account", error))?;
            caller.must_own(&address)?;
            Ok(Some(address))
        }
    }
}

fn cursor(
    network: &Network,
    account: Option<AccountId>,
    after: &str,
) -> Result<TransferId, Failure> {
    let transfer = after
        .parse()
        .ok()
        .and_then(|id| network.ledger().transfer(id));
    let is_listed = |transfer: &aigen_node::ledger::Transfer| {
        let sides = [transfer.debit_account_id, transfer.credit_account_id];
        account.is_none_or(|account| sides.contains(&account))
    };
    transfer
        .filter(is_listed)
        .map(|transfer| transfer.id)
        .ok_or_else(|| Failure::invalid("after", "there is no such transfer"))
}

fn newest(
    network: &Network,
    account: Option<AccountId>,
    before: Option<TransferId>,
    limit: usize,
) -> Vec<Transfer> {
    let ledger = network.ledger();
    let newest_first: Box<dyn Iterator<Item = _>> = match account {
        Some(account) => ledger.account_transfers_before(account, before),
        None => Box::new(ledger.transfers_before(before)),
    };
    newest_first
        .filter_map(|transfer| describe(network, &transfer))
        .take(limit)
        .collect()
}

/// The transfer of this id, which was just posted.
pub(super) fn get(gateway: &Gateway, id: TransferId) -> Result<Json<Transfer>, Failure> {
    let network = gateway.node.network();
    let transfer = network.ledger().transfer(id);
    transfer
        .and_then(|transfer| describe(&network, &transfer))
        .map(Json)
        .ok_or_else(|| {
            Failure::not_found(format_args!("there is no transfer {id}"), "check the id")
        })
}

/// `None` for what reserves or frees money and moves none.
fn describe(network: &Network, transfer: &aigen_node::ledger::Transfer) -> Option<Transfer> {
    Some(Transfer {
        id: transfer.id,
        from: network.address(transfer.debit_account_id)?.clone(),
        to: network.address(transfer.credit_account_id)?.clone(),
        amount: transfer.amount,
        reason: transfer_reason(transfer)?.to_owned(),
        at: transfer.timestamp,
    })
}
