use aigen_api::openai::{AigenReply, FinishReason, TokenLogprob, Usage};
use serde::Serialize;

/// What every chunk of a reply repeats.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub id: String,
    /// Seconds since the Unix epoch.
    pub created: u64,
    pub model: String,
    pub system_fingerprint: Option<String>,
}

/// The whole of a finished answer.
pub(super) struct Answer {
    pub text: String,
    pub logprobs: Vec<TokenLogprob>,
    pub finish: FinishReason,
    pub usage: Usage,
    pub aigen: AigenReply,
}

/// How one route words the same answer, whole and in parts.
pub(super) trait Wording: Send + 'static {
    /// Where its requests arrive.
    const ROUTE: &'static str;
    /// The field that holds the prompt.
    const PROMPT: &'static str;
    /// What its ids begin with.
    const ID_PREFIX: &'static str;
    type Whole: Serialize;
    type Part: Serialize;

    fn whole(&mut self, head: Head, answer: Answer) -> Self::Whole;

    /// What a stream begins with, before there is any text.
    fn opening(&self, head: &Head) -> Option<Self::Part>;

    fn part(&mut self, head: &Head, text: String, logprobs: Vec<TokenLogprob>) -> Self::Part;

    /// The part with the finish reason.
    fn ending(&self, head: &Head, finish: FinishReason, aigen: Option<AigenReply>) -> Self::Part;

    /// The part after that one, when the request asks for the usage.
    fn usage(&self, head: &Head, usage: Usage, aigen: AigenReply) -> Self::Part;
}
