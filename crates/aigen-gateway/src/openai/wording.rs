use super::conclusion::Conclusion;
use super::frame::Frame;
use super::speech::{Part, Said};
use crate::failure::Failure;

/// What every part of a reply repeats.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub id: String,
    /// Seconds since the Unix epoch.
    pub created: u64,
    pub model: String,
    pub system_fingerprint: Option<String>,
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
}

/// How one route words the same answer, whole and in parts.
pub(crate) trait Wording: Send + 'static {
    /// Where its requests arrive.
    const ROUTE: &'static str;
    /// The field that holds the prompt.
    const PROMPT: &'static str;
    /// The field that holds a schema of the answer.
    const SCHEMA: &'static str;
    /// What its ids begin with.
    const ID_PREFIX: &'static str;

    /// The whole of what was asked for, one answer or several, as JSON.
    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8>;

    /// Why what was said is no answer, where that is so: it is charged all the same.
    fn refused(&self, _: &[Said], _: &Conclusion) -> Option<Failure> {
        None
    }

    /// What a stream begins with, before there is any text.
    fn open(&mut self, frame: &mut Frame, head: &Head);

    /// More of an answer, the first of which is 0.
    fn part(&mut self, frame: &mut Frame, head: &Head, choice: u32, part: Part<'_>);

    /// What a stream ends with.
    fn close(&mut self, frame: &mut Frame, head: &Head, conclusion: Conclusion);

    /// The status line is long gone: the error is the last event.
    fn fail(&mut self, frame: &mut Frame, head: &Head, failure: Failure);

    /// An answer that failed and was paid for, as JSON.
    fn error(failure: Failure) -> Vec<u8> {
        super::answer::json(&failure.envelope())
    }
}
