use super::sampling::{TOP_LOGPROBS_MAX, none_one_or_many};
use super::{
    AigenReply, ApiError, CompletionObject, Extension, FinishReason, Sampling, StreamOptions, Usage,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `POST /v1/completions`: a text to continue. Fields not listed here do not change the answer and are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CompletionRequest {
    /// Which model answers.
    pub model: String,
    /// What to continue.
    pub prompt: Prompt,
    /// Most tokens of one answer. (OpenAI's default is 16.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
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
    /// Alternatives reported per token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<u32>,
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
    /// The caller's end user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// AiGen's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<Extension>,

    /// Kept so that it can be refused: text after the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// Kept so that it can be refused: the prompt repeated before the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
    /// Kept so that it can be refused: answers generated to pick the best from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_of: Option<u32>,
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

/// What to continue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, a list of texts, or a list of token ids"
)]
pub enum Prompt {
    /// One text.
    Text(String),
    /// Several, each answered.
    Texts(Vec<String>),
    /// One text, as token ids.
    Tokens(Vec<u32>),
    /// Several, as token ids.
    TokenLists(Vec<Vec<u32>>),
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// The answer to a completion request, and one event of a streamed one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletionResponse {
    /// Names this completion; the same in every event.
    pub id: String,
    /// `"text_completion"`.
    pub object: CompletionObject,
    /// When, in seconds since the Unix epoch.
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// The answers, or what is new in them.
    pub choices: Vec<CompletionChoice>,
    /// What was used; in a stream only in the last event, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Changes when the same seed may give another answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The receipt and the cost; in a stream only in the last event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aigen: Option<AigenReply>,
}

/// One answer, or what is new in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletionChoice {
    /// The text.
    pub text: String,
    /// Which answer, from 0.
    pub index: u32,
    /// `null` unless asked for.
    #[serde(default)]
    pub logprobs: Option<CompletionLogprobs>,
    /// Why it ended; `null` in a stream until the last event.
    pub finish_reason: Option<FinishReason>,
}

/// Log-probabilities in the older shape: lists side by side, one entry per token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CompletionLogprobs {
    /// The tokens.
    pub tokens: Vec<String>,
    /// Natural logarithms of their probabilities; `null` for a token that was not sampled.
    pub token_logprobs: Vec<Option<f64>>,
    /// The likeliest tokens at each place.
    pub top_logprobs: Option<Vec<Option<BTreeMap<String, f64>>>>,
    /// Where each token begins in the text, in characters.
    pub text_offset: Vec<u32>,
}

impl CompletionRequest {
    /// How tokens are chosen, in the form all routes share.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        Sampling {
            max_tokens: self.max_tokens,
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
            logprobs: self.logprobs,
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

    /// Checks what the shape alone cannot: ranges, and fields that need each other.
    ///
    /// # Errors
    /// The first field at fault.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.stream_options.is_some() && !self.is_stream() {
            let message = "only allowed when `stream` is true";
            return Err(ApiError::invalid("stream_options", message));
        }
        if self.logprobs > Some(TOP_LOGPROBS_MAX) {
            let message = format!("must be at most {TOP_LOGPROBS_MAX}");
            return Err(ApiError::invalid("logprobs", message));
        }
        self.sampling().check()
    }
}
