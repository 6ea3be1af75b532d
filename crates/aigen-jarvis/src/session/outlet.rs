use crate::limits::TRACE_STEPS_MAX;
use crate::{BranchId, Ending, Event, Piece, TokenLogprobs, TraceStep, Traced, Usage};

/// The door to the session's owner: events in order, exactly one ending.
pub(super) struct Outlet {
    on_event: Box<dyn FnMut(Event) + Send>,
    state: State,
    told: Usage,
    /// What the caller was shown, if it takes text that may be taken back.
    shown: Option<String>,
    /// What happened and was not told yet, for a caller who wants to know.
    trace: Option<Vec<TraceStep>>,
    /// Steps traced so far.
    traced: usize,
}

#[derive(PartialEq)]
enum State {
    Waiting,
    Running,
    Finished,
}

/// What a branch has to show.
#[derive(Default)]
pub(super) struct News {
    /// The text that is new, or all of it for a caller that takes text back.
    pub text: String,
    pub logprobs: Vec<TokenLogprobs>,
    /// What is new of what was said before the answer.
    pub reasoning: String,
}

impl Outlet {
    pub fn new(on_event: Box<dyn FnMut(Event) + Send>, retract: bool, trace: bool) -> Self {
        Self {
            on_event,
            state: State::Waiting,
            told: Usage::default(),
            shown: retract.then(String::new),
            trace: trace.then(Vec::new),
            traced: 0,
        }
    }

    /// Whether anybody wants to know what happens.
    pub fn traces(&self) -> bool {
        self.trace.is_some()
    }

    /// Notes what happened, if anybody wants to know and it is not too much.
    pub fn trace(&mut self, branch: BranchId, position: u32, what: Traced) {
        let Some(trace) = self
            .trace
            .as_mut()
            .filter(|_| self.traced < TRACE_STEPS_MAX)
        else {
            return;
        };
        self.traced += 1;
        let what = match self.traced {
            TRACE_STEPS_MAX => Traced::Cut,
            _ => what,
        };
        trace.push(TraceStep {
            branch,
            position,
            what,
        });
    }

    /// Whether text is shown that may yet be taken back.
    pub fn retracts(&self) -> bool {
        self.shown.is_some()
    }

    pub fn started(&mut self, prompt_tokens: u32, cached_prompt_tokens: u32) {
        self.state = State::Running;
        (self.on_event)(Event::Started {
            prompt_tokens,
            cached_prompt_tokens,
        });
    }

    /// Tells what is new since the last piece, if anything is.
    pub fn tell(&mut self, news: News, usage: Usage) {
        if self.finished() {
            return;
        }
        let News {
            text,
            logprobs,
            reasoning,
        } = news;
        let trace = self.trace.as_mut().map(std::mem::take).unwrap_or_default();
        let (text, retracted) = match &mut self.shown {
            Some(shown) => replace(shown, text),
            None => (text, 0),
        };
        let silent = text.is_empty() && reasoning.is_empty() && trace.is_empty();
        if silent && retracted == 0 && usage == self.told {
            return;
        }
        self.told = usage;
        (self.on_event)(Event::Output(Piece {
            text: text.into(),
            retracted_bytes: u64::try_from(retracted).unwrap_or(u64::MAX),
            usage,
            logprobs,
            reasoning,
            trace,
        }));
    }

    /// Tells all that is left, then the ending. Everything after is ignored.
    pub fn end(&mut self, news: News, ending: Ending) {
        if self.finished() {
            return;
        }
        self.tell(news, ending.usage);
        self.state = State::Finished;
        (self.on_event)(Event::Finished(ending));
    }

    pub fn finished(&self) -> bool {
        self.state == State::Finished
    }
}

/// Turns `shown` into `text`: what comes behind what both begin with, and how many bytes of
/// what was shown go.
fn replace(shown: &mut String, text: String) -> (String, usize) {
    let pairs = shown.char_indices().zip(text.chars());
    let same = pairs.take_while(|((_, old), new)| old == new);
    let common = same.last().map_or(0, |((at, old), _)| at + old.len_utf8());
    let (new, gone) = (text[common..].to_owned(), shown.len() - common);
    *shown = text;
    (new, gone)
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
