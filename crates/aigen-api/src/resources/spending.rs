use crate::json::null_is_default;
use crate::{money, text};
use aigen_types::{Address, Amount, BudgetPath, CallId, Slug, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

/// How often a budget or an allowance begins anew, by the UTC calendar; weeks begin on Monday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// At midnight.
    Day,
    /// On Monday.
    Week,
    /// On the first.
    #[default]
    Month,
    /// Never.
    Total,
}

/// `POST /v1/aigen/budgets`: what an address and everything below it may spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetBudget {
    /// An address, or with `:user:*` at its end each end user of one.
    #[serde(with = "text")]
    pub path: BudgetPath,
    /// At most this, in AIGEN; `null` or absent takes the bound away.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub cap: Option<Amount>,
    /// Per this; a month when absent.
    #[serde(default, deserialize_with = "null_is_default")]
    pub period: Period,
}

/// `GET /v1/aigen/budgets`: a budget and how much of it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Whose spending is bounded.
    #[serde(with = "text")]
    pub path: BudgetPath,
    /// Per this.
    pub period: Period,
    /// When the period ends; absent for one that never does.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "money::time_option"
    )]
    pub resets_at: Option<Timestamp>,
    /// What may be spent.
    #[serde(flatten, with = "money::cap")]
    pub cap: Amount,
    /// What was; nothing for a path of end users, who each have their own.
    #[serde(flatten, with = "money::spent")]
    pub spent: Amount,
    /// What running calls have reserved.
    #[serde(flatten, with = "money::held")]
    pub held: Amount,
    /// What is left.
    #[serde(flatten, with = "money::available")]
    pub available: Amount,
}

/// `POST /v1/aigen/allowances`: the key's account lets an app spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantAllowance {
    /// The account of the app's keys.
    #[serde(with = "text")]
    pub app: Address,
    /// Who pays: the key's account when absent; another's is an operator's to say.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub user: Option<Address>,
    /// At most this, in AIGEN, the app's margin included.
    #[serde(with = "text")]
    pub cap: Amount,
    /// Per this; a month when absent.
    #[serde(default, deserialize_with = "null_is_default")]
    pub period: Period,
    /// What the app adds to the charge for itself, in parts per million of it.
    #[serde(default)]
    pub margin_ppm: u32,
    /// When it ends by itself, in nanoseconds since the Unix epoch.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "money::time_option"
    )]
    pub expires_at: Option<Timestamp>,
}

/// `POST /v1/aigen/allowances/revoke`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeAllowance {
    /// The account of the app's keys.
    #[serde(with = "text")]
    pub app: Address,
    /// Who pays: the key's account when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub user: Option<Address>,
}

/// `GET /v1/aigen/allowances`: what a user lets an app spend, and how much of it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Who pays.
    #[serde(with = "text")]
    pub user: Address,
    /// Who spends.
    #[serde(with = "text")]
    pub app: Address,
    /// Whether it can be spent now.
    pub live: bool,
    /// Per this.
    pub period: Period,
    /// What the app adds, in parts per million of the charge.
    pub margin_ppm: u32,
    /// When it ends by itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "money::time_option"
    )]
    pub expires_at: Option<Timestamp>,
    /// What may be spent.
    #[serde(flatten, with = "money::cap")]
    pub cap: Amount,
    /// What was.
    #[serde(flatten, with = "money::spent")]
    pub spent: Amount,
    /// What running calls have reserved.
    #[serde(flatten, with = "money::held")]
    pub held: Amount,
    /// What is left.
    #[serde(flatten, with = "money::available")]
    pub available: Amount,
}

/// `GET /v1/aigen/teams` and `/v1/aigen/apps`: who spends, and within which bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spender {
    /// The team or app.
    #[serde(with = "text")]
    pub address: Address,
    /// Public names of the keys that spend for exactly it, or for a part of it that is theirs alone.
    #[serde(with = "text::list")]
    pub keys: Vec<Slug>,
    /// Its own, and that of each of its end users.
    pub budgets: Vec<Budget>,
    /// What users let it spend, and what it adds.
    pub allowances: Vec<Allowance>,
}

/// Why money is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// The same was charged twice.
    Duplicate,
    /// The service did not work.
    ServiceFailure,
    /// The answer was of no use.
    Quality,
    /// Somebody used what was not theirs.
    Fraud,
    /// A kindness.
    Goodwill,
    /// Something else.
    #[default]
    Other,
}

/// `POST /v1/aigen/receipts/{id}/reverse`, operators only: a call of the running epoch is undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reverse {
    /// Why.
    pub reason: RefundReason,
    /// Chosen by the caller, so that a retry is the same; drawn by the node when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<TransferId>,
}

/// `POST /v1/aigen/receipts/{id}/refund`, operators only: the treasury pays a call back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// How much, in AIGEN; all refunds together at most what the call cost.
    #[serde(with = "text")]
    pub amount: Amount,
    /// Why.
    pub reason: RefundReason,
    /// Chosen by the caller, so that a retry is the same; drawn by the node when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<TransferId>,
}

/// Money given back, as a receipt shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The call.
    #[serde(with = "text")]
    pub call: CallId,
    /// The id that was chosen for it.
    #[serde(with = "text")]
    pub id: TransferId,
    /// Whether the whole call was undone, or the treasury paid.
    pub kind: CorrectionKind,
    /// Why.
    pub reason: RefundReason,
    /// How much.
    #[serde(flatten, with = "money::amount")]
    pub amount: Amount,
    /// When, by ledger time.
    #[serde(with = "money::time")]
    pub at: Timestamp,
    /// The journal record.
    pub journal_seq: u64,
}

/// How money was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionKind {
    /// By everyone who was paid for the call.
    Reversal,
    /// By the treasury.
    Refund,
}
