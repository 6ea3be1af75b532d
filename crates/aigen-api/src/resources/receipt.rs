use super::{Correction, DatasetRead, Guarantee};
use crate::{money, text};
use aigen_types::{Address, Amount, CallId, ControllerRef, Digest, ModelName, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /v1/aigen/receipts/{id}`: what one call used, what it cost and who was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The call.
    #[serde(with = "text")]
    pub id: CallId,
    /// The model that answered.
    #[serde(with = "text")]
    pub model: ModelName,
    /// Hash of its weights.
    #[serde(with = "text")]
    pub model_digest: Digest,
    /// The controller version that steered.
    #[serde(default, with = "text::option")]
    pub controller: Option<ControllerRef>,
    /// The same by digest.
    #[serde(default, with = "text::option")]
    pub controller_digest: Option<Digest>,
    /// What was used.
    pub usage: TokenUsage,
    /// Who counted that; absent where the node that ran the call did not say: killed before the end, or of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_by: Option<CountedBy>,
    /// How usage became money; their amounts add up to `total`.
    pub lines: Vec<ChargeLine>,
    /// What was captured for the platform.
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
    /// What it read of datasets; their fees are part of `total`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<DatasetRead>,
    /// How the call ended, in one word.
    pub finish: String,
    /// What steering it came to.
    #[serde(default)]
    pub steering: Steering,
    /// Who promised that its value is of the function's type, where a function steered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarantee: Option<Guarantee>,
    /// Calls that it made while it ran, and that are over; none of them is part of `total`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_calls: Vec<SubCall>,
    /// The call that made this one.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub parent: Option<CallId>,
    /// Whether what it takes to run the call again is kept here, now.
    #[serde(default)]
    pub replayable: bool,
    /// When it began, by ledger time.
    #[serde(with = "money::time")]
    pub created: Timestamp,
    /// The journal record of the capture.
    pub journal_seq: u64,
}

/// Who counted a call's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// The node that ran it, token by token.
    Engine,
    /// The server that answered, whose count is a possible one.
    Upstream,
    /// The node, from the bytes of an answer from elsewhere whose count is missing or impossible.
    Estimated,
}

/// Tokens of one call, each counted once, by what it is charged as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Prompt tokens that had to be computed.
    pub prompt_tokens: u64,
    /// Prompt tokens found in the prefix cache; not part of `prompt_tokens`.
    pub cached_prompt_tokens: u64,
    /// Output tokens the model sampled and the answer kept.
    pub sampled_tokens: u64,
    /// Output tokens a controller spliced in or a grammar forced.
    pub forced_tokens: u64,
    /// Tokens computed and then backtracked, or computed in a branch that was not kept.
    pub discarded_tokens: u64,
}

/// What steering a call came to. Nothing is charged by it; its tokens are among those of
/// [`TokenUsage`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Steering {
    /// Instructions of the controller, by its host's measure: the same in every run.
    pub fuel: u64,
    /// Time that it took beyond the model's own, in microseconds.
    pub controller_micros: u64,
    /// Hash of every decision and token, in order: the same request gives the same hash.
    #[serde(with = "text")]
    pub decisions: Digest,
    /// Kept tokens that the caller is not shown.
    pub hidden_tokens: u64,
    /// Of the discarded tokens, those in branches that were not kept.
    pub unkept_tokens: u64,
    /// Branches beside the first.
    pub branches: u32,
    /// What it asked of the outside.
    #[serde(default, skip_serializing_if = "Asked::is_nothing")]
    pub asked: Asked,
    /// What the controller did wrong, by its stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What a controller asked of the outside, refused questions too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Tools called.
    pub tools: u32,
    /// Pages read.
    pub pages: u32,
    /// Models asked: each answer is a call of its own.
    pub completions: u32,
    /// Bytes of all answers.
    pub bytes: u64,
}

impl Asked {
    /// Whether nothing was.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A call that another made while it ran. It is charged by itself, to the same payer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubCall {
    /// Where its receipt is.
    #[serde(with = "text")]
    pub id: CallId,
    /// The model that answered.
    #[serde(with = "text")]
    pub model: ModelName,
    /// Its tokens.
    pub usage: TokenUsage,
    /// What it cost.
    #[serde(with = "text")]
    pub cost: Amount,
}

/// `POST /v1/aigen/receipts/{id}/replay`: the call, run again without the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// What the caller was shown.
    pub text: String,
    /// Hash of the decisions now.
    #[serde(with = "text")]
    pub decisions: Digest,
    /// Fuel now.
    pub fuel: u64,
    /// Whether both are what the receipt says.
    pub same: bool,
}

/// One priced line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeLine {
    /// What is charged: a field of [`TokenUsage`], `request`, `dataset_rows`, `dataset_hits` or
    /// `dataset_download`.
    pub kind: String,
    /// How many.
    pub quantity: u64,
    /// The price: per 1,000,000 tokens; per request, row, hit or download.
    #[serde(flatten, with = "money::unit_price")]
    pub unit_price: Amount,
    /// `quantity` at that price, rounded up once.
    #[serde(flatten, with = "money::amount")]
    pub amount: Amount,
}

/// One payee's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Who received.
    #[serde(with = "text")]
    pub to: Address,
    /// As what: `provider`, `controller`, `validators`, `protocol`, `app` or `data`.
    pub role: String,
    /// How much.
    #[serde(flatten, with = "money::amount")]
    pub amount: Amount,
}
