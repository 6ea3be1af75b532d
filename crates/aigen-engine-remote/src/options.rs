use std::fmt;
use std::time::Duration;

use aigen_engine::ControlLevel;

/// A model of other servers.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who can be asked for it; at least one.
    pub upstreams: Vec<UpstreamOptions>,
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Output tokens of a request that does not say how many; [`ANSWER_TOKENS`], or the context where
    /// that is shorter, when absent.
    ///
    /// [`ANSWER_TOKENS`]: crate::limits::ANSWER_TOKENS
    pub answer_tokens: Option<u32>,
    /// How closely it can be steered; found out by a tiny request when absent.
    pub control: Option<ControlLevel>,
    /// Whether its upstreams take tools, all of them.
    pub tools: bool,
    /// Whether they tell how likely their answers are; found out by a tiny request when absent.
    pub probabilities: Option<bool>,
    /// How long each phase of a request may take.
    pub timeouts: Timeouts,
    /// What happens upstream when the caller is gone.
    pub hang_up: HangUp,
    /// Whether answers are asked for as streams.
    pub stream: bool,
}

/// One server.
#[derive(Clone, Debug)]
pub struct UpstreamOptions {
    /// Its base URL, such as `http://10.0.0.7:8000/v1`.
    pub url: String,
    /// What it calls the model.
    pub model: String,
    /// Its API key.
    pub key: Option<Secret>,
    /// Its part of the requests, relative to the others'; at least 1.
    pub weight: u32,
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl Secret {
    /// The text without it, as it is and as JSON may write it.
    pub(crate) fn left_out(&self, text: &str) -> String {
        const INSTEAD: &str = "(secret)";
        match self.0.trim() {
            "" => text.to_owned(),
            secret => text
                .replace(secret, INSTEAD)
                .replace(&secret.replace('/', "\\/"), INSTEAD),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// How long each phase of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// From the request to the first part of its answer; comments of a stream begin it anew.
    pub first_byte: Duration,
    /// Between two parts, comments among them.
    pub idle: Duration,
    /// All of one try.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(900),
        }
    }
}

/// What happens upstream when the caller is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HangUp {
    /// The request is cancelled, and what had come is charged by our own count.
    #[default]
    Cancel,
    /// The answer is read to its end, unheard, and charged as the upstream counts it.
    Drain,
}
