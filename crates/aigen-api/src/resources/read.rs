use crate::{money, text};
use aigen_types::{Address, Amount, DatasetRef};
use serde::{Deserialize, Serialize};

/// What was read of a dataset, by a call or on its own, and what that cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRead {
    /// The version.
    #[serde(with = "text")]
    pub dataset: DatasetRef,
    /// What for: `read`, `completion`, `controller` or `download`.
    pub purpose: String,
    /// Which columns; all where empty.
    #[serde(default)]
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
    /// How many of them a search found.
    pub hits: u64,
    /// Which rows, by their numbers from 0, in order.
    pub ranges: Vec<RowRange>,
    /// What it cost; nothing where the call ended before its prompt was computed.
    #[serde(flatten, with = "money::fee")]
    pub fee: Amount,
    /// The dataset's provider.
    #[serde(with = "text")]
    pub provider: Address,
    /// What the provider was paid: the fee without the protocol's share, and of a call its part of
    /// the `data` share.
    #[serde(flatten, with = "money::earned")]
    pub earned: Amount,
}

/// Rows that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRange {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
}
