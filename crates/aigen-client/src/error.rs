use crate::limits::QUOTE_CHARS_MAX;
use aigen_api::openai::{ApiError, ErrorEnvelope, ErrorKind};
use aigen_api::{JsonError, from_json};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base URL or the key cannot be used at all.
    #[error("{0}")]
    Setup(String),
    /// The server was not reached, or the connection broke.
    #[error("{}", not_reached(.0))]
    Transport(#[from] reqwest::Error),
    /// The server said no, or failed. In a stream, `status` is that of the stream: 200.
    #[error("{error}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// What it said; prints with its hint.
        error: Box<ApiError>,
    },
    /// The reply is not of the expected shape.
    #[error("the server's reply has another shape than expected")]
    Shape(#[from] JsonError),
    /// A stream ended before it said that it was complete, or sent an event beyond 4 MiB.
    #[error("the stream broke off before its end")]
    Cut,
}

fn not_reached(error: &reqwest::Error) -> String {
    let whom = match error.url() {
        Some(url) => format!("no server was reached at {url}"),
        None => "the server was not reached".to_owned(),
    };
    format!(
        "{whom}, or the connection broke\nhint: start one with `aigen dev`, or name one: AIGEN_URL"
    )
}

impl ClientError {
    /// What a reply with an error status says; a proxy's page is quoted.
    #[must_use]
    pub fn from_reply(status: u16, body: &[u8]) -> Self {
        let error = match from_json::<ErrorEnvelope>(body) {
            Ok(envelope) => envelope.error,
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                let quote: String = text.trim().chars().take(QUOTE_CHARS_MAX).collect();
                ApiError::new(ErrorKind::Unknown, format!("HTTP {status}: {quote}"))
            }
        };
        let error = Box::new(error);
        Self::Api { status, error }
    }
}
