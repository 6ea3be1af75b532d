use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::handle::{SessionId, Submission};
use super::memory::{Memory, Tenant, common};
use super::{Driver, Input, Start, Step};
use crate::engine::check_tokens;
use crate::{EngineError, Failure, ModelInfo, Sequence, TokenId};

/// One token sequence of a session, with its driver.
pub(super) struct Branch {
    pub session: SessionId,
    pub tenant: Tenant,
    /// Numbers branches in the order they were let in.
    pub age: u64,
    /// Where it is in the engine; nowhere after it had to give way.
    pub sequence: Option<Sequence>,
    pub driver: Guarded,
    /// Its driver was told that it left the line. One that was not waits for what another is about to compute.
    pub begun: bool,
    /// What the branch consists of; the first `fed` of them are in the engine.
    tokens: Vec<TokenId>,
    fed: usize,
    /// Tokens of the prompt, and the most of them that were ever in the engine.
    prompt: usize,
    read: usize,
    /// The driver said [`Step::Wait`].
    pub waiting: bool,
    /// Its driver is asked aside.
    pub away: bool,
    /// A wake came while the branch did not wait.
    pub woken: bool,
    /// Number of the last pass this branch was in; 0 before the first.
    pub served: u64,
}

impl Branch {
    pub fn new(submission: Submission, age: u64) -> Self {
        Self {
            session: submission.session,
            tenant: submission.terms.tenant,
            age,
            sequence: None,
            driver: submission.driver,
            begun: false,
            prompt: submission.prompt.len(),
            read: 0,
            tokens: submission.prompt,
            fed: 0,
            waiting: false,
            away: false,
            woken: submission.woken,
            served: 0,
        }
    }

    /// A copy of this branch, to be steered by `driver`, on another sequence.
    pub fn sibling(&self, sequence: Option<Sequence>, age: u64, driver: Guarded) -> Self {
        Self {
            session: self.session,
            tenant: self.tenant,
            age,
            sequence,
            driver,
            begun: self.begun,
            tokens: self.tokens.clone(),
            fed: self.fed,
            prompt: self.prompt,
            read: self.read,
            waiting: false,
            away: false,
            woken: false,
            served: self.served,
        }
    }

    /// What the branch consists of.
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// What of it is in the engine.
    pub fn fed(&self) -> &[TokenId] {
        &self.tokens[..self.fed]
    }

    /// Starts on `sequence`, which holds the first `fed` tokens.
    pub fn settle(&mut self, sequence: Sequence, fed: usize) {
        self.sequence = Some(sequence);
        self.has_fed(fed);
    }

    /// Gives its sequence back; everything is to be computed again.
    pub fn give_way(&mut self) -> Option<Sequence> {
        self.fed = 0;
        self.sequence.take()
    }

    /// The tokens that are not in the engine yet; none while the branch waits or its driver is away.
    pub fn pending(&self) -> &[TokenId] {
        if self.waiting || self.away {
            return &[];
        }
        &self.tokens[self.fed..]
    }

    /// Tokens that this branch will have in common with `prompt`, its last one left out, once it has computed
    /// what it has before it; 0 where there is no more of it to come.
    pub fn coming_of(&self, prompt: &[TokenId]) -> usize {
        let alike = common(&self.tokens, prompt).min(prompt.len() - 1);
        match !self.waiting && !self.away && self.fed < alike {
            true => alike,
            false => 0,
        }
    }

    /// Notes that the engine computed `count` of the pending tokens.
    pub fn computed(&mut self, count: usize) {
        self.has_fed(self.fed + count);
        debug_assert!(self.fed <= self.tokens.len());
    }

    fn has_fed(&mut self, fed: usize) {
        self.fed = fed;
        self.read = self.read.max(fed.min(self.prompt));
    }

    /// What its driver is told when it is over for this reason.
    pub fn failure(&self, error: &EngineError) -> Failure {
        Failure {
            error: error.clone(),
            unread: (self.prompt - self.read) as u32,
        }
    }

    /// Takes `remove` tokens off the end and appends `feed`. With nothing to
    /// append, the last token is computed again.
    pub fn replace(
        &mut self,
        memory: &mut Memory,
        remove: u32,
        feed: &[TokenId],
    ) -> Result<(), EngineError> {
        let kept = self.kept(memory.engine.info(), remove, feed)?;
        // Logits belong to a token: without a new one the last kept one is fed again.
        let fed = if feed.is_empty() { kept - 1 } else { kept }.min(self.fed);
        if fed < self.fed
            && let Some(sequence) = self.sequence
        {
            memory.truncate(sequence, fed as u32)?;
        }
        self.fed = fed;
        self.tokens.truncate(kept);
        self.tokens.extend(feed);
        Ok(())
    }

    /// How many tokens stay, if the replacement is allowed at all.
    fn kept(&self, info: &ModelInfo, remove: u32, feed: &[TokenId]) -> Result<usize, EngineError> {
        check_tokens(info, feed)?;
        let length = self.tokens.len();
        if remove as usize >= length {
            let length = length as u32;
            return Err(EngineError::BacktrackTooFar { remove, length });
        }
        let kept = length - remove as usize;
        if kept + feed.len() > info.context_tokens as usize {
            let context = info.context_tokens;
            return Err(EngineError::ContextFull { context });
        }
        Ok(kept)
    }
}

/// A driver whose panics stay its own: after the first one it is gone.
pub(super) struct Guarded {
    driver: Option<Box<dyn Driver>>,
    /// Processor time of the longest call since it was last looked at.
    spent: Duration,
}

/// The driver panicked, now or before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Panicked;

impl Guarded {
    pub fn new(driver: Box<dyn Driver>) -> Self {
        let (driver, spent) = (Some(driver), Duration::ZERO);
        Self { driver, spent }
    }

    /// Tells it that it left the line; `false` if it is over.
    pub fn start(&mut self, start: Start) -> Result<bool, Panicked> {
        let goes_on = self.call(|driver| driver.started(start))?;
        if !goes_on {
            self.next(Input::Failed(&Failure {
                error: EngineError::Cancelled,
                unread: start.prompt_tokens - start.cached_prompt_tokens,
            }))?;
        }
        Ok(goes_on)
    }

    pub fn next(&mut self, input: Input<'_>) -> Result<Step, Panicked> {
        self.call(|driver| driver.next(input))
    }

    pub fn call<T>(&mut self, act: impl FnOnce(&mut dyn Driver) -> T) -> Result<T, Panicked> {
        let driver = self.driver.as_deref_mut().ok_or(Panicked)?;
        let began = processor_time();
        let outcome = catch_unwind(AssertUnwindSafe(|| act(driver)));
        self.spent = self.spent.max(processor_time().saturating_sub(began));
        outcome.map_err(|_| {
            self.bury();
            Panicked
        })
    }

    /// Whether another thread has it, or it panicked.
    pub fn is_lent(&self) -> bool {
        self.driver.is_none()
    }

    /// Lends the driver to another thread; until it is put back there is none.
    pub fn lend(&mut self) -> Guarded {
        let (driver, spent) = (self.driver.take(), self.spent);
        Guarded { driver, spent }
    }

    /// Processor time of the longest call since this was last asked.
    pub fn take_spent(&mut self) -> Duration {
        std::mem::take(&mut self.spent)
    }

    fn bury(&mut self) {
        let driver = self.driver.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(driver)));
    }
}

/// Of this thread. A tenth of a microsecond to ask for.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.bury();
    }
}
