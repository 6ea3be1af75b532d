//! One controlled completion on one engine.

mod branch;
mod outlet;
mod output;
mod record;
mod rewinds;
mod segment;
mod transcript;

use std::collections::VecDeque;
use std::time::Duration;

use aigen_engine::sampler::{Sampler, Sampling};
use aigen_engine::{ControlLevel, EngineError, EngineHandle, SessionControl, Terms, TokenId};

use self::branch::{Activity, Branch, Since};
use self::outlet::Outlet;
use self::output::Output;
use self::record::Record;
use self::rewinds::Rewinds;
use self::transcript::Transcript;
use crate::limits::{STOP_BYTES_MAX, STOPS_MAX};
use crate::{Capabilities, Context, Cover, Event, Fault, Opening, Program, Wake};

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

/// A running session. Dropping it cancels the session.
#[must_use = "dropping the handle cancels the session"]
pub struct SessionHandle(SessionControl);

impl SessionHandle {
    /// Ends the session within one forward pass, with
    /// [`crate::Finish::Cancelled`]. A session that is over is left alone.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Starts a session. `on_event` is called on the engine's thread and must not
/// block: send the event on and return.
///
/// # Errors
/// See [`StartError`]; `on_event` was then never called.
pub fn start(
    engine: &EngineHandle,
    request: SessionRequest,
    on_event: Box<dyn FnMut(Event) + Send>,
) -> Result<SessionHandle, StartError> {
    check(engine, &request)?;
    let cover = request.cover.clone();
    let prompt = request.prompt.clone();
    let terms = Terms {
        tenant: request.tenant,
        ..Terms::default()
    };
    let branch = open(engine, request, on_event)?;
    let control = engine.submit_on(terms, prompt, Box::new(branch))?;
    cover.attach(control.clone());
    Ok(SessionHandle(control))
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

fn open(
    engine: &EngineHandle,
    request: SessionRequest,
    on_event: Box<dyn FnMut(Event) + Send>,
) -> Result<Branch, Fault> {
    let tokenizer = engine.tokenizer();
    let prompt = &request.prompt;
    let info = engine.info();
    let opening = Opening {
        prompt,
        tokenizer: tokenizer.clone(),
        context: Context::new(request.sampling.seed),
        argument: &request.argument,
        messages: &request.messages,
        model: &info.name,
        seed: request.sampling.seed,
        can: Capabilities {
            control: info.control,
            backtrack: info.backtrack,
            branches_max: info.sequences_max,
        },
    };
    let controller = request.program.open(&opening)?;
    let prompt_tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
    // The last token is never fed, so the context holds one more than it stores.
    let room = (engine.info().context_tokens + 1).saturating_sub(prompt_tokens);
    Ok(Branch {
        record: Record::new(request.program.digest(), prompt, request.sampling.seed),
        output: Output::new(controller.reach(), Transcript::new(&request.stops)),
        controller,
        tokenizer,
        sampler: Sampler::new(request.sampling),
        top_logprobs: request.top_logprobs.map(usize::from),
        cover: request.cover,
        room: room.min(request.max_tokens),
        outlet: Outlet::new(on_event),
        activity: Activity::Deciding(Wake::Started),
        queue: VecDeque::new(),
        rewinds: Rewinds::default(),
        since: Since::default(),
        complete: None,
        overhead: Duration::ZERO,
    })
}

#[cfg(test)]
mod tests;
