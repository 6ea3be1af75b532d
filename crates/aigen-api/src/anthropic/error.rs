use crate::openai::{ApiError, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An error reply, and the last event of a stream that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnthropicErrorEnvelope {
    /// `error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The error.
    pub error: AnthropicErrorDetail,
}

/// Anthropic's two fields, and what OpenAI's envelope has beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnthropicErrorDetail {
    /// The family of the error.
    #[serde(rename = "type")]
    pub kind: AnthropicError,
    /// What happened, for the caller.
    pub message: String,
    /// The field of the request at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// A stable name of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What programs may want to read.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// The families of errors, in Anthropic's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnthropicError {
    /// The request is malformed or asks for what is not supported.
    InvalidRequestError,
    /// No key, or not a valid one.
    AuthenticationError,
    /// Not enough money, or a budget is exhausted.
    BillingError,
    /// The key may not do this.
    PermissionError,
    /// No such thing.
    NotFoundError,
    /// The key's own limit.
    RateLimitError,
    /// The machine is full; try again later.
    OverloadedError,
    /// Something failed on this side or upstream.
    ApiError,
}

impl From<ErrorKind> for AnthropicError {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidRequest | ErrorKind::Conflict | ErrorKind::Controller => {
                Self::InvalidRequestError
            }
            ErrorKind::Authentication => Self::AuthenticationError,
            ErrorKind::Payment => Self::BillingError,
            ErrorKind::Permission => Self::PermissionError,
            ErrorKind::NotFound => Self::NotFoundError,
            ErrorKind::RateLimit => Self::RateLimitError,
            ErrorKind::Overloaded => Self::OverloadedError,
            ErrorKind::Upstream | ErrorKind::Server | ErrorKind::Unknown => Self::ApiError,
        }
    }
}

/// `messages[0].content` as Anthropic writes it: `messages.0.content`.
fn dotted(place: &str) -> String {
    place.replace('[', ".").replace(']', "")
}

impl From<ApiError> for AnthropicErrorEnvelope {
    fn from(error: ApiError) -> Self {
        let place = error.param.as_deref().map(dotted);
        let message = match (&error.param, &place) {
            (Some(param), Some(place)) => error.message.replacen(&**param, place, 1),
            _ => error.message,
        };
        Self {
            kind: "error".to_owned(),
            error: AnthropicErrorDetail {
                kind: error.kind.into(),
                message,
                param: place,
                code: error.code,
                hint: error.hint,
                metadata: error.metadata,
            },
        }
    }
}
