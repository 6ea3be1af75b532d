//! One controlled completion on one engine.

mod branch;
mod closing;
mod common;
mod family;
mod healing;
mod outlet;
mod output;
mod record;
mod replay;
mod rewinds;
mod seat;
mod segment;
mod several;
mod suspension;
mod text;
mod timer;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aigen_engine::sampler::{Sampler, Sampling};
use aigen_engine::{
    ControlLevel, Driver, EngineError, EngineHandle, SessionControl, Terms, TokenId, Tokenizer,
    Transcript,
};

use tokio_util::sync::CancellationToken;

pub use self::replay::{Replayed, replay};
pub use self::text::{Bytes, TextOpening, TextSaid, TextSegment, TextSession};

use self::branch::Branch;
use self::common::Common;
use self::family::Family;
use self::outlet::Outlet;
use self::output::Output;
use self::seat::{Seat, lock};
use self::several::Several;
use crate::limits::{STOP_BYTES_MAX, STOPS_MAX};
use crate::{
    Capabilities, Context, Controller, Cover, Ending, Event, Fault, Finish, Log, Opening, Program,
    Usage,
};

/// Everything one session needs.
#[derive(Clone)]
pub struct SessionRequest {
    /// The prompt, after the chat template; at least one token.
    pub prompt: Vec<TokenId>,
    /// What steers it.
    pub program: Program,
    /// How tokens are chosen among those the program allows.
    pub sampling: Sampling,
    /// Output tokens the branch may have, sampled and forced; tokens taken back
    /// do not count. The room left in the model's context is a bound too.
    pub max_tokens: u32,
    /// Texts before which the output is cut off and ended; 16 at most, each of 1
    /// to 256 bytes.
    pub stops: Vec<String>,
    /// Log-probabilities of sampled tokens, with this many alternatives each.
    pub top_logprobs: Option<u8>,
    /// How many output tokens are paid for.
    pub cover: Cover,
    /// What the caller gives the controller: JSON of its own, or nothing.
    pub argument: String,
    /// The conversation as JSON, in OpenAI's form; empty for a raw prompt.
    pub messages: String,
    /// Tokens that a prompt of the controller's own may have: what is paid for. The request's
    /// may be longer.
    pub prompt_tokens_max: u32,
    /// Whether [`crate::Ending::replay`] is kept.
    pub log: bool,
    /// Whether pieces say what happened, step by step: [`crate::Piece::trace`].
    pub trace: bool,
    /// Whose session it is: see [`aigen_engine::Terms::tenant`].
    pub tenant: u64,
    /// Whether the caller takes text that may yet be taken back: text then comes
    /// as soon as it is there, and [`crate::Piece::retracted_bytes`] takes it back.
    pub retract: bool,
}

/// Why a session was not started. Nothing was computed, and no event is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The engine cannot be steered the way the program needs.
    #[error("this engine cannot run the controller: {reason}")]
    Unsupported {
        /// What it lacks.
        reason: &'static str,
    },
    /// A stop string is empty or too long, or there are too many.
    #[error("a request has at most {STOPS_MAX} stop strings of 1 to {STOP_BYTES_MAX} bytes")]
    Stops,
    /// The controller did not open.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The engine refused the session.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Sessions that were not started, and what their controllers came to while they opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Unstarted {
    /// Why.
    pub error: StartError,
    /// What all of them used and asked, which is owed all the same.
    pub ending: Box<Ending>,
}

impl Unstarted {
    fn new(error: StartError, opened: &[Context]) -> Self {
        let fault = match &error {
            StartError::Fault(fault) => fault.clone(),
            StartError::Engine(error) => error.clone().into(),
            StartError::Unsupported { .. } | StartError::Stops => Fault::Crashed,
        };
        let ending = Box::new(Ending::unopened(fault, opened));
        Self { error, ending }
    }
}

/// A running session. Dropping it cancels the session.
#[must_use = "dropping the handle cancels the session"]
pub struct SessionHandle(SessionControl);

impl SessionHandle {
    /// Ends the session within one forward pass, with
    /// [`crate::Finish::Cancelled`]. A session that is over is left alone.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Ends sessions of one engine like [`SessionHandle::cancel`], if none of them has told
    /// [`crate::Event::Started`] or is about to; else nothing happens to any.
    pub fn withdraw(all: &[Self]) {
        SessionControl::withdraw(all.iter().map(|handle| &handle.0));
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Hears what a session tells. Called on the engine's thread, so it must not block: send the event on
/// and return.
pub type OnEvent = Box<dyn FnMut(Event) + Send>;

/// Starts a session.
///
/// # Errors
/// See [`StartError`]; `on_event` was then never called.
pub fn start(
    engine: &EngineHandle,
    request: SessionRequest,
    on_event: OnEvent,
) -> Result<SessionHandle, StartError> {
    let recall = CancellationToken::new();
    let one = vec![vec![(request, on_event)]];
    let mut started = start_several(engine, one, &recall).map_err(|unstarted| unstarted.error)?;
    started.pop().ok_or(EngineError::PromptEmpty.into())
}

/// Starts sessions on several prompts, all or none. The sessions of one prompt, for which it must be
/// the same, have it computed once; they end together if they are cancelled, and else each by itself.
///
/// A controller that opens may wait for the outside for long. Once `recall` is cancelled it is not
/// waited for, and none of them starts if one was still opening.
///
/// # Errors
/// See [`Unstarted`]; nobody was then told anything.
pub fn start_several(
    engine: &EngineHandle,
    prompts: Vec<Vec<(SessionRequest, OnEvent)>>,
    recall: &CancellationToken,
) -> Result<Vec<SessionHandle>, Unstarted> {
    let mut contexts = Vec::new();
    let mut open = |(request, on_event): (SessionRequest, OnEvent)| {
        let context = Context::until(request.sampling.seed, recall.clone());
        contexts.push(context.clone());
        seat(engine, request, on_event, context)
    };
    let prompts = prompts.into_iter();
    let opened = prompts.map(|requests| requests.into_iter().map(&mut open).collect());
    let opened: Result<Vec<Vec<Opened>>, _> = opened.collect();
    let started = opened.and_then(|opened| submit(engine, opened));
    started.map_err(|error| Unstarted::new(error, &contexts))
}

fn submit(
    engine: &EngineHandle,
    mut opened: Vec<Vec<Opened>>,
) -> Result<Vec<SessionHandle>, StartError> {
    let sessions = opened.iter_mut().map(|one| together(one));
    let sessions: Vec<_> = sessions.collect::<Result<_, _>>()?;
    // Nothing happens in the sessions before they can be woken.
    let held: Vec<_> = opened
        .iter()
        .flatten()
        .map(|one| lock(&one.family))
        .collect();
    let controls = engine.submit_all(sessions)?;
    for (opened, control) in opened.iter().zip(&controls) {
        for one in opened {
            one.cover.attach(control.clone());
            one.context.attach(control.clone());
        }
    }
    drop(held);
    Ok(controls.into_iter().map(SessionHandle).collect())
}

/// What is asked of the scheduler for them, the prompt of the first, and who drives it.
type Together = (Terms, Vec<TokenId>, Box<dyn Driver>);

/// The sessions of one prompt, as the engine takes them.
fn together(opened: &mut [Opened]) -> Result<Together, EngineError> {
    let seat = |one: &Opened| -> Box<dyn Driver> { Box::new(Seat::first(Arc::clone(&one.family))) };
    let sequences = opened.iter().map(|one| one.terms.sequences).sum();
    let Some((first, others)) = opened.split_first_mut() else {
        return Err(EngineError::PromptEmpty);
    };
    let prompt = std::mem::take(&mut first.prompt);
    let tenant = first.terms.tenant;
    let others: Vec<_> = others.iter().map(&seat).collect();
    let driver = match others.is_empty() {
        true => seat(first),
        false => Box::new(Several::new(seat(first), others)),
    };
    Ok((Terms { tenant, sequences }, prompt, driver))
}

/// A session that no engine knows yet.
struct Opened {
    family: Arc<Mutex<Family>>,
    prompt: Vec<TokenId>,
    terms: Terms,
    cover: Cover,
    context: Context,
}

fn seat(
    engine: &EngineHandle,
    request: SessionRequest,
    on_event: OnEvent,
    context: Context,
) -> Result<Opened, StartError> {
    check(engine, &request)?;
    let terms = Terms {
        tenant: request.tenant,
        sequences: request.program.branches(),
    };
    let cover = request.cover.clone();
    let given = given(engine, &request);
    let program = request.program.clone();
    let surroundings = Surroundings {
        context: context.clone(),
        tokenizer: engine.tokenizer(),
        outlet: Outlet::new(on_event, request.retract, request.trace),
        sampling: request.sampling,
        top_logprobs: request.top_logprobs,
        cover: request.cover,
        replays: false,
    };
    let mut family = open(&program, &given, surroundings)?;
    family.log = request.log.then_some(given);
    let prompt = family.common.prompt.clone();
    Ok(Opened {
        family: Arc::new(Mutex::new(family)),
        prompt,
        terms,
        cover,
        context,
    })
}

/// What is refused rather than degraded.
fn check(engine: &EngineHandle, request: &SessionRequest) -> Result<(), StartError> {
    let info = engine.info();
    if info.control < ControlLevel::Token {
        return Err(StartError::Unsupported {
            reason: "it gives no control over single tokens",
        });
    }
    if request.program.backtracks() && !info.backtrack {
        return Err(StartError::Unsupported {
            reason: "its model cannot take tokens back",
        });
    }
    let fits = |stop: &String| (1..=STOP_BYTES_MAX).contains(&stop.len());
    if request.stops.len() > STOPS_MAX || !request.stops.iter().all(fits) {
        return Err(StartError::Stops);
    }
    Ok(())
}

/// What the session is given from outside.
fn given(engine: &EngineHandle, request: &SessionRequest) -> Log {
    let info = engine.info();
    Log {
        prompt: request.prompt.clone(),
        argument: request.argument.clone(),
        messages: request.messages.clone(),
        model: info.name.clone(),
        seed: request.sampling.seed,
        can: Capabilities {
            control: info.control,
            backtrack: info.backtrack,
            branches_max: info.sequences_max,
        },
        room: request.max_tokens,
        context_tokens: info.context_tokens,
        prompt_tokens_max: request.prompt_tokens_max,
        stops: request.stops.clone(),
        cached_prompt_tokens: 0,
        covered: 0,
        left: Vec::new(),
        alarms: Vec::new(),
        branches: Vec::new(),
        exchanges: Vec::new(),
        finish: Finish::Cancelled,
        cut: None,
    }
}

/// What a session runs in.
struct Surroundings {
    context: Context,
    tokenizer: Arc<dyn Tokenizer>,
    outlet: Outlet,
    sampling: Sampling,
    top_logprobs: Option<u8>,
    cover: Cover,
    replays: bool,
}

fn open(program: &Program, given: &Log, surroundings: Surroundings) -> Result<Family, Fault> {
    let Surroundings {
        context,
        tokenizer,
        outlet,
        sampling,
        top_logprobs,
        cover,
        replays,
    } = surroundings;
    let opening = Opening {
        prompt: &given.prompt,
        tokenizer: tokenizer.clone(),
        context: context.clone(),
        argument: &given.argument,
        messages: &given.messages,
        model: &given.model,
        seed: given.seed,
        can: given.can,
    };
    let mut controller = program.open(&opening)?;
    let prompt = prompt(&mut *controller, given, tokenizer.vocab_size())?;
    if let Some(fault) = context.fault() {
        return Err(fault);
    }
    let prompt_tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
    // The last token is never fed, so the context holds one more than it stores.
    let room = (given.context_tokens + 1).saturating_sub(prompt_tokens);
    let reasoning = Transcript::new(program.reasoning_end().as_slice());
    let output = Output::new(controller.reach(), Transcript::new(&given.stops), reasoning);
    let context_spent = context.spent();
    let common = Common {
        tokenizer,
        context,
        cover,
        outlet,
        top_logprobs: top_logprobs.map(usize::from),
        can: given.can,
        room: room.min(given.room),
        discarded_max: program.discarded_tokens(),
        prompt,
        cached_prompt_tokens: given.cached_prompt_tokens,
        unread_prompt_tokens: 0,
        usage: Usage::default(),
        reserved: 0,
        alive: 1,
        passes: 0,
        late_steps: 0,
        slept_millis: 0,
        left: given.left.clone(),
        said_left: 0,
        replays,
        replayed_end: replays.then(|| given.finish.clone()),
        replayed_cut: given.cut.filter(|_| replays),
        before: context_spent,
        traced_fuel: 0,
        traced_lines: 0,
        overhead: Duration::ZERO,
        sampling: sampling.clone(),
    };
    let first = Branch::new(controller, output, Sampler::new(sampling));
    Ok(Family::new(common, first, program.digest()))
}

/// The prompt that the model reads: the controller's own, if it has one.
fn prompt(
    controller: &mut dyn Controller,
    given: &Log,
    vocab_size: u32,
) -> Result<Vec<TokenId>, Fault> {
    let Some(own) = controller.prompt()? else {
        return Ok(given.prompt.clone());
    };
    let max = usize::try_from(given.prompt_tokens_max).unwrap_or(usize::MAX);
    if own.len() > max {
        let tokens = own.len();
        return Err(Fault::PromptTooLong { tokens, max });
    }
    if own.is_empty() {
        let reason = "its prompt has no tokens".to_owned();
        return Err(Fault::Controller { reason });
    }
    match own.iter().find(|token| **token >= vocab_size) {
        Some(&token) => Err(Fault::TokenUnknown { token, vocab_size }),
        None => Ok(own),
    }
}

#[cfg(test)]
mod tests;
