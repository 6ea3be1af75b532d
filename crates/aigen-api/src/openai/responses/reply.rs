use super::super::{AigenReply, ResponsesObject, Role, TokenLogprob, ToolChoice, Usage};
use super::input::{ResponsesTool, TextConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answer to a responses request, and what its stream begins and ends with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseObject {
    /// Names this answer.
    pub id: String,
    /// `"response"`.
    pub object: ResponsesObject,
    /// When, in seconds since the Unix epoch.
    pub created_at: u64,
    /// How far it has come.
    pub status: ResponseStatus,
    /// What failed.
    pub error: Option<ResponseError>,
    /// Why it ends before its end.
    pub incomplete_details: Option<Incomplete>,
    /// As the request said it.
    pub instructions: Option<String>,
    /// As the request said it.
    pub max_output_tokens: Option<u32>,
    /// The model that answered.
    pub model: String,
    /// Messages and calls, in order.
    pub output: Vec<OutputItem>,
    /// As the request said it.
    pub parallel_tool_calls: bool,
    /// Always `null`: nothing is stored.
    pub previous_response_id: Option<String>,
    /// Always empty.
    pub reasoning: Reasoning,
    /// Always `false`: nothing is stored.
    pub store: bool,
    /// As the request said it.
    pub temperature: f64,
    /// As the request said it.
    pub text: TextConfig,
    /// As the request said it.
    pub tool_choice: ToolChoice,
    /// As the request said it.
    pub tools: Vec<ResponsesTool>,
    /// As the request said it.
    pub top_p: f64,
    /// `"disabled"`: what does not fit is refused.
    pub truncation: String,
    /// What was used; `null` until it is known.
    pub usage: Option<ResponsesUsage>,
    /// As the request said it.
    pub user: Option<String>,
    /// As the request said it.
    pub metadata: Map<String, Value>,
    /// The receipt and the cost, once they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<AigenReply>,
}

/// How far an answer or a part of it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseStatus {
    /// It is being made.
    InProgress,
    /// It is whole.
    Completed,
    /// It was cut off.
    Incomplete,
    /// It failed.
    Failed,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseError {
    /// A stable name of the reason.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// More for programs: `receipt` and `cost` of what was charged all the same.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Why an answer ends before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incomplete {
    /// `max_output_tokens`: the tokens, the context or the money ran out; `content_filter`: a filter of
    /// the server that computes the model held the rest back.
    pub reason: String,
}

/// How a model is to reason, which is its configuration's business here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasoning {
    /// Always `null`.
    pub effort: Option<String>,
    /// Always `null`.
    pub summary: Option<String>,
}

/// One item of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OutputItem {
    /// What is said before the answer.
    Reasoning {
        /// Names the item.
        id: String,
        /// How far it has come.
        status: ResponseStatus,
        /// Always empty: it is told as it is.
        summary: Vec<Value>,
        /// Its text.
        content: Vec<ReasoningText>,
    },
    /// Text.
    Message {
        /// Names the item.
        id: String,
        /// How far it has come.
        status: ResponseStatus,
        /// `assistant`.
        role: Role,
        /// Its texts.
        content: Vec<OutputText>,
    },
    /// A call.
    FunctionCall {
        /// Names the item.
        id: String,
        /// How far it has come.
        status: ResponseStatus,
        /// What the call's output refers to.
        call_id: String,
        /// The function.
        name: String,
        /// The arguments, as JSON text.
        arguments: String,
    },
}

/// The text of what is said before an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "reasoning_text")]
pub struct ReasoningText {
    /// The text.
    pub text: String,
}

/// A text of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "output_text")]
pub struct OutputText {
    /// The text.
    pub text: String,
    /// Always empty.
    pub annotations: Vec<Value>,
    /// Empty unless asked for.
    #[serde(default)]
    pub logprobs: Vec<TokenLogprob>,
}

/// What an answer used, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponsesUsage {
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u64,
    /// Of the input tokens.
    pub input_tokens_details: InputTokensDetails,
    /// Tokens of the output.
    pub output_tokens: u64,
    /// Of the output tokens.
    pub output_tokens_details: OutputTokensDetails,
    /// Both together.
    pub total_tokens: u64,
}

/// Parts of `input_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputTokensDetails {
    /// Tokens whose computation was reused.
    pub cached_tokens: u64,
    /// Always 0: what is kept for later costs nothing extra.
    #[serde(default)]
    pub cache_write_tokens: u64,
}

/// Parts of `output_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputTokensDetails {
    /// Tokens of reasoning that the answer does not show.
    pub reasoning_tokens: u64,
}

impl From<Usage> for ResponsesUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: InputTokensDetails {
                cached_tokens: usage.prompt_tokens_details.cached_tokens,
                cache_write_tokens: 0,
            },
            output_tokens: usage.completion_tokens,
            output_tokens_details: OutputTokensDetails {
                reasoning_tokens: usage.completion_tokens_details.reasoning_tokens,
            },
            total_tokens: usage.total_tokens,
        }
    }
}
