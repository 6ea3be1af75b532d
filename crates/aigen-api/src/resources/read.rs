use super::{ChargeLine, Correction, DatasetUse, Receipt, Share};
use crate::{money, text};
use aigen_types::{Address, Amount, CallId, DatasetRef, Day, Epoch, Timestamp, TransferId};
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

/// `GET /v1/aigen/receipts/{id}`: what a call came to, or rows that were read outside of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnyReceipt {
    /// Rows: it says so in its `kind`.
    Read(Box<ReadReceipt>),
    /// A call.
    Call(Box<Receipt>),
}

/// What a receipt is of, where it is not of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// Rows of a dataset, outside of calls.
    #[default]
    DatasetRead,
}

/// Rows that were read outside of calls, what they cost and who was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadReceipt {
    /// The read.
    #[serde(with = "text")]
    pub id: CallId,
    /// `dataset_read`.
    pub kind: ReceiptKind,
    /// What was read.
    pub read: DatasetRead,
    /// How it became money; the amounts add up to `total`.
    pub lines: Vec<ChargeLine>,
    /// The fee.
    #[serde(flatten, with = "money::total")]
    pub total: Amount,
    /// What the app added to it for itself; the payer paid both.
    #[serde(flatten, with = "money::margin")]
    pub margin: Amount,
    /// Who paid.
    #[serde(with = "text")]
    pub payer: Address,
    /// To whom the spending is attributed.
    #[serde(with = "text")]
    pub spender: Address,
    /// The budgets and allowances that it counts against.
    #[serde(default)]
    pub budgets: Vec<String>,
    /// What was given back since.
    #[serde(default)]
    pub corrections: Vec<Correction>,
    /// Who received it; the amounts add up to `total` and `margin`.
    pub split: Vec<Share>,
    /// When it was paid, by ledger time.
    #[serde(with = "money::time")]
    pub created: Timestamp,
    /// The journal record of the payment.
    pub journal_seq: u64,
}

/// `GET /v1/aigen/earnings?account=&from=&to=&by=`: what an address earned with a dataset version,
/// by reads of every kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetEarning {
    /// Who earned.
    #[serde(with = "text")]
    pub account: Address,
    /// The dataset version.
    #[serde(with = "text")]
    pub dataset: DatasetRef,
    /// The UTC day on which the reads were paid; absent unless asked for by `by=day`.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub day: Option<Day>,
    /// What was read for; absent unless asked for by `by=purpose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<DatasetUse>,
    /// How many reads.
    pub reads: u64,
    /// Their rows.
    pub rows: u64,
    /// What readers were charged.
    #[serde(flatten, with = "money::fees")]
    pub fees: Amount,
    /// What the account was paid of it, with its part of the `data` share of calls.
    #[serde(flatten, with = "money::earned")]
    pub earned: Amount,
    /// What it gave back of that since, by reversals.
    #[serde(flatten, with = "money::given_back")]
    pub given_back: Amount,
}

/// `GET /v1/aigen/earnings/epochs?account=&from=&to=`: what an address was paid by the settlement of an
/// epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochEarning {
    /// Who earned.
    #[serde(with = "text")]
    pub account: Address,
    /// The epoch that was settled.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// What it was paid for.
    pub kind: EarningKind,
    /// The controller's or validator's name; the protocol's accounts have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How much.
    #[serde(flatten, with = "money::earned")]
    pub earned: Amount,
    /// The transfer that paid it.
    #[serde(with = "text")]
    pub transfer: TransferId,
}

/// What a settlement pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarningKind {
    /// A controller's escrow, as far as its score goes, to its developer.
    Controller,
    /// A validator's pay, to its owner.
    Validator,
    /// What a controller did not earn, back to who paid it.
    Refund,
    /// The protocol's part: what nobody earned, slashed stake and dust.
    Protocol,
}

impl EarningKind {
    /// As on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Validator => "validator",
            Self::Refund => "refund",
            Self::Protocol => "protocol",
        }
    }
}
