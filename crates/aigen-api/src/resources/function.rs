use crate::openai::Usage;
use crate::text;
use aigen_types::{Address, Amount, CallId, ControllerRef, Digest, Slug};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `GET /v1/aigen/functions`: a published function, in the version that its name alone means.
///
/// Its golden cases are shown to its owner alone, in its source: `GET /v1/aigen/controllers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Name and version.
    #[serde(with = "text")]
    pub reference: ControllerRef,
    /// What is scored and paid.
    #[serde(with = "text")]
    pub digest: Digest,
    /// What it does.
    pub description: String,
    /// JSON Schema of its input: an object.
    pub input: Value,
    /// JSON Schema of its value.
    pub output: Value,
    /// Output tokens of an answer, at most.
    pub max_tokens: u32,
    /// 0 to 2; 0 is the likeliest answer.
    pub temperature: f64,
    /// How often a model that nobody holds to the type is asked again, at most.
    #[serde(default)]
    pub retries: u32,
    /// The model that computes it unless a call names another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its score, in parts per million; `None` before its first epoch.
    #[serde(default)]
    pub score: Option<u32>,
}

/// `POST /v1/functions/{reference}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFunction {
    /// What it is called with.
    #[serde(default)]
    pub input: Map<String, Value>,
    /// How it is computed and paid.
    #[serde(default)]
    pub aigen: FunctionOptions,
}

/// What a call of a function may choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunctionOptions {
    /// Which model computes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Names the stream of chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// 0 to 2, instead of the function's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Output tokens, no more than the function's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The most it may cost, in AIGEN, however often the model is asked.
    #[serde(with = "text::option", skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<Amount>,
    /// For which end user of the key's app or team it is.
    #[serde(with = "text::option", skip_serializing_if = "Option::is_none")]
    pub end_user: Option<Slug>,
    /// Which user pays, by an allowance.
    #[serde(with = "text::option", skip_serializing_if = "Option::is_none")]
    pub bill_to: Option<Address>,
}

/// What a function made of its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionReply {
    /// The value, of the function's `output`.
    pub value: Value,
    /// What it took.
    pub receipt: FunctionReceipt,
}

/// What a value took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionReceipt {
    /// The call that gave the value: `GET /v1/aigen/receipts/{id}`.
    #[serde(with = "text")]
    pub id: CallId,
    /// What was captured, in AIGEN: for all calls.
    #[serde(with = "text")]
    pub cost: Amount,
    /// Who promised that the value is of the function's type.
    pub guarantee: Guarantee,
    /// Whether the value was completed because `max_tokens` or the money was about to end: it is whole, and would
    /// have gone on, with more items or a longer text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_early: bool,
    /// Calls before it whose answers were of another type; charged, and part of `cost`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "text::list")]
    pub asked_before: Vec<CallId>,
    /// The function and its version.
    #[serde(with = "text")]
    pub function: ControllerRef,
    /// The same by digest.
    #[serde(with = "text")]
    pub function_digest: Digest,
    /// The model that computed it.
    pub model: String,
    /// Its tokens.
    pub usage: Usage,
    /// The journal record of the capture.
    pub journal_seq: u64,
}

/// Who promises that a value is of its function's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// The decoder: no token was possible that leaves the type.
    Decoder,
    /// Nobody, before it was read: what is of another type is not shown, and asked for again.
    Retry,
}
