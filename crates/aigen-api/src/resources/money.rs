use crate::{money, text};
use aigen_types::{Address, Amount, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

/// `GET /v1/aigen/accounts/{address}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    #[serde(with = "text")]
    pub address: Address,
    /// What it can spend now: posted less held.
    #[serde(flatten, with = "money::available")]
    pub available: Amount,
    /// What is reserved for running calls.
    #[serde(flatten, with = "money::held")]
    pub held: Amount,
    /// What it owns for good.
    #[serde(flatten, with = "money::posted")]
    pub posted: Amount,
}

/// Money moved from one account to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id.
    #[serde(with = "text")]
    pub id: TransferId,
    /// Who paid.
    #[serde(with = "text")]
    pub from: Address,
    /// Who received.
    #[serde(with = "text")]
    pub to: Address,
    /// How much.
    #[serde(flatten, with = "money::amount")]
    pub amount: Amount,
    /// Why, in one word: `issue`, `pay`, `capture`, `payout`, …
    pub reason: String,
    /// When, by ledger time.
    #[serde(with = "money::time")]
    pub at: Timestamp,
}

/// `POST /v1/aigen/issue`, operators only: money enters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    /// Who receives.
    #[serde(with = "text")]
    pub to: Address,
    /// How much, in AIGEN; more than zero.
    #[serde(with = "text")]
    pub amount: Amount,
    /// Chosen by the caller, so that a retry issues once; drawn by the node when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<TransferId>,
}

/// `POST /v1/aigen/transfers`: the key's account pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// Who receives.
    #[serde(with = "text")]
    pub to: Address,
    /// How much, in AIGEN; more than zero.
    #[serde(with = "text")]
    pub amount: Amount,
    /// Chosen by the caller, so that a retry pays once; drawn by the node when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<TransferId>,
}
