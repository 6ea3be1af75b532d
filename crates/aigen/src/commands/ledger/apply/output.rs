//! Answers, one JSON value each. Numbers are decimal strings: most readers of JSON lose the digits
//! of larger ones.

use aigen_ledger::{Account, Transfer};
use aigen_types::TransferId;
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::fmt::Display;

/// What a command that asks for no record is answered.
pub enum Answer<'a> {
    /// `created`, or the refusal's name.
    Request(&'static str),
    Committed,
    /// The holds that expired.
    Ticked(&'a [TransferId]),
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Request(status) => map.serialize_entry("status", status)?,
            Self::Committed => map.serialize_entry("status", "committed")?,
            Self::Ticked(expired) => {
                let ids: Vec<_> = expired.iter().map(|id| Text(id.0)).collect();
                map.serialize_entry("status", "ticked")?;
                map.serialize_entry("expired", &ids)?;
            }
        }
        map.end()
    }
}

/// As text.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Its fields in TigerBeetle's order, the limit last.
pub fn account(account: &Account) -> impl Serialize + use<> {
    #[derive(Serialize)]
    struct Record {
        id: Text<u128>,
        debits_pending: Text<u128>,
        debits_posted: Text<u128>,
        credits_pending: Text<u128>,
        credits_posted: Text<u128>,
        user_data_128: Text<u128>,
        user_data_64: Text<u64>,
        user_data_32: Text<u32>,
        ledger: Text<u32>,
        code: Text<u16>,
        flags: Vec<&'static str>,
        timestamp: Text<u64>,
        limit: Text<u128>,
    }
    Record {
        id: Text(account.id.0),
        debits_pending: Text(account.debits_pending.nano()),
        debits_posted: Text(account.debits_posted.nano()),
        credits_pending: Text(account.credits_pending.nano()),
        credits_posted: Text(account.credits_posted.nano()),
        user_data_128: Text(account.user_data_128),
        user_data_64: Text(account.user_data_64),
        user_data_32: Text(account.user_data_32),
        ledger: Text(account.ledger),
        code: Text(account.code),
        flags: account.flags.names().collect(),
        timestamp: Text(account.timestamp.0),
        limit: Text(account.limit.nano()),
    }
}

/// Its fields in TigerBeetle's order.
pub fn transfer(transfer: &Transfer) -> impl Serialize + use<> {
    #[derive(Serialize)]
    struct Record {
        id: Text<u128>,
        debit_account_id: Text<u128>,
        credit_account_id: Text<u128>,
        amount: Text<u128>,
        pending_id: Text<u128>,
        user_data_128: Text<u128>,
        user_data_64: Text<u64>,
        user_data_32: Text<u32>,
        timeout: Text<u32>,
        ledger: Text<u32>,
        code: Text<u16>,
        flags: Vec<&'static str>,
        timestamp: Text<u64>,
    }
    Record {
        id: Text(transfer.id.0),
        debit_account_id: Text(transfer.debit_account_id.0),
        credit_account_id: Text(transfer.credit_account_id.0),
        amount: Text(transfer.amount.nano()),
        pending_id: Text(transfer.pending_id.0),
        user_data_128: Text(transfer.user_data_128),
        user_data_64: Text(transfer.user_data_64),
        user_data_32: Text(transfer.user_data_32),
        timeout: Text(transfer.timeout),
        ledger: Text(transfer.ledger),
        code: Text(transfer.code),
        flags: transfer.flags.names().collect(),
        timestamp: Text(transfer.timestamp.0),
    }
}
