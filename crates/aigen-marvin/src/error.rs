use crate::SchemaError;
use aigen_client::ClientError;

/// Why there is no value. What a model said is never lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AiError {
    /// The money, or the call's budget, does not reach.
    #[error("the budget does not reach: {reason}")]
    Budget {
        /// What was refused, or where the answer ended.
        reason: String,
        /// As far as the answer had come.
        raw: String,
    },
    /// The server does not do this: another model, another controller or another request may.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer is longer than it may be.
    #[error("the answer was cut off\nhint: raise max_tokens, or ask for less")]
    Truncated {
        /// What there is of it.
        raw: String,
    },
    /// Every answer was refused by the check, or was none of this type.
    #[error("no answer was accepted: {why}")]
    Check {
        /// The last answer.
        raw: String,
        /// What is wrong with it.
        why: String,
    },
    /// The server was not reached, or failed, every time.
    #[error(transparent)]
    Transport(ClientError),
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

impl From<ClientError> for AiError {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Setup(message) => Self::Setup(message.clone()),
            ClientError::Api { status: 402, error } => Self::Budget {
                reason: error.message.clone(),
                raw: String::new(),
            },
            ClientError::Api {
                status: 400..=428,
                error,
            } => Self::Refused(error.message.clone()),
            _ => Self::Transport(error),
        }
    }
}
