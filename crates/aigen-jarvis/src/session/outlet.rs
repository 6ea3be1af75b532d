use super::output::Output;
use crate::{Ending, Event, Piece, TokenLogprobs, Usage};

/// The door to the session's owner: events in order, exactly one ending.
pub(super) struct Outlet {
    on_event: Box<dyn FnMut(Event) + Send>,
    state: State,
    told: Usage,
    logprobs: Vec<TokenLogprobs>,
}

#[derive(PartialEq)]
enum State {
    Waiting,
    Running,
    Finished,
}

impl Outlet {
    pub fn new(on_event: Box<dyn FnMut(Event) + Send>) -> Self {
        let (told, logprobs) = (Usage::default(), Vec::new());
        Self {
            on_event,
            state: State::Waiting,
            told,
            logprobs,
        }
    }

    pub fn started(&mut self, cached_prompt_tokens: u32) {
        self.state = State::Running;
        (self.on_event)(Event::Started {
            cached_prompt_tokens,
        });
    }

    /// Keeps a sampled token's logprobs for the next piece.
    pub fn logprobs(&mut self, logprobs: TokenLogprobs) {
        self.logprobs.push(logprobs);
    }

    /// Tells what is new since the last piece, if anything is.
    pub fn output(&mut self, output: &mut Output) {
        let text = output.release();
        self.piece(text, output.usage);
    }

    /// Tells all that is left, then the ending. Everything after is ignored.
    pub fn end(&mut self, output: &mut Output, ending: Ending) {
        if self.finished() {
            return;
        }
        let text = output.transcript.finish();
        self.piece(text, output.usage);
        self.state = State::Finished;
        (self.on_event)(Event::Finished(ending));
    }

    pub fn finished(&self) -> bool {
        self.state == State::Finished
    }

    fn piece(&mut self, text: String, usage: Usage) {
        if text.is_empty() && usage == self.told {
            return;
        }
        self.told = usage;
        let logprobs = std::mem::take(&mut self.logprobs);
        (self.on_event)(Event::Output(Piece {
            text,
            retracted_bytes: 0,
            usage,
            logprobs,
        }));
    }
}

/// A session that panics is dropped by the scheduler without another word; its
/// owner must hear of the end all the same.
impl Drop for Outlet {
    fn drop(&mut self) {
        if self.state == State::Running {
            (self.on_event)(Event::Finished(Ending {
                usage: self.told,
                ..Ending::crashed()
            }));
        }
    }
}
