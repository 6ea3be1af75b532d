use crate::SchemaError;
use aigen_api::openai::{AigenReply, ApiError};
use aigen_client::ClientError;
use aigen_types::Amount;
use serde_json::Value;
use std::fmt;

/// Why there is no value. What a model said is never lost, nor what was charged for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AiError {
    /// The money, or the call's budget, does not reach.
    #[error("the budget does not reach: {reason}")]
    Budget {
        /// What was refused, or where the answer ended.
        reason: String,
        /// As far as the last answer had come.
        raw: String,
        /// One for each answer.
        receipts: Vec<AigenReply>,
    },
    /// The server does not do this: another model, another controller or another request may.
    #[error("refused: {reason}")]
    Refused {
        /// What the server says.
        reason: String,
        /// The last answer, if there was one.
        raw: String,
        /// One for each answer.
        receipts: Vec<AigenReply>,
    },
    /// The answer is longer than it may be.
    #[error("the answer was cut off\nhint: raise max_tokens, or ask for less")]
    Truncated {
        /// What there is of it.
        raw: String,
        /// One for each answer.
        receipts: Vec<AigenReply>,
    },
    /// Every answer was refused by the check, or was none of this type.
    #[error("no answer was accepted: {why}")]
    Check {
        /// The last answer.
        raw: String,
        /// What is wrong with it.
        why: String,
        /// One for each answer.
        receipts: Vec<AigenReply>,
    },
    /// The server was not reached, or failed, every time.
    #[error(transparent)]
    Transport(Unanswered),
    /// The return type cannot be promised.
    #[error("the return type cannot be promised: {0}")]
    Schema(#[from] SchemaError),
    /// An argument has no JSON.
    #[error("the argument `{name}` has no JSON: {why}")]
    Argument {
        /// Which.
        name: &'static str,
        /// What serde says.
        why: String,
    },
    /// There is nothing to call.
    #[error("{0}")]
    Setup(String),
}

impl AiError {
    /// What the model said last, as far as it came; empty if it said nothing.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.spoken().map_or("", |(raw, _)| raw)
    }

    /// One for each answer that was charged all the same. Servers other than AiGen give none.
    #[must_use]
    pub fn receipts(&self) -> &[AigenReply] {
        match self.spoken() {
            Some((_, receipts)) => receipts,
            None => &[],
        }
    }

    /// What all of them cost.
    #[must_use]
    pub fn cost(&self) -> Amount {
        spent(self.receipts())
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
            raw: String::new(),
            receipts: Vec::new(),
        }
    }

    /// The same, where a model had said something before.
    pub(crate) fn after(mut self, said: &str, charged: &[AigenReply]) -> Self {
        if let Self::Budget { raw, receipts, .. }
        | Self::Refused { raw, receipts, .. }
        | Self::Truncated { raw, receipts }
        | Self::Check { raw, receipts, .. }
        | Self::Transport(Unanswered { raw, receipts, .. }) = &mut self
        {
            if raw.is_empty() {
                said.clone_into(raw);
            }
            *receipts = charged.to_vec();
        }
        self
    }

    fn spoken(&self) -> Option<(&str, &[AigenReply])> {
        match self {
            Self::Budget { raw, receipts, .. }
            | Self::Refused { raw, receipts, .. }
            | Self::Truncated { raw, receipts }
            | Self::Check { raw, receipts, .. }
            | Self::Transport(Unanswered { raw, receipts, .. }) => {
                Some((raw.as_str(), receipts.as_slice()))
            }
            Self::Schema(_) | Self::Argument { .. } | Self::Setup(_) => None,
        }
    }
}

/// A server that was not reached, or failed, and what a model had said before that.
#[derive(Debug)]
pub struct Unanswered {
    /// What happened the last time.
    pub error: ClientError,
    /// The last answer, if there was one.
    pub raw: String,
    /// One for each answer.
    pub receipts: Vec<AigenReply>,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for Unanswered {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error)
    }
}

impl From<ClientError> for AiError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Setup(message) => Self::Setup(message),
            ClientError::Api { status: 402, error } => Self::Budget {
                raw: raw_of(&error).to_owned(),
                reason: error.message,
                receipts: Vec::new(),
            },
            ClientError::Api {
                status: 400..=428,
                error,
            } => Self::Refused {
                raw: raw_of(&error).to_owned(),
                reason: error.message,
                receipts: Vec::new(),
            },
            error => Self::Transport(Unanswered {
                error,
                raw: String::new(),
                receipts: Vec::new(),
            }),
        }
    }
}

/// What a model had said where the server saw that it is no answer.
pub(crate) fn raw_of(error: &ApiError) -> &str {
    let raw = error.metadata.get("raw");
    raw.and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn spent(receipts: &[AigenReply]) -> Amount {
    let costs = receipts.iter().map(|receipt| receipt.cost);
    costs.fold(Amount::ZERO, |sum, cost| sum.saturating_add(cost))
}
