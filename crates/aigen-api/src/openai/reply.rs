use super::{AigenReply, ChatChunkObject, ChatObject, Role, ToolCall, ToolCallDelta, Usage};
use serde::{Deserialize, Serialize};

/// The answer to a chat request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// Names this completion.
    pub id: String,
    /// `"chat.completion"`.
    pub object: ChatObject,
    /// When, in seconds since the Unix epoch.
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// The answers; as many as `n` asked for.
    pub choices: Vec<ChatChoice>,
    /// What was used.
    pub usage: Usage,
    /// Changes when the same seed may give another answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The receipt and the cost. Present on every reply of an AiGen gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<AigenReply>,
}

impl ChatResponse {
    /// The text of the first answer; empty when there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        let first = self.choices.first();
        first
            .and_then(|choice| choice.message.content.as_deref())
            .unwrap_or_default()
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatChoice {
    /// Which, from 0.
    pub index: u32,
    /// The message.
    pub message: ChatReply,
    /// `null` unless asked for.
    #[serde(default)]
    pub logprobs: Option<Logprobs>,
    /// Why it ended.
    pub finish_reason: FinishReason,
}

/// The message of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatReply {
    /// `assistant`.
    pub role: Role,
    /// The text; `None` beside `tool_calls`.
    pub content: Option<String>,
    /// What a model that reasons first said before its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Why the model would not answer.
    #[serde(default)]
    pub refusal: Option<String>,
    /// What the model asks to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
}

impl ChatReply {
    /// An assistant's text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            role: Role::Assistant,
            content: Some(text.into()),
            reasoning_content: None,
            refusal: None,
            tool_calls: None,
        }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was complete, or a stop text came.
    Stop,
    /// `max_tokens`, the context or the money ran out; `aigen.stop` tells money apart.
    Length,
    /// The model asks for a tool.
    ToolCalls,
    /// The older form of `tool_calls`; only ever read.
    FunctionCall,
    /// A filter of the server that computes the model held the rest back.
    ContentFilter,
}

/// One event of a streamed answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatChunk {
    /// The same in every chunk.
    pub id: String,
    /// `"chat.completion.chunk"`.
    pub object: ChatChunkObject,
    /// The same in every chunk.
    pub created: u64,
    /// The same in every chunk.
    pub model: String,
    /// What is new; empty in the chunk that carries the usage.
    pub choices: Vec<ChunkChoice>,
    /// Only in the last chunk, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Changes when the same seed may give another answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The receipt and the cost, in the last chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<AigenReply>,
}

/// What is new in one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkChoice {
    /// Which answer, from 0.
    pub index: u32,
    /// The new part.
    pub delta: Delta,
    /// `null` unless asked for.
    #[serde(default)]
    pub logprobs: Option<Logprobs>,
    /// `null` until the last part.
    pub finish_reason: Option<FinishReason>,
}

/// The new part of a message. The first one carries the role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// Only in the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// More of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// More of what is said before the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Parts of tool calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCallDelta>>,
}

/// Log-probabilities of the tokens of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Logprobs {
    /// Of the text.
    pub content: Option<Vec<TokenLogprob>>,
    /// Of a refusal.
    #[serde(default)]
    pub refusal: Option<Vec<TokenLogprob>>,
}

/// One token of an answer. Tokens that were not sampled have no entry: none is invented.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    /// Its text; lossy where the token ends inside a character.
    pub token: String,
    /// Natural logarithm of its probability.
    pub logprob: f64,
    /// Its bytes.
    pub bytes: Option<Vec<u8>>,
    /// The likeliest tokens at this place, likeliest first.
    #[serde(default)]
    pub top_logprobs: Vec<TopLogprob>,
}

/// One of the likeliest tokens at a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopLogprob {
    /// Its text; lossy where the token ends inside a character.
    pub token: String,
    /// Natural logarithm of its probability.
    pub logprob: f64,
    /// Its bytes.
    pub bytes: Option<Vec<u8>>,
}
