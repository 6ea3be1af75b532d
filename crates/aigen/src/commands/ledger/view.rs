//! The ledger's ids and codes as people know them.

use super::movement::{self, Movement};
use crate::failure::hinted;
use aigen_api::resources::{Account, Transfer};
use aigen_network::{AccountKind, Network, account_id};
use aigen_types::{Address, Day, Timestamp};
use anyhow::Result;
use serde::Serialize;

/// What one address has.
///
/// # Errors
/// When nothing was ever posted to it.
pub fn account(network: &Network, address: &Address) -> Result<Account> {
    let account = network.account(address).ok_or_else(|| {
        hinted(
            format!("{address} has no account: nothing was ever paid to it"),
            "`aigen ledger balance` lists every address",
        )
    })?;
    Ok(describe(address, account))
}

/// What everyone has. Issuance is left out: it owes what everyone else has.
pub fn accounts(network: &Network) -> Vec<Account> {
    let addresses = network.known_addresses().into_iter();
    addresses
        .filter(|address| AccountKind::of(address) != AccountKind::Issuance)
        .filter_map(|address| Some(describe(address, network.account(address)?)))
        .collect()
}

fn describe(address: &Address, account: &aigen_ledger::Account) -> Account {
    Account {
        address: address.clone(),
        available: account.available(),
        held: account.debits_pending,
        posted: account.credits_posted.saturating_sub(account.debits_posted),
    }
}

/// A transfer as `--json` prints it: the wire's form, and the call it was for.
#[derive(Clone, Debug, Serialize)]
pub struct Transferred {
    #[serde(flatten)]
    pub transfer: Transfer,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
}

/// Transfers that moved money, newest first.
pub fn transfers(network: &Network, account: Option<&Address>, limit: usize) -> Vec<Transferred> {
    let newest_first = movement::newest_first(network, account.map(account_id));
    newest_first
        .filter(Movement::moves_money)
        .take(limit)
        .map(describe_transfer)
        .collect()
}

fn describe_transfer(movement: Movement<'_>) -> Transferred {
    Transferred {
        transfer: Transfer {
            id: movement.transfer.id,
            from: movement.from.clone(),
            to: movement.to.clone(),
            amount: movement.transfer.amount,
            reason: movement.reason,
            at: movement.transfer.timestamp,
        },
        call: movement.call.map(|call| call.to_string()),
    }
}

/// Date and time in UTC, to the second: `2026-01-31 23:59:59`.
pub fn time(at: Timestamp) -> String {
    let (day, seconds) = (Day::of(at), at.seconds() % 86_400);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{day} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_200, "2024-03-01 00:00:00"),
            (1_798_761_599, "2026-12-31 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(time(Timestamp(seconds * 1_000_000_000)), text);
        }
    }
}
