//! Calls that other servers answer: what they say, told as a session tells it, and what they
//! claim to have used, as far as it is believed.

mod form;
mod joined;
mod room;

use crate::error::NodeError;
use crate::work::{Told, Unbegun};
use aigen_engine::EngineError;
use aigen_engine::text::{
    Asked, Claimed, TextCall, TextEnding, TextEngine, TextEvent, TextFault, TextFinish, TextParts,
    TextRequest, Unshown,
};
use aigen_functions::Form;
use aigen_jarvis::{
    BranchId, CallReader, Ending, Event, Fault, Finish, Piece, Program, TextOpening, TextSegment,
    TextSession, Usage, call_text,
};
use aigen_network::Counter;
use aigen_types::Digest;
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use self::joined::{Came, Part};
pub use form::Correction;
pub(crate) use form::{correct, state};
pub(crate) use room::room as room_elsewhere;

/// Bytes of text per output token, as far as progress is reported: so few tokens that no honest
/// claim is below what was reported.
const BYTES_PER_TOKEN_REPORTED: u64 = 16;

/// The same for our own count, where no claim is believed: English has 4.
const BYTES_PER_TOKEN_COUNTED: u64 = 4;

/// A request to a model that other servers answer for.
pub(crate) struct Asking {
    pub engine: Arc<dyn TextEngine>,
    pub request: TextRequest,
    /// What the answer is read by, where a schema steers it.
    pub form: Option<Form>,
    /// What steers it, if that is more than a schema.
    pub steered: Option<(Program, TextOpening)>,
    /// Prompt tokens of one request, which are held for, and no claim may exceed.
    pub prompt_max: u64,
    /// The same of its output tokens.
    pub output_max: u64,
}

impl Asking {
    /// Asks. What comes of it is told to `tell`, an [`Event::Finished`] last.
    ///
    /// # Errors
    /// When a controller does not open, or wants what the engine cannot do; nothing is told then.
    pub async fn start(
        mut self: Box<Self>,
        tell: UnboundedSender<Told>,
        recall: CancellationToken,
    ) -> Result<Asked, Unbegun> {
        let Some((program, terms)) = self.steered.take() else {
            let mut listener = self.listener(&self.request, tell);
            let on_event = Box::new(move |event| listener.hear(event));
            return Ok(self.engine.start(self.request, on_event));
        };
        let sampling = self.request.sampling.clone();
        let begin = move || {
            let mut session = TextSession::open(&program, &terms, &recall)?;
            match session.begin(&sampling) {
                Ok(segments) => Ok((session, segments)),
                Err(fault) => Err(Box::new(session.fail(fault))),
            }
        };
        // A guest computes for up to half a second, off the async threads.
        let begun = tokio::task::spawn_blocking(begin).await;
        let begun = begun.unwrap_or_else(|_| Err(Box::new(Ending::crashed())));
        let (session, segments) = begun.map_err(Unbegun::of)?;
        match self.requests(segments) {
            Ok(requests) => Ok(Asked::elsewhere(joined::start(
                &self, session, requests, tell,
            ))),
            Err(error) => {
                let reason = error.to_string();
                let ending = Box::new(session.fail(Fault::Controller { reason }));
                Err(Unbegun { error, ending })
            }
        }
    }

    /// What is asked for the controller's branches. All of it can be asked, or nothing is.
    fn requests(
        &self,
        segments: Vec<TextSegment>,
    ) -> Result<Vec<(BranchId, TextRequest)>, NodeError> {
        if segments.is_empty() {
            let why = "the controller asks the model for nothing, and it is computed elsewhere";
            return Err(NodeError::Steering(why.to_owned()));
        }
        let segments = segments.into_iter();
        let request = |segment: TextSegment| Ok((segment.branch, self.narrowed(segment)?));
        segments.map(request).collect()
    }

    /// What the segment says, within what the request does.
    fn narrowed(&self, segment: TextSegment) -> Result<TextRequest, NodeError> {
        let mut request = self.request.clone();
        request.schema = segment.schema;
        request.stops.extend(segment.stops);
        request.sampling = segment.sampling;
        request.probabilities = segment.probabilities;
        let most = segment.max_tokens.unwrap_or(request.max_tokens);
        request.max_tokens = request.max_tokens.min(most);
        self.engine.check(&request).map_err(NodeError::Steering)?;
        Ok(request)
    }

    fn listener(&self, request: &TextRequest, tell: UnboundedSender<Told>) -> Listener {
        Listener {
            tell,
            prompt: request.prompt_tokens_estimated().min(self.prompt_max),
            prompt_max: self.prompt_max,
            output_max: self.output_max,
            has_schema: self.form.is_some() || request.schema.is_some(),
            form: self.form.clone(),
            part: None,
            started: false,
            bytes: 0,
            held_back: String::new(),
            calls: request.tools.is_some().then(CallReader::default),
            called: false,
            logprob: None,
        }
    }
}

/// What became known of a prompt that was not counted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Its tokens, cached ones too.
    pub prompt: u64,
    /// Those found in a cache.
    pub cached: u64,
    /// Who says so.
    pub counting: Counting,
}

/// How the tokens of a call were counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// By this node, token by token.
    #[default]
    Exact,
    /// By the upstream, whose claim is a possible one.
    Claimed,
    /// By this node from the bytes, 4 to a token, because no claim could be believed.
    Estimated(Doubt),
}

impl Counting {
    /// Nobody has claimed anything.
    pub(crate) const UNHEARD: Self = Self::Estimated(Doubt::Silent {
        what: "tokens there are, yet",
    });

    pub(crate) fn counter(&self) -> Counter {
        match self {
            Self::Exact => Counter::Engine,
            Self::Claimed => Counter::Upstream,
            Self::Estimated(_) => Counter::Estimated,
        }
    }
}

/// Why a claim is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// There is none, or none that is a number.
    Silent {
        /// Of what.
        what: &'static str,
    },
    /// It is no number there can be.
    Impossible {
        /// Of what.
        what: &'static str,
        /// The claim, in tokens.
        claimed: i64,
        /// The least there must have been.
        min: u64,
        /// The most there can have been.
        max: u64,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { what } => write!(f, "the upstream does not say how many {what}"),
            Self::Impossible {
                what,
                claimed,
                min,
                max,
            } => write!(
                f,
                "the upstream claims {claimed} {what}, between {min} and {max} are possible"
            ),
        }
    }
}

/// What a claim is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Believed {
    prompt: u64,
    cached: u64,
    output: u64,
}

/// Turns what an upstream says into what a session would tell.
struct Listener {
    tell: UnboundedSender<Told>,
    /// Our own estimate.
    prompt: u64,
    prompt_max: u64,
    output_max: u64,
    has_schema: bool,
    form: Option<Form>,
    /// Where a controller has the last word, about which of its requests.
    part: Option<Part>,
    started: bool,
    /// Of text that came so far.
    bytes: u64,
    /// Text that a schema has not been checked against.
    held_back: String,
    /// Looks for calls in text, where any are offered: they come as calls or not at all.
    calls: Option<CallReader>,
    /// A call was told.
    called: bool,
    /// How likely the answer is, where that was asked.
    logprob: Option<f32>,
}

impl Listener {
    fn hear(&mut self, event: TextEvent) {
        match event {
            TextEvent::Started => self.start(),
            TextEvent::Text(text) => self.text(text),
            TextEvent::Call(call) => self.call(&call),
            TextEvent::Logprob(logprob) => self.logprob = Some(logprob),
            TextEvent::Finished(ending) => self.finish(ending),
        }
    }

    fn start(&mut self) {
        self.started = true;
        self.measured(self.prompt, 0, Counting::UNHEARD);
    }

    fn text(&mut self, text: TextParts) {
        self.bytes += text.len() as u64;
        let text = match self.calls {
            Some(_) => text.parts().filter(|part| !self.calls_in(part)).collect(),
            None => text,
        };
        if self.has_schema || self.part.is_some() {
            self.held_back.push_str(&text);
        } else if !text.is_empty() {
            self.piece(text);
        }
    }

    /// A call in the words of this node, of which every route knows how to make its own.
    fn call(&mut self, call: &TextCall) {
        self.bytes += (call.name.len() + call.arguments.len()) as u64;
        let text = call_text(&call.name, &call.arguments);
        let between = if self.called { "\n" } else { "" };
        self.called = true;
        self.piece(format!("{between}{text}").into());
    }

    /// Whether there is a call in the text, or was: of that nothing is shown, and the ending says why.
    fn calls_in(&mut self, text: &str) -> bool {
        self.calls.as_mut().is_some_and(|calls| {
            calls.push(text);
            calls.begun()
        })
    }

    fn piece(&self, text: TextParts) {
        let piece = Piece {
            text,
            usage: sampled(self.reported()),
            ..Piece::default()
        };
        self.tell(Told::Event(0, Event::Output(piece)));
    }

    fn finish(&mut self, mut ending: TextEnding) {
        if self.calls.as_ref().is_some_and(CallReader::begun) && ending.finish.is_ok() {
            let reason = "it calls a function in its text instead of `tool_calls`".to_owned();
            ending.finish = Err(TextFault::Broken { reason });
        }
        // Who hangs up before the upstream has said anything has begun no call, whatever it reads.
        let answered = matches!(&ending.finish, Ok(finish) if *finish != TextFinish::Cancelled);
        let output = if self.started || answered {
            self.measure(&ending)
        } else {
            0
        };
        let text = std::mem::take(&mut self.held_back);
        let text = self.read(text, &mut ending);
        if let Some(part) = self.part.take() {
            return part.came(Came {
                text,
                finish: ending.finish,
                logprob: self.logprob,
                output,
            });
        }
        if ending.finish.is_ok() && !text.is_empty() {
            self.piece(text.into());
        }
        let complete = ending.finish == Ok(TextFinish::Stop);
        self.tell(Told::Event(
            0,
            Event::Finished(Ending {
                finish: finish(ending),
                usage: sampled(output),
                grammar_complete: self.has_schema.then_some(complete),
                // Nothing was decided here.
                decisions: Digest::ZERO,
                ..Ending::crashed()
            }),
        ));
    }

    /// The value in what an upstream said, which may have put prose around it, or followed no schema.
    fn read(&self, text: String, ending: &mut TextEnding) -> String {
        let whole = matches!(
            ending.finish,
            Ok(TextFinish::Stop) | Err(TextFault::Schema { .. })
        );
        let Some(form) = self.form.as_ref().filter(|_| whole) else {
            return text;
        };
        let (found, finish) = match form.find(&text) {
            Ok(found) => (found.to_owned(), Ok(TextFinish::Stop)),
            Err(reason) => {
                let said = Unshown(text);
                (String::new(), Err(TextFault::Schema { reason, said }))
            }
        };
        ending.finish = finish;
        found
    }

    /// Tells the prompt's tokens, and gives back those of the answer.
    fn measure(&self, ending: &TextEnding) -> u64 {
        match self.believe(ending.claimed.unwrap_or_default()) {
            Ok(believed) => {
                self.measured(believed.prompt, believed.cached, Counting::Claimed);
                believed.output
            }
            Err(doubt) => {
                // Of an answer that was cut off here nobody could claim anything.
                if ending.finish != Ok(TextFinish::Cancelled) {
                    tracing::warn!(%doubt, "tokens are counted by the bytes");
                }
                self.measured(self.prompt, 0, Counting::Estimated(doubt));
                let counted = self.bytes.div_ceil(BYTES_PER_TOKEN_COUNTED);
                counted.min(self.output_max)
            }
        }
    }

    fn believe(&self, claimed: Claimed) -> Result<Believed, Doubt> {
        let text = u64::from(self.bytes > 0);
        let prompt = possible("prompt tokens", claimed.prompt, 1, self.prompt_max)?;
        let cached = claimed.cached.or(Some(0));
        Ok(Believed {
            prompt,
            cached: possible("cached tokens", cached, 0, prompt)?,
            output: possible(
                "output tokens",
                claimed.completion,
                self.reported().max(text),
                self.output_max,
            )?,
        })
    }

    /// Output tokens that there are at least.
    fn reported(&self) -> u64 {
        (self.bytes / BYTES_PER_TOKEN_REPORTED).min(self.output_max)
    }

    fn measured(&self, prompt: u64, cached: u64, counting: Counting) {
        let measured = Measured {
            prompt,
            cached,
            counting,
        };
        match &self.part {
            Some(part) => part.measured(measured),
            None => self.tell(Told::Measured(measured)),
        }
    }

    fn tell(&self, told: Told) {
        // A meter outlives the call that it meters.
        let _ = self.tell.send(told);
    }
}

/// The tokens of a prompt that an upstream claims, where there can be as many.
///
/// # Errors
/// Why the claim is not believed.
pub(crate) fn prompt_believed(claimed: Option<Claimed>, max: u64) -> Result<u64, Doubt> {
    let claimed = claimed.unwrap_or_default();
    possible("prompt tokens", claimed.prompt, 1, max)
}

fn possible(what: &'static str, claimed: Option<i64>, min: u64, max: u64) -> Result<u64, Doubt> {
    let claimed = claimed.ok_or(Doubt::Silent { what })?;
    let count = u64::try_from(claimed).ok();
    count
        .filter(|count| (min..=max).contains(count))
        .ok_or(Doubt::Impossible {
            what,
            claimed,
            min,
            max,
        })
}

fn sampled(tokens: u64) -> Usage {
    Usage {
        sampled_tokens: tokens,
        ..Usage::default()
    }
}

fn finish(ending: TextEnding) -> Finish {
    match ending.finish {
        Ok(TextFinish::Stop) => Finish::Stop,
        Ok(TextFinish::Length) => Finish::Length,
        Ok(TextFinish::Filtered) => Finish::Filtered,
        Ok(TextFinish::Cancelled) => Finish::Cancelled,
        Err(fault) => Finish::Fault(Fault::Engine(EngineError::Upstream(fault))),
    }
}
