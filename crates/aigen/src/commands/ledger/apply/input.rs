//! A line of commands, read strictly: what is not understood is named, not skipped.

use crate::failure::hinted;
use aigen_ledger::{
    AccountFilter, AccountFilterFlags, AccountFlags, AccountRequest, QueryFilter, QueryFilterFlags,
    TransferFlags, TransferRequest, UnknownFlag,
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

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

/// A whole number: a string of digits, or an integer of JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole<T>(pub T);

impl<'de, T: TryFrom<u128>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor(PhantomData))
    }
}

struct WholeVisitor<T>(PhantomData<T>);

impl<T> WholeVisitor<T> {
    /// The largest of an unsigned type.
    fn max() -> u128 {
        u128::MAX >> (u128::BITS as usize - 8 * size_of::<T>())
    }
}

impl<T: TryFrom<u128>> Visitor<'_> for WholeVisitor<T> {
    type Value = Whole<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0 to {}", Self::max())
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Whole<T>, E> {
        let fits = T::try_from(number).map(Whole);
        fits.map_err(|_| E::custom(format_args!("{number} is more than {}", Self::max())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<T>, E> {
        self.visit_u128(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole<T>, E> {
        Err(E::custom(format_args!("{number} is less than zero")))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Whole<T>, E> {
        Err(E::custom(
            "not a whole number up to 2^64 - 1; write larger ones as decimal strings",
        ))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Whole<T>, E> {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let shown: String = text.chars().take(60).collect();
        if !is_digits {
            return Err(E::custom(format_args!(
                "{shown:?} is not a whole number of digits"
            )));
        }
        let number = text.parse();
        number.map_or_else(
            |_| {
                Err(E::custom(format_args!(
                    "{shown} is more than {}",
                    Self::max()
                )))
            },
            |number| self.visit_u128(number),
        )
    }
}

macro_rules! whole_into {
    ($($from:ty => $to:ty: $make:expr;)*) => {
        $(impl From<Whole<$from>> for $to {
            fn from(Whole(number): Whole<$from>) -> Self {
                $make(number)
            }
        })*
    };
}

whole_into! {
    u128 => u128: std::convert::identity;
    u64 => u64: std::convert::identity;
    u32 => u32: std::convert::identity;
    u16 => u16: std::convert::identity;
    u128 => AccountId: AccountId;
    u128 => TransferId: TransferId;
    u128 => Amount: Amount::from_nano;
    u64 => Timestamp: Timestamp;
}

/// `true`, and nothing else.
#[derive(Debug)]
pub struct Yes;

impl<'de> Deserialize<'de> for Yes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let is_true = bool::deserialize(deserializer)?;
        is_true
            .then_some(Self)
            .ok_or_else(|| Error::custom("only true means something here"))
    }
}

/// Flags as a list of their names.
#[derive(Debug, Default)]
pub struct Names<T>(T);

/// A set of flags that have names.
trait Flags: Sized {
    fn from_names(names: &[String]) -> Result<Self, UnknownFlag>;
    fn known() -> Vec<&'static str>;
}

macro_rules! flags {
    ($($name:ident)*) => {
        $(
            impl Flags for $name {
                fn from_names(names: &[String]) -> Result<Self, UnknownFlag> {
                    Self::from_names(names.iter().map(String::as_str))
                }

                fn known() -> Vec<&'static str> {
                    Self::ALL.names().collect()
                }
            }

            impl From<Names<$name>> for $name {
                fn from(names: Names<$name>) -> Self {
                    names.0
                }
            }
        )*
    };
}

flags! { AccountFlags TransferFlags AccountFilterFlags QueryFilterFlags }

impl<'de, T: Flags> Deserialize<'de> for Names<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        T::from_names(&names).map(Names).map_err(|unknown| {
            let known = T::known().join(", ");
            Error::custom(format_args!("{unknown}; there are {known}"))
        })
    }
}
