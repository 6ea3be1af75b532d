use aigen_api::openai::{FinishReason, TokenLogprob, ToolCall, TraceStep};
use aigen_node::{CallReader, Spoken, Steering};
use aigen_types::CallId;
use std::borrow::Cow;

/// What is new in an answer.
pub(crate) enum Part<'a> {
    /// More of its text.
    Text {
        text: Cow<'a, str>,
        logprobs: Vec<TokenLogprob>,
    },
    /// A function is called.
    Call(Named),
    /// More of that call's arguments, as JSON.
    Arguments(String),
    /// That call is complete.
    CallEnd,
    /// More of what is said before the answer.
    Reasoning(String),
}

/// A function call by its names.
#[derive(Clone)]
pub(crate) struct Named {
    pub id: String,
    pub name: String,
}

/// Takes an answer apart as it comes.
pub(crate) struct Speech {
    call: CallId,
    /// Which of the call's answers it is.
    choice: u32,
    /// `None`: nothing can be called, all of it is text.
    reader: Option<CallReader>,
}

impl Speech {
    pub fn new(call: CallId, choice: u32, steering: &Steering) -> Self {
        let calls = matches!(steering, Steering::Tools(_));
        Self {
            call,
            choice,
            reader: calls.then(CallReader::default),
        }
    }

    /// Tells `tell` what there is in a text that came, with the probabilities of its tokens.
    pub fn hear<'a>(
        &mut self,
        text: &'a str,
        logprobs: Vec<TokenLogprob>,
        mut tell: impl FnMut(Part<'a>),
    ) {
        let Some(reader) = &mut self.reader else {
            let text = text.into();
            return tell(Part::Text { text, logprobs });
        };
        // Tokens of a call are not the answer's text: OpenAI reports none of them either.
        let mut logprobs = if reader.calls() == 0 {
            logprobs
        } else {
            vec![]
        };
        let mut number = reader.calls();
        for spoken in reader.push(text) {
            tell(match spoken {
                Spoken::Text(text) => Part::Text {
                    text: text.into(),
                    logprobs: std::mem::take(&mut logprobs),
                },
                Spoken::Call { name } => {
                    let id = match self.choice {
                        0 => format!("call_{}_{number}", self.call),
                        choice => format!("call_{}_{choice}_{number}", self.call),
                    };
                    number += 1;
                    Part::Call(Named { id, name })
                }
                Spoken::Arguments(json) => Part::Arguments(json),
                Spoken::CallEnd => Part::CallEnd,
            });
        }
        if !logprobs.is_empty() {
            let text = "".into();
            tell(Part::Text { text, logprobs });
        }
    }

    /// What was kept back, once nothing follows.
    pub fn rest(&mut self) -> Option<Part<'static>> {
        match self.reader.as_mut()?.finish()? {
            Spoken::Text(text) => Some(Part::Text {
                text: text.into(),
                logprobs: Vec::new(),
            }),
            _ => None,
        }
    }

    /// Why an answer ended that the model ended like this.
    pub fn finish(&self, finish: FinishReason) -> FinishReason {
        let called = self
            .reader
            .as_ref()
            .is_some_and(|reader| reader.calls() > 0);
        match finish {
            FinishReason::Stop if called => FinishReason::ToolCalls,
            other => other,
        }
    }
}

/// An answer as far as it has come.
#[derive(Clone, Default)]
pub(crate) struct Said {
    pub text: String,
    pub logprobs: Vec<TokenLogprob>,
    pub calls: Vec<ToolCall>,
    /// What was said before it.
    pub reasoning: Option<String>,
    /// What happened.
    pub trace: Vec<TraceStep>,
}

impl Said {
    /// The one answer of a route that gives no more.
    pub fn only(mut said: Vec<Self>) -> Self {
        said.pop().unwrap_or_default()
    }

    pub fn take(&mut self, part: Part<'_>) {
        match part {
            Part::Text { text, logprobs } => {
                self.text.push_str(&text);
                self.logprobs.extend(logprobs);
            }
            Part::Call(Named { id, name }) => {
                self.calls.push(ToolCall::new(id, name, String::new()));
            }
            Part::Arguments(json) => {
                if let Some(call) = self.calls.last_mut() {
                    call.function.arguments.push_str(&json);
                }
            }
            Part::CallEnd => {}
            Part::Reasoning(text) => self.reason(&text),
        }
    }

    pub fn reason(&mut self, text: &str) {
        if !text.is_empty() {
            self.reasoning.get_or_insert_default().push_str(text);
        }
    }
}
