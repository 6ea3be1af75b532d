use crate::{money, text};
use aigen_types::{Address, Amount, DatasetRef, ModelName};
use serde::{Deserialize, Serialize};

/// `POST /v1/aigen/quote`, asked like `/v1/chat/completions`: what that would cost; of a function
/// (`model: "fn:owner/name"`) with the input that is the last message. Nothing is charged or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Which model would answer.
    #[serde(with = "text")]
    pub model: ModelName,
    /// The prompt's tokens, with the passages that `aigen.datasets` adds. Where another server
    /// counts them, as many as there can be.
    pub prompt_tokens: u64,
    /// Output tokens of all answers together, at most.
    pub output_tokens: u64,
    /// What the prompt would have of datasets.
    pub reads: Vec<QuotedRead>,
    /// What those cost; part of `least` and `most`.
    #[serde(flatten, with = "money::fees")]
    pub fees: Amount,
    /// With less the call does not begin: the prompt, its passages and one token, or every token
    /// where the answer cannot be stopped at one.
    #[serde(flatten, with = "money::least")]
    pub least: Amount,
    /// What it costs at most, an app's margin included, and never more than `aigen.max_cost`.
    #[serde(flatten, with = "money::most")]
    pub most: Amount,
    /// How often a function's model is asked again at most, where nobody holds it to the type: each
    /// time is a call of its own, as dear as this one and what was said before.
    #[serde(default)]
    pub retries: u32,
    /// Who would pay.
    #[serde(with = "text")]
    pub payer: Address,
}

/// Passages of a dataset, and their price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedRead {
    /// The version.
    #[serde(with = "text")]
    pub dataset: DatasetRef,
    /// How many rows.
    pub rows: u64,
    /// How many of them a search found.
    pub hits: u64,
    /// What they cost.
    #[serde(flatten, with = "money::fee")]
    pub fee: Amount,
}
