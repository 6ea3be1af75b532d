use super::{ReceiptKind, TokenUsage};
use crate::{money, text};
use aigen_types::{Address, Amount, ControllerRef, DatasetRef, Day, ModelName};
use serde::{Deserialize, Serialize};

/// `GET /v1/aigen/usage?account=&from=&to=&by=`: calls that ended, what they used and what they
/// cost; and in rows of their own what was read of datasets outside of calls. A field that was not
/// asked for by `by` is absent, and its values are summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// What the row sums up, where it is not calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ReceiptKind>,
    /// Who paid.
    #[serde(with = "text")]
    pub account: Address,
    /// The UTC day on which the calls ended, or the reads were paid, as `2026-01-31`.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub day: Option<Day>,
    /// To whom they are attributed.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub spender: Option<Address>,
    /// The model that answered.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub model: Option<ModelName>,
    /// The controller version that steered; absent also where none did.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub controller: Option<ControllerRef>,
    /// The dataset version that was read; absent of calls, whose receipts name what their prompts read.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub dataset: Option<DatasetRef>,
    /// How many calls.
    pub calls: u64,
    /// How many reads outside of calls, downloads among them.
    #[serde(default)]
    pub reads: u64,
    /// How many rows those had.
    #[serde(default)]
    pub rows: u64,
    /// The calls' tokens.
    pub usage: TokenUsage,
    /// What was charged for them, margins included.
    #[serde(flatten, with = "money::charged")]
    pub charged: Amount,
    /// What was given back of it since.
    #[serde(flatten, with = "money::given_back")]
    pub given_back: Amount,
}
