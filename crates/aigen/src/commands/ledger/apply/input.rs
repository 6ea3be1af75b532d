//! A line of commands, read strictly: what is not understood is named, not skipped.

use super::values::{Names, Whole, Yes};
use crate::failure::hinted;
use aigen_ledger::{
    AccountFilter, AccountFilterFlags, AccountFlags, AccountRequest, QueryFilter, QueryFilterFlags,
    TransferFlags, TransferRequest,
};

/// A line.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    CreateAccount(AccountFields),
    CreateTransfer(TransferFields),
    Commit(Yes),
    TickSeconds(Whole<u64>),
    LookupAccount(Whole<u128>),
    LookupTransfer(Whole<u128>),
    GetAccountTransfers(AccountFilterFields),
    QueryTransfers(QueryFields),
    QueryAccounts(QueryFields),
}

/// Why a line is no command.
pub struct Fault {
    message: String,
    column: Option<String>,
}

impl Fault {
    pub fn at(&self, place: &str) -> anyhow::Error {
        let column = self
            .column
            .as_deref()
            .map(|column| format!(", column {column}"));
        hinted(
            format!("{place}{}: {}", column.unwrap_or_default(), self.message),
            "a number is a decimal string like \"100\" or a JSON integer, flags are a list of names; \
             `aigen ledger apply --help` shows every command",
        )
    }
}

/// # Errors
/// What the line has instead of a command, and where.
pub fn parse(line: &[u8]) -> Result<Command, Fault> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let command = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        fault((path != "." && path != "?").then_some(path), error.inner())
    })?;
    json.end().map_err(|error| fault(None, &error))?;
    Ok(command)
}

fn fault(path: Option<String>, error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    // Its line is always the first: it sees no other.
    let (message, column) = match text.rsplit_once(" at line 1 column ") {
        Some((message, column)) => (message, Some(column.to_owned())),
        None => (text.as_str(), None),
    };
    let path = path.map(|path| format!("{path}: ")).unwrap_or_default();
    Fault {
        message: format!("{path}{message}"),
        column,
    }
}

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident as $target:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($field: $kind,)*
        }

        impl From<$name> for $target {
            fn from(fields: $name) -> Self {
                Self { $($field: fields.$field.into(),)* }
            }
        }
    };
}

fields! {
    /// As TigerBeetle's account, and the limit. What is absent is zero.
    AccountFields as AccountRequest {
        id: Whole<u128>,
        debits_pending: Whole<u128>,
        debits_posted: Whole<u128>,
        credits_pending: Whole<u128>,
        credits_posted: Whole<u128>,
        limit: Whole<u128>,
        user_data_128: Whole<u128>,
        user_data_64: Whole<u64>,
        user_data_32: Whole<u32>,
        ledger: Whole<u32>,
        code: Whole<u16>,
        flags: Names<AccountFlags>,
        timestamp: Whole<u64>,
    }
}

fields! {
    /// As TigerBeetle's transfer. What is absent is zero.
    TransferFields as TransferRequest {
        id: Whole<u128>,
        debit_account_id: Whole<u128>,
        credit_account_id: Whole<u128>,
        amount: Whole<u128>,
        pending_id: Whole<u128>,
        user_data_128: Whole<u128>,
        user_data_64: Whole<u64>,
        user_data_32: Whole<u32>,
        timeout: Whole<u32>,
        ledger: Whole<u32>,
        code: Whole<u16>,
        flags: Names<TransferFlags>,
        timestamp: Whole<u64>,
    }
}

fields! {
    /// As TigerBeetle's filter. What is absent is zero.
    AccountFilterFields as AccountFilter {
        account_id: Whole<u128>,
        user_data_128: Whole<u128>,
        user_data_64: Whole<u64>,
        user_data_32: Whole<u32>,
        code: Whole<u16>,
        timestamp_min: Whole<u64>,
        timestamp_max: Whole<u64>,
        limit: Whole<u32>,
        flags: Names<AccountFilterFlags>,
    }
}

fields! {
    /// As TigerBeetle's filter. What is absent is zero.
    QueryFields as QueryFilter {
        user_data_128: Whole<u128>,
        user_data_64: Whole<u64>,
        user_data_32: Whole<u32>,
        ledger: Whole<u32>,
        code: Whole<u16>,
        timestamp_min: Whole<u64>,
        timestamp_max: Whole<u64>,
        limit: Whole<u32>,
        flags: Names<QueryFilterFlags>,
    }
}
