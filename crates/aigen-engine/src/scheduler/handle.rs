use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::Driver;
use super::aside::Return;
use super::branch::Guarded;
use super::load::{Gauges, Load};
use super::run::Scheduler;
use crate::engine::check_tokens;
use crate::{Engine, EngineError, Limits, ModelInfo, TokenId, Tokenizer};

/// On what terms a session waits and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whose session it is. The waiting line and the share of a pass are fair between tenants,
    /// and only sessions of one tenant share what is in the cache: what others asked must not
    /// show in anybody's time to first token, or bill.
    pub tenant: u64,
    /// Sequences that must be free before it starts, and that are kept until it ends, so that a
    /// fork into so many branches is never refused; at least 1.
    pub sequences: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            tenant: 0,
            sequences: 1,
        }
    }
}

/// Numbers sessions of one scheduler.
pub(super) type SessionId = u64;

/// What the scheduler's thread is told.
pub(super) enum Command {
    Submit(Submission),
    Wake(SessionId),
    Cancel(SessionId),
    /// Ends these, if all of them wait to begin.
    Withdraw(Vec<SessionId>),
    /// A driver that was asked aside is back.
    Back(Box<Return>),
    Stop,
}

/// A session in the waiting line.
pub(super) struct Submission {
    pub session: SessionId,
    pub prompt: Vec<TokenId>,
    pub driver: Guarded,
    pub terms: Terms,
    /// Whether it was woken while it waited.
    pub woken: bool,
}

/// Moves the engine to a thread of its own and schedules sessions over it.
///
/// # Panics
/// If the operating system refuses to start a thread.
#[must_use]
pub fn start(engine: Box<dyn Engine>, limits: Limits) -> EngineHandle {
    let (commands, inbox) = channel();
    let (info, tokenizer) = (engine.info().clone(), engine.tokenizer());
    let sessions = Arc::new(AtomicU32::new(0));
    let gauges = Arc::<Gauges>::default();
    let counted = (Arc::clone(&sessions), Arc::clone(&gauges));
    let scheduler = Scheduler::new(engine, limits, (commands.clone(), inbox), counted);
    let thread = thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || scheduler.run())
        .expect("the operating system starts one thread per engine");
    let shared = Shared {
        sessions_max: info.sequences_max.saturating_add(limits.waiting_max),
        info,
        tokenizer,
        commands,
        sessions,
        gauges,
        next_session: AtomicU64::new(0),
        thread: Mutex::new(Some(thread)),
    };
    EngineHandle {
        shared: Arc::new(shared),
    }
}

/// The door to a scheduler; cheap to clone, usable from any thread and from async
/// code. When the last one is dropped the scheduler stops, and sessions still
/// alive fail with [`EngineError::Stopped`]; so a driver should not hold one.
#[derive(Clone)]
pub struct EngineHandle {
    shared: Arc<Shared>,
}

struct Shared {
    info: ModelInfo,
    tokenizer: Arc<dyn Tokenizer>,
    commands: Sender<Command>,
    /// Sessions that run or wait, of which there may be `sessions_max`.
    sessions: Arc<AtomicU32>,
    sessions_max: u32,
    gauges: Arc<Gauges>,
    next_session: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
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

    /// Sessions that run or wait at this moment.
    #[must_use]
    pub fn sessions(&self) -> u32 {
        self.shared.sessions.load(Ordering::Acquire)
    }

    /// How busy it is at this moment.
    #[must_use]
    pub fn load(&self) -> Load {
        self.shared.gauges.load(self.sessions())
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
        self.submit_on(Terms::default(), prompt, driver)
    }

    /// Like [`EngineHandle::submit`], on these terms.
    ///
    /// # Errors
    /// As [`EngineHandle::submit`], and [`EngineError::SequencesExhausted`] when
    /// the engine has fewer sequences altogether.
    pub fn submit_on(
        &self,
        terms: Terms,
        prompt: Vec<TokenId>,
        driver: Box<dyn Driver>,
    ) -> Result<SessionControl, EngineError> {
        let mut controls = self.submit_all(vec![(terms, prompt, driver)])?;
        controls.pop().ok_or(EngineError::Stopped)
    }

    /// Like [`EngineHandle::submit_on`], several sessions: all of them or none.
    ///
    /// # Errors
    /// As [`EngineHandle::submit_on`]; no driver was then ever called.
    pub fn submit_all(
        &self,
        sessions: Vec<(Terms, Vec<TokenId>, Box<dyn Driver>)>,
    ) -> Result<Vec<SessionControl>, EngineError> {
        for (terms, prompt, _) in &sessions {
            self.check(terms.sequences, prompt)?;
        }
        self.enter(u32::try_from(sessions.len()).unwrap_or(u32::MAX))?;
        let sessions = sessions.into_iter();
        sessions
            .map(|(terms, prompt, driver)| self.send(terms, prompt, driver))
            .collect()
    }

    fn send(
        &self,
        terms: Terms,
        prompt: Vec<TokenId>,
        driver: Box<dyn Driver>,
    ) -> Result<SessionControl, EngineError> {
        let session = self.shared.next_session.fetch_add(1, Ordering::Relaxed);
        let submission = Submission {
            session,
            prompt,
            driver: Guarded::new(driver),
            terms: Terms {
                sequences: terms.sequences.max(1),
                ..terms
            },
            woken: false,
        };
        let commands = self.shared.commands.clone();
        match commands.send(Command::Submit(submission)) {
            Ok(()) => Ok(SessionControl { session, commands }),
            Err(_) => Err(EngineError::Stopped),
        }
    }

    /// Stops the scheduler and waits until the pass it may be in has ended and its
    /// engine is gone. Sessions still alive fail with [`EngineError::Stopped`].
    /// Blocks: for the end of a program, not for async code, and not for drivers.
    pub fn shut_down(&self) {
        let _ = self.shared.commands.send(Command::Stop);
        let thread = self
            .shared
            .thread
            .lock()
            .expect("no holder of this lock panics")
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    fn check(&self, sequences: u32, prompt: &[TokenId]) -> Result<(), EngineError> {
        let info = &self.shared.info;
        let length = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        if length == 0 {
            return Err(EngineError::PromptEmpty);
        }
        if length > info.context_tokens {
            let context = info.context_tokens;
            return Err(EngineError::ContextTooLong {
                prompt: length,
                context,
            });
        }
        if sequences > info.sequences_max {
            let (wanted, free) = (sequences, info.sequences_max);
            return Err(EngineError::SequencesExhausted { wanted, free });
        }
        check_tokens(info, prompt)
    }

    /// Counts so many sessions more, if there may be as many.
    fn enter(&self, count: u32) -> Result<(), EngineError> {
        let max = self.shared.sessions_max;
        let more = |sessions: u32| sessions.checked_add(count).filter(|all| *all <= max);
        match self
            .shared
            .sessions
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
        {
            Ok(_) => Ok(()),
            Err(sessions) => Err(EngineError::Busy { sessions }),
        }
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
    session: SessionId,
    commands: Sender<Command>,
}

impl SessionControl {
    /// Ends the session within one forward pass; its drivers are told
    /// [`EngineError::Cancelled`]. A session that is over is left alone.
    pub fn cancel(&self) {
        let _ = self.commands.send(Command::Cancel(self.session));
    }

    /// Ends sessions of one engine as [`SessionControl::cancel`] does, if none of them has begun:
    /// where [`super::Driver::started`] was called of one, nothing happens to any.
    pub fn withdraw<'a>(all: impl IntoIterator<Item = &'a Self>) {
        let mut all = all.into_iter().peekable();
        let Some(commands) = all.peek().map(|first| first.commands.clone()) else {
            return;
        };
        let sessions = all.map(|control| control.session).collect();
        let _ = commands.send(Command::Withdraw(sessions));
    }

    /// Resumes the branches that wait. A wake that comes while a branch does not
    /// wait is kept for its next [`super::Step::Wait`], so that none is lost;
    /// several count as one.
    pub fn wake(&self) {
        let _ = self.commands.send(Command::Wake(self.session));
    }
}
