use super::sampling::{none_one_or_many, none_or_many};
use super::{
    ApiError, Content, Extension, ResponseFormat, Sampling, ToolCall, ToolChoice, ToolSpec,
};
use crate::json::null_is_default;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// `POST /v1/chat/completions`. Fields not listed here do not change the answer and are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// Which model answers.
    pub model: String,
    /// The conversation so far, oldest first; at least one.
    pub messages: Vec<Message>,
    /// Most tokens of one answer; the older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Most tokens of one answer; wins over `max_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// See [`Sampling::temperature`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// See [`Sampling::top_p`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// See [`Sampling::choices`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// See [`Sampling::stop`].
    #[serde(
        default,
        deserialize_with = "none_one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub stop: Vec<String>,
    /// Whether the answer comes as server-sent events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Only with `stream`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// See [`Sampling::seed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Whether the log-probability of each token is reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<bool>,
    /// Alternatives per token, 0 to 20; only with `logprobs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<u32>,
    /// See [`Sampling::logit_bias`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logit_bias: Option<BTreeMap<u32, f64>>,
    /// See [`Sampling::presence_penalty`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// See [`Sampling::frequency_penalty`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// See [`Sampling::top_k`]. vLLM's, as the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// See [`Sampling::min_p`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f64>,
    /// See [`Sampling::repetition_penalty`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
    /// What the answer must look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    /// The caller's end user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// AiGen's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<Extension>,

    /// Functions the model may call.
    #[serde(
        default,
        deserialize_with = "none_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub tools: Vec<ToolSpec>,
    /// Whether it may, has to, or which; `auto` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once; yes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// Kept as it came: the older form of `tools`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions: Option<Value>,
    /// Kept as it came: the older form of `tool_choice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_call: Option<Value>,
    /// Kept as it came: `["text"]` asks for nothing special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modalities: Option<Value>,
    /// Kept as it came: asks for a spoken answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Value>,
    /// Kept as it came: asks for a web search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search_options: Option<Value>,
    /// Kept as it came: asks for a judgement of prompt and answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Value>,
    /// Kept so that it can be refused: text after the end of the answer. vLLM's, as the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_eos: Option<Value>,
    /// Kept so that it can be refused: an answer that may not end before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_tokens: Option<Value>,
    /// Kept so that it can be refused: tokens that end the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_token_ids: Option<Value>,
    /// Kept so that it can be refused: what the answer must look like, in vLLM's words; as the next four.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured_outputs: Option<Value>,
    /// Kept so that it can be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guided_json: Option<Value>,
    /// Kept so that it can be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guided_regex: Option<Value>,
    /// Kept so that it can be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guided_choice: Option<Value>,
    /// Kept so that it can be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guided_grammar: Option<Value>,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; `None` only beside `tool_calls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// What an assistant said instead of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Tells speakers of one role apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What an assistant asked to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// Which call a tool's message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

impl Message {
    /// A message of one text.
    #[must_use]
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self {
            role,
            content: Some(content.into()),
            refusal: None,
            name: None,
            tool_calls: None,
            tool_call_id: None,
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions; the newer name of `system`.
    Developer,
    /// Instructions.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

impl Role {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// What a stream carries beside the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOptions {
    /// Whether the last chunk carries the usage; `null` is no.
    #[serde(default, deserialize_with = "null_is_default")]
    pub include_usage: bool,
}

impl ChatRequest {
    /// A request with nothing but a model and messages.
    #[must_use]
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self {
            model: model.into(),
            messages,
            ..Self::default()
        }
    }

    /// How tokens are chosen, in the form all routes share.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        Sampling {
            max_tokens: self.max_completion_tokens.or(self.max_tokens),
            temperature: self.temperature,
            top_p: self.top_p,
            choices: self.n.unwrap_or(1),
            stop: self.stop.clone(),
            seed: self.seed,
            presence_penalty: self.presence_penalty,
            frequency_penalty: self.frequency_penalty,
            logit_bias: self.logit_bias.clone().unwrap_or_default(),
            top_k: self.top_k,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            logprobs: (self.logprobs == Some(true)).then(|| self.top_logprobs.unwrap_or(0)),
        }
    }

    /// Whether the answer is to be streamed.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.stream == Some(true)
    }

    /// Whether a stream is to end with the usage.
    #[must_use]
    pub fn includes_usage(&self) -> bool {
        self.stream_options
            .is_some_and(|options| options.include_usage)
    }

    /// A tool's message answers a call that was asked for before it.
    fn check_answers_of_tools(&self) -> Result<(), ApiError> {
        let mut asked = BTreeSet::new();
        for (at, message) in self.messages.iter().enumerate() {
            asked.extend(message.tool_calls.iter().flatten().map(|call| &*call.id));
            let answers = message.tool_call_id.as_deref();
            if message.role == Role::Tool && !answers.is_some_and(|id| asked.contains(id)) {
                let param = format!("messages[{at}].tool_call_id");
                let message = "has to be the id of a call in `tool_calls` of a message before it";
                return Err(ApiError::invalid(param, message));
            }
        }
        Ok(())
    }

    /// Checks what the shape alone cannot: ranges, and fields that need each other.
    ///
    /// # Errors
    /// The first field at fault.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.messages.is_empty() {
            return Err(ApiError::invalid("messages", "needs at least one message"));
        }
        for (at, message) in self.messages.iter().enumerate() {
            let said = message.content.is_some() || message.refusal.is_some();
            if !said && message.tool_calls.is_none() {
                let param = format!("messages[{at}].content");
                return Err(ApiError::invalid(param, "the message has no content"));
            }
        }
        self.check_answers_of_tools()?;
        if self.stream_options.is_some() && !self.is_stream() {
            let message = "only allowed when `stream` is true";
            return Err(ApiError::invalid("stream_options", message));
        }
        if self.top_logprobs.is_some() && self.logprobs != Some(true) {
            let message = "only allowed when `logprobs` is true";
            return Err(ApiError::invalid("top_logprobs", message));
        }
        let named = |error: ApiError| match (error.param.as_deref(), self.max_completion_tokens) {
            (Some("max_tokens"), Some(_)) => error.with_param("max_completion_tokens"),
            _ => error,
        };
        self.sampling().check().map_err(named)
    }
}
