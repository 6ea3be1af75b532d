//! The port for models that run elsewhere: whole requests in, text out.
//!
//! An [`crate::Engine`] shows its logits and counts its tokens itself. A [`TextEngine`] is
//! somebody else's server: it can be asked for an answer, perhaps under a schema, and what it
//! says of its own usage is a claim.

mod parts;

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use aigen_types::{Digest, Hex};
use serde_json::Value;

use crate::sampler::Sampling;
use crate::{ChatMessage, ControlLevel};

pub use parts::TextParts;

/// A model behind one or several upstreams.
pub trait TextEngine: Send + Sync {
    /// What it is, as far as is known now.
    fn info(&self) -> TextInfo;

    /// What can be refused before anything is sent: an impossible schema, a control level that
    /// no upstream has.
    ///
    /// # Errors
    /// The reason.
    fn check(&self, request: &TextRequest) -> Result<(), String>;

    /// Asks. `on_event` is called from any thread and must not block. Called from async code.
    fn start(&self, request: TextRequest, on_event: OnText) -> Asked;
}

/// A request that was begun.
pub struct Asked {
    /// Ends it.
    pub control: Box<dyn TextControl>,
    /// What reads its answer, until the last event was told. Whoever asks has to poll it, and is told nothing but
    /// while he does; dropping it drops the request, and nothing more is told.
    pub answering: Answering,
}

/// See [`Asked::answering`].
pub type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Asked {
    /// One that somebody else answers, whether or not it is polled.
    #[must_use]
    pub fn elsewhere(control: Box<dyn TextControl>) -> Self {
        let answering = Box::pin(ready(()));
        Self { control, answering }
    }
}

/// Hears what a [`TextEngine`] says.
pub type OnText = Box<dyn FnMut(TextEvent) + Send>;

/// Ends one request.
pub trait TextControl: Send + Sync {
    /// Nobody reads any more: ends the request, or reads it to its end unheard, as the operator
    /// chose.
    fn hang_up(&self);

    /// Ends the request at once.
    fn cancel(&self);
}

/// What a [`TextEngine`] says about its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextInfo {
    /// Names the model: a digest of what it is called upstream, since weights are not seen.
    pub digest: Digest,
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Output tokens, at most, of a request that does not say how many: an answer elsewhere is held for
    /// at its longest, and few want all of the context.
    pub answer_tokens: u32,
    /// How closely it can be steered, as far as was found out.
    pub control: ControlLevel,
    /// Whether it can be offered tools.
    pub tools: bool,
    /// Whether it tells how likely its answers are, as far as was found out.
    pub probabilities: bool,
    /// Every upstream.
    pub upstreams: Vec<UpstreamState>,
}

impl TextInfo {
    /// Whether any upstream would be asked now.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.upstreams.iter().any(|upstream| !upstream.open)
    }
}

/// How one upstream is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamState {
    /// Its host and port; never its key.
    pub name: String,
    /// Whether its breaker is open: it failed too often and is left alone for a while.
    pub open: bool,
    /// Requests that it works on.
    pub in_flight: u32,
}

/// One request.
#[derive(Clone, Debug)]
pub struct TextRequest {
    /// What is asked.
    pub prompt: TextPrompt,
    /// Output tokens, at most; [`TextInfo::answer_tokens`] stands for a caller that does not say.
    pub max_tokens: u32,
    /// How tokens are drawn, upstream.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stops: Vec<String>,
    /// The schema that the whole answer must satisfy.
    pub schema: Option<Arc<Value>>,
    /// Functions that it may call. Not together with a schema.
    pub tools: Option<Arc<TextTools>>,
    /// Whether to be told how likely the answer is: [`TextEvent::Logprob`].
    pub probabilities: bool,
    /// Where it belongs, as the upstream is told.
    pub traceparent: Option<TraceParent>,
}

/// A request's place in a trace, by the W3C's recommendation; shown as the header of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; not 0.
    pub trace: u128,
    /// The span that asks; not 0.
    pub span: u64,
    /// Whether the trace is kept.
    pub sampled: bool,
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace,
            span,
            sampled,
        } = self;
        let (trace, span) = (trace.to_be_bytes(), span.to_be_bytes());
        let sampled = u8::from(*sampled);
        write!(f, "00-{}-{}-{sampled:02x}", Hex(trace), Hex(span))
    }
}

impl TextRequest {
    /// Tokens that the prompt cannot exceed, with what is told of tools: see
    /// [`TextPrompt::tokens_max`].
    #[must_use]
    pub fn prompt_tokens_max(&self) -> u64 {
        self.prompt.tokens_max() + self.tools.as_ref().map_or(0, |tools| tools.bytes())
    }

    /// Our own estimate of them.
    #[must_use]
    pub fn prompt_tokens_estimated(&self) -> u64 {
        let tools = self.tools.as_ref().map_or(0, |tools| tools.bytes());
        self.prompt.tokens_estimated() + tools.div_ceil(4)
    }
}

/// Functions that an upstream's model is offered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextTools {
    /// The functions; at least one.
    pub functions: Vec<TextFunction>,
    /// Whether one of them has to be called.
    pub required: bool,
    /// Whether there may be several calls in one answer.
    pub parallel: bool,
}

/// One function.
#[derive(Clone, Debug, PartialEq)]
pub struct TextFunction {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// A JSON Schema of its arguments.
    pub parameters: Value,
    /// Whether arguments that do not satisfy the schema are refused.
    pub strict: bool,
}

impl TextTools {
    /// Bytes that the functions are described in, and 512 of what a template says about tools at
    /// most, with 64 around each.
    fn bytes(&self) -> u64 {
        let bytes = |function: &TextFunction| {
            let description = function.description.as_ref().map_or(0, String::len);
            let parameters = function.parameters.to_string();
            64 + (function.name.len() + description + parameters.len()) as u64
        };
        512 + self.functions.iter().map(bytes).sum::<u64>()
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum TextPrompt {
    /// A conversation; the upstream knows its template.
    Chat(Vec<ChatMessage>),
    /// Plain text to continue.
    Plain(String),
}

impl TextPrompt {
    /// Tokens that it cannot exceed in a byte-level vocabulary: one per byte, and what a
    /// template puts around every message.
    #[must_use]
    pub fn tokens_max(&self) -> u64 {
        self.bytes() + self.framing()
    }

    /// Our own estimate of its tokens: 4 bytes each, as English text in vocabularies of 100,000.
    #[must_use]
    pub fn tokens_estimated(&self) -> u64 {
        self.bytes().div_ceil(4) + self.framing() / 4
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Plain(text) => text.len() as u64,
            Self::Chat(messages) => messages
                .iter()
                .map(|message| message.content.len() as u64)
                .sum(),
        }
    }

    /// Templates put up to 16 tokens around a message, and some a system message of their own.
    fn framing(&self) -> u64 {
        match self {
            Self::Plain(_) => 4,
            Self::Chat(messages) => 64 + 16 * messages.len() as u64,
        }
    }
}

/// What a [`TextEngine`] tells, ending with one `Finished`.
#[derive(Clone, Debug, PartialEq)]
pub enum TextEvent {
    /// The upstream began to answer.
    Started,
    /// More of the answer, in the parts in which it came: each is mostly one token.
    Text(TextParts),
    /// A whole call of a function that was offered.
    Call(TextCall),
    /// Natural logarithm of the probability of the whole answer under the model, as the upstream tells
    /// it: of all its tokens together. Once, where it was asked for and is no claim that cannot be.
    Logprob(f32),
    /// The last event.
    Finished(TextEnding),
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextCall {
    /// The function's name.
    pub name: String,
    /// Its arguments: a JSON object.
    pub arguments: String,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TextEnding {
    /// Why, or what failed.
    pub finish: Result<TextFinish, TextFault>,
    /// The usage that the upstream claims, as it claims it.
    pub claimed: Option<Claimed>,
}

/// Why an upstream stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFinish {
    /// The model ended its turn, or a stop string came.
    Stop,
    /// The token limit, or an answer longer than any such limit allows.
    Length,
    /// A filter of its own held the rest back.
    Filtered,
    /// It was told to.
    Cancelled,
}

/// Usage as claimed by an upstream. Numbers that are none a count can have are kept as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Prompt tokens.
    pub prompt: Option<i64>,
    /// Of them, those found in its cache.
    pub cached: Option<i64>,
    /// Output tokens.
    pub completion: Option<i64>,
}

/// Why there is no answer, or no whole one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Every upstream failed, or is left alone because it did.
    #[error("no upstream answers: {reason}")]
    Unavailable {
        /// The last failure.
        reason: String,
        /// When another try is worth it, in milliseconds.
        retry_after_millis: Option<u64>,
    },
    /// Nothing came in time.
    #[error("the upstream was silent: {phase} took longer than {seconds} s")]
    Timeout {
        /// What was waited for.
        phase: &'static str,
        /// The bound.
        seconds: u64,
    },
    /// The upstream refuses this very request.
    #[error("the upstream refuses the request: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The answer broke off.
    #[error("the upstream's answer is broken: {reason}")]
    Broken {
        /// How.
        reason: String,
    },
    /// The answer is whole and does not satisfy the schema.
    #[error("the upstream's answer does not satisfy the schema: {reason}")]
    Schema {
        /// Where.
        reason: String,
        /// What it is.
        said: Unshown,
    },
}

/// What a model said, where errors are logged: `{:?}` tells its length only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Unshown(pub String);

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
