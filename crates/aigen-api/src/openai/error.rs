use crate::JsonError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// An error reply: `{"error": {…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ApiError,
}

/// OpenAI's four fields, and a way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What happened, for the caller.
    pub message: String,
    /// The family of the error.
    #[serde(rename = "type")]
    pub kind: ErrorKind,
    /// The field of the request at fault, like `messages[1].content`.
    #[serde(default)]
    pub param: Option<String>,
    /// A stable name of the reason, like `insufficient_funds`.
    #[serde(default)]
    pub code: Option<String>,
    /// What to do next, like ``run `aigen fund --amount 5` ``.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What programs may want to read, like `receipt` where something was charged all the same.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// The `type` of an error. Statuses are picked by the gateway, one per kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The request is malformed or asks for what is not supported.
    #[serde(rename = "invalid_request_error")]
    InvalidRequest,
    /// No key, or not a valid one.
    #[serde(rename = "authentication_error")]
    Authentication,
    /// Not enough money, or a budget is exhausted.
    #[serde(rename = "insufficient_quota")]
    Payment,
    /// The key may not do this.
    #[serde(rename = "permission_error")]
    Permission,
    /// No such thing.
    #[serde(rename = "not_found_error")]
    NotFound,
    /// The request contradicts what is already there.
    #[serde(rename = "conflict_error")]
    Conflict,
    /// A controller or a grammar was refused or failed.
    #[serde(rename = "controller_error")]
    Controller,
    /// The key's own limit.
    #[serde(rename = "rate_limit_error")]
    RateLimit,
    /// The machine is full; try again later.
    #[serde(rename = "overloaded_error")]
    Overloaded,
    /// An upstream server failed.
    #[serde(rename = "upstream_error")]
    Upstream,
    /// Something failed on this side.
    #[serde(rename = "server_error")]
    Server,
    /// A kind this version does not know; only ever read.
    #[serde(rename = "unknown_error", other)]
    Unknown,
}

impl ApiError {
    /// An error of this kind, with nothing but a message.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind,
            param: None,
            code: None,
            hint: None,
            metadata: Map::new(),
        }
    }

    /// A request refused because of one field.
    #[must_use]
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).with_param(param)
    }

    /// With the field at fault.
    #[must_use]
    pub fn with_param(self, param: impl Into<String>) -> Self {
        let param = Some(param.into());
        Self { param, ..self }
    }

    /// With the stable name of the reason.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        let code = Some(code.into());
        Self { code, ..self }
    }

    /// With a way out.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self { hint, ..self }
    }

    /// With one more thing for programs to read.
    #[must_use]
    pub fn with_metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }
}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> Self {
        Self {
            param: error.path.clone(),
            ..Self::new(ErrorKind::InvalidRequest, error.to_string())
        }
    }
}

impl From<ApiError> for ErrorEnvelope {
    fn from(error: ApiError) -> Self {
        Self { error }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            // The gateway ends its messages with the way out, for clients that show nothing else.
            Some(hint) if !self.message.ends_with(hint) => write!(f, "\nhint: {hint}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ApiError {}
