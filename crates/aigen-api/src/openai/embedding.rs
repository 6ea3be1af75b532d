use super::{AigenReply, EmbeddingObject, Extension, ListObject, Prompt};
use serde::{Deserialize, Serialize};

/// `POST /v1/embeddings`: texts that become vectors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingRequest {
    /// Which model computes them.
    pub model: String,
    /// One text, or a list of them; each as text, or as token ids of the model's own (`/tokenize`).
    pub input: Prompt,
    /// How numbers are written; as a list when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_format: Option<EncodingFormat>,
    /// Numbers in a vector; only as many as the model gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// The caller's end user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// AiGen's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<Extension>,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodingFormat {
    /// As a list.
    #[default]
    Float,
    /// Their four bytes each, the lowest first, as one text.
    Base64,
}

/// What became of the texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingResponse {
    /// `"list"`.
    pub object: ListObject,
    /// One vector for each text, in order.
    pub data: Vec<Embedding>,
    /// Which model computed them.
    pub model: String,
    /// What was read.
    pub usage: EmbeddingUsage,
    /// What OpenAI's shape has no field for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<AigenReply>,
}

/// One vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// `"embedding"`.
    pub object: EmbeddingObject,
    /// Of which text, from 0.
    pub index: u32,
    /// Its numbers; its length is 1.
    pub embedding: Vector,
}

/// Numbers, in either form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Vector {
    /// See [`EncodingFormat::Float`].
    Float(Vec<f32>),
    /// See [`EncodingFormat::Base64`].
    Base64(String),
}

/// Tokens that were read; there are no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingUsage {
    /// Of all texts.
    pub prompt_tokens: u64,
    /// The same.
    pub total_tokens: u64,
}
