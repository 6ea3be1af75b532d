use super::{ListObject, ModelObject};
use crate::{money, text};
use aigen_types::{Amount, Digest};
use serde::{Deserialize, Serialize};

/// `GET /v1/models`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelList {
    /// `"list"`.
    pub object: ListObject,
    /// The models of this node.
    pub data: Vec<Model>,
}

impl ModelList {
    /// The model that requests mean that name none: the first that is no published function.
    #[must_use]
    pub fn usual(self) -> Option<String> {
        let mut models = self.data.into_iter().map(|model| model.id);
        models.find(|id| !id.starts_with("fn:"))
    }
}

/// One model: `GET /v1/models/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// The name a request gives as `model`.
    pub id: String,
    /// `"model"`.
    pub object: ModelObject,
    /// When it was registered, in seconds since the Unix epoch.
    pub created: u64,
    /// The provider, who is paid for it.
    pub owned_by: String,
    /// What OpenAI's shape has no field for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<ModelInfo>,
}

/// What a caller may want to know before paying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Digest of the weights.
    #[serde(with = "text")]
    pub digest: Digest,
    /// Most tokens of prompt and answer together.
    pub context_tokens: u32,
    /// How closely a controller can steer it: `token`, `schema` or `text`.
    pub control: String,
    /// Whether controllers are told how likely what it says is.
    #[serde(default)]
    pub probabilities: bool,
    /// What runs it, like `llama`; `remote` where other servers answer for it.
    pub engine: String,
    /// Those servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstreams: Option<Upstreams>,
    /// What it costs.
    pub price: ModelPrice,
}

/// The servers that answer for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstreams {
    /// How many there are.
    pub total: u32,
    /// How many of them are asked now: the others failed too often and are left alone for a while.
    pub available: u32,
}

/// Prices in nano-AIGEN, as decimal strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPrice {
    /// Per 1,000,000 prompt tokens.
    #[serde(rename = "input_per_million_nano", with = "money::nano")]
    pub input: Amount,
    /// Per 1,000,000 prompt tokens whose computation was reused.
    #[serde(rename = "cached_input_per_million_nano", with = "money::nano")]
    pub cached_input: Amount,
    /// Per 1,000,000 output tokens.
    #[serde(rename = "output_per_million_nano", with = "money::nano")]
    pub output: Amount,
    /// Per request.
    #[serde(rename = "per_request_nano", with = "money::nano")]
    pub request: Amount,
}
