//! Continuous batching: many sessions over one engine, on one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::{Engine, EngineError, Limits, ModelInfo, TokenId, Tokenizer};

/// What a session does with its logits: one per branch, called on the
/// scheduler's thread only, so it must be quick.
///
/// A driver that panics ends its own session and is told nothing more.
pub trait Driver: Send {
    /// The session left the waiting line. Called once, before any other call.
    fn started(&mut self, start: Start) {
        let _ = start;
    }

    /// Called once per forward pass this branch is in, on a helper thread *while*
    /// the pass runs: the place to compute the next mask.
    fn prepare(&mut self) {}

    /// What to do next.
    fn next(&mut self, input: Input<'_>) -> Step;
}

/// What a session is told when it leaves the waiting line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the prompt that need not be computed, because an earlier
    /// request left them behind.
    pub cached_prompt_tokens: u32,
}

/// Why a driver is called.
#[derive(Debug)]
pub enum Input<'a> {
    /// The logits after the last token of the branch; the driver may write to
    /// them.
    Logits(&'a mut [f32]),
    /// Somebody called [`SessionControl::wake`] after [`Step::Wait`]. There are no
    /// logits; `Step::Feed(vec![])` asks for them.
    Resumed,
    /// The last [`Step::Fork`] was refused: only `free` sequences are left. The
    /// branch goes on as it was; `Step::Feed(vec![])` asks for its logits again.
    /// Answering with another fork ends the session.
    ForkRefused {
        /// Sequences nobody holds.
        free: u32,
    },
    /// The branch is over for this reason. The last call; the answer is ignored.
    Failed(&'a EngineError),
}

/// What a driver wants.
pub enum Step {
    /// Append these tokens, then call me with the logits. Empty: call me with the
    /// logits of the last token again (costs one token's pass).
    Feed(Vec<TokenId>),
    /// Take `remove` tokens off the end (the prompt's too; one always stays),
    /// append `feed`, then call me with the logits.
    Backtrack {
        /// Tokens to take back.
        remove: u32,
        /// Tokens to append instead; may be empty.
        feed: Vec<TokenId>,
    },
    /// Copy this branch once for each of these drivers. Every one of them and
    /// this driver are called with the same logits before the next pass, this
    /// driver first. Refused as a whole if there are too few free sequences.
    Fork(Vec<Box<dyn Driver>>),
    /// Pause until [`SessionControl::wake`]; the sequence stays.
    Wait,
    /// The branch is over; its sequence is freed.
    Done,
}

/// The door to a scheduler; cheap to clone. When the last one is dropped the
/// scheduler stops, and sessions still alive fail with [`EngineError::Stopped`].
#[derive(Clone)]
pub struct EngineHandle {
    shared: Arc<Shared>,
}

struct Shared {
    info: ModelInfo,
    tokenizer: Arc<dyn Tokenizer>,
    limits: Limits,
    commands: Sender<Command>,
    waiting: Arc<AtomicU32>,
    next_session: AtomicU64,
}

enum Command {
    Submit(Submission),
    Wake(u64),
    Cancel(u64),
    Stop,
}

struct Submission {
    session: u64,
    prompt: Vec<TokenId>,
    driver: Box<dyn Driver>,
}

impl EngineHandle {
    /// The model and its bounds.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.shared.info
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        Arc::clone(&self.shared.tokenizer)
    }

    /// Starts a session, or puts it in the waiting line. Never blocks.
    ///
    /// # Errors
    /// [`EngineError::PromptEmpty`], [`EngineError::ContextTooLong`],
    /// [`EngineError::TokenUnknown`], [`EngineError::Busy`] and
    /// [`EngineError::Stopped`]; the driver was then never called.
    pub fn submit(
        &self,
        prompt: Vec<TokenId>,
        driver: Box<dyn Driver>,
    ) -> Result<SessionControl, EngineError> {
        let _ = (&self.shared.limits, &self.shared.waiting);
        let session = self.shared.next_session.fetch_add(1, Ordering::Relaxed);
        let submission = Submission {
            session,
            prompt,
            driver,
        };
        self.shared
            .commands
            .send(Command::Submit(submission))
            .map_err(|_| EngineError::Stopped)?;
        Ok(SessionControl {
            session,
            commands: self.shared.commands.clone(),
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Stop);
    }
}

/// Wakes and cancels one session, all its branches alike. Neither call blocks, so
/// both may be made from async code. Dropping it does nothing.
#[derive(Clone)]
pub struct SessionControl {
    session: u64,
    commands: Sender<Command>,
}

impl SessionControl {
    /// Ends the session within one forward pass; its drivers are told
    /// [`EngineError::Cancelled`]. A session that is over is left alone.
    pub fn cancel(&self) {
        let _ = self.commands.send(Command::Cancel(self.session));
    }

    /// Resumes the branches that wait. A wake that comes while none waits is kept
    /// for the next [`Step::Wait`], so that none is lost.
    pub fn wake(&self) {
        let _ = self.commands.send(Command::Wake(self.session));
    }
}

/// Moves the engine to a thread of its own and schedules sessions over it.
#[must_use]
pub fn start(engine: Box<dyn Engine>, limits: Limits) -> EngineHandle {
    let (commands, inbox) = channel();
    let shared = Shared {
        info: engine.info().clone(),
        tokenizer: engine.tokenizer(),
        limits,
        commands,
        waiting: Arc::new(AtomicU32::new(0)),
        next_session: AtomicU64::new(0),
    };
    std::thread::spawn(move || run(engine, &inbox));
    EngineHandle {
        shared: Arc::new(shared),
    }
}

fn run(_engine: Box<dyn Engine>, inbox: &Receiver<Command>) {
    while let Ok(command) = inbox.recv() {
        match command {
            Command::Submit(mut s) => {
                s.driver.next(Input::Failed(&EngineError::Stopped));
                let _ = (s.prompt, s.session);
            }
            Command::Wake(_) | Command::Cancel(_) => {}
            Command::Stop => return,
        }
    }
}
