use crate::openai::{AigenReply, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer to a messages request, and what its stream begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessagesReply {
    /// Names this answer.
    pub id: String,
    /// `message`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `assistant`.
    pub role: String,
    /// The model that answered.
    pub model: String,
    /// Texts and calls, in order.
    pub content: Vec<ReplyBlock>,
    /// Why it ended; `null` where it has not.
    pub stop_reason: Option<StopReason>,
    /// Which text ended it, where only one could.
    pub stop_sequence: Option<String>,
    /// What was used.
    pub usage: MessagesUsage,
    /// The receipt and the cost, once they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<AigenReply>,
}

impl MessagesReply {
    /// An answer that has not begun.
    #[must_use]
    pub fn new(id: String, model: String, usage: MessagesUsage) -> Self {
        Self {
            id,
            kind: "message".to_owned(),
            role: "assistant".to_owned(),
            model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage,
            aigen: None,
        }
    }
}

/// One block of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ReplyBlock {
    /// What is said before the answer.
    Thinking {
        /// The text.
        thinking: String,
        /// Always empty: nobody signs it here, and what is sent back is left out of the prompt.
        signature: String,
    },
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A call.
    ToolUse {
        /// What the tool's result refers to.
        id: String,
        /// The function.
        name: String,
        /// The arguments.
        input: Value,
    },
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It was complete.
    EndTurn,
    /// The tokens, the context or the money ran out; `aigen.stop` tells money apart.
    MaxTokens,
    /// One of `stop_sequences` came.
    StopSequence,
    /// The model asks for a tool.
    ToolUse,
    /// A filter of the server that computes the model held the rest back.
    Refusal,
}

/// What an answer used, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagesUsage {
    /// Prompt tokens that were computed.
    pub input_tokens: u64,
    /// Always 0: what is kept for later costs nothing extra.
    pub cache_creation_input_tokens: u64,
    /// Prompt tokens whose computation was reused; not part of `input_tokens`.
    pub cache_read_input_tokens: u64,
    /// Tokens of the output.
    pub output_tokens: u64,
}

impl From<Usage> for MessagesUsage {
    fn from(usage: Usage) -> Self {
        let cached = usage.prompt_tokens_details.cached_tokens;
        Self {
            input_tokens: usage.prompt_tokens.saturating_sub(cached),
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: cached,
            output_tokens: usage.completion_tokens,
        }
    }
}

/// `POST /v1/messages/count_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCount {
    /// Tokens of the prompt, tools and instructions included.
    pub input_tokens: u64,
}
