use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::{Receiver, TryRecvError};

use super::Start;
use super::branch::{Branch, Guarded};
use super::handle::{Command, SessionId, Submission};
use super::helper::Helper;
use super::plan::{Wish, divide};
use super::steps::Cause;
use crate::{Engine, EngineError, Feed, Limits, Sequence};

/// The scheduler's thread: owns the engine and everything that runs on it.
pub(super) struct Scheduler {
    pub(super) engine: Box<dyn Engine>,
    helper: Helper,
    inbox: Receiver<Command>,
    /// Tokens per pass.
    budget: usize,
    /// The branch on each sequence of the engine.
    pub(super) slots: Vec<Option<Branch>>,
    pub(super) line: VecDeque<Submission>,
    /// Sequences each running session reserved.
    pub(super) reserved: BTreeMap<SessionId, u32>,
    /// Sessions that run or wait; shared with the handles, which count them in.
    pub(super) sessions: Arc<AtomicU32>,
    passes: u64,
}

/// The scheduler is to stop.
struct Stop;

/// A branch's part in a pass.
struct Part {
    slot: usize,
    tokens: usize,
    /// The branch has nothing more to compute after this, so it is asked next.
    last: bool,
}

impl Scheduler {
    pub fn new(
        engine: Box<dyn Engine>,
        limits: Limits,
        inbox: Receiver<Command>,
        sessions: Arc<AtomicU32>,
    ) -> Self {
        let info = engine.info();
        let budget = limits.batch_tokens.clamp(1, info.batch_tokens_max.max(1)) as usize;
        let slots = (0..info.sequences_max).map(|_| None).collect();
        Self {
            engine,
            helper: Helper::start(),
            inbox,
            budget,
            slots,
            line: VecDeque::new(),
            reserved: BTreeMap::new(),
            sessions,
            passes: 0,
        }
    }

    pub fn run(mut self) {
        while self.turn().is_ok() {}
        self.close();
    }

    /// Obeys, admits, and then either computes or sleeps until the next command.
    fn turn(&mut self) -> Result<(), Stop> {
        self.obey_all()?;
        self.admit();
        let parts = self.plan();
        if parts.is_empty() {
            let command = self.inbox.recv().map_err(|_| Stop)?;
            return self.obey(command);
        }
        self.pass(&parts);
        Ok(())
    }

    fn obey_all(&mut self) -> Result<(), Stop> {
        loop {
            match self.inbox.try_recv() {
                Ok(command) => self.obey(command)?,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Stop),
            }
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Submit(submission) => self.line.push_back(submission),
            Command::Wake(session) => self.wake(session),
            Command::Cancel(session) => self.end_session(session, &EngineError::Cancelled),
            Command::Stop => return Err(Stop),
        }
        Ok(())
    }

    /// Ends everybody, those still in the inbox too.
    fn close(mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            let _ = self.obey(command);
        }
        let running = self.reserved.keys().copied();
        let waiting = self.line.iter().map(|submission| submission.session);
        for session in running.chain(waiting).collect::<Vec<_>>() {
            self.end_session(session, &EngineError::Stopped);
        }
    }

    /// Moves sessions from the line onto free sequences, in order: a session that
    /// wants many sequences is not overtaken by those that want few.
    fn admit(&mut self) {
        while let Some(head) = self.line.front()
            && head.sequences <= self.unreserved()
            && let Some(slot) = self.free_slot()
            && let Some(submission) = self.line.pop_front()
        {
            self.begin(slot, submission);
        }
    }

    fn begin(&mut self, slot: usize, submission: Submission) {
        let start = Start {
            prompt_tokens: submission.prompt.len() as u32,
            cached_prompt_tokens: 0,
        };
        let Submission {
            session,
            prompt,
            driver,
            sequences,
            woken,
        } = submission;
        let mut branch = Branch::new(session, Sequence(slot as u32), prompt, driver);
        branch.woken = woken;
        let started = branch.driver.call(|driver| driver.started(start));
        self.reserved.insert(session, sequences);
        self.slots[slot] = Some(branch);
        if started.is_err() {
            self.end_panicked(slot);
        }
    }

    fn plan(&self) -> Vec<Part> {
        let branches = self.slots.iter().enumerate();
        let wishes = branches.filter_map(|(slot, branch)| {
            let branch = branch.as_ref()?;
            let tokens = branch.pending().len();
            (tokens > 0).then_some(Wish {
                slot,
                tokens,
                served: branch.served,
            })
        });
        let shares = divide(wishes.collect(), self.budget).into_iter();
        let parts = shares.filter_map(|(slot, tokens)| {
            let branch = self.slots[slot].as_ref()?;
            Some(Part {
                slot,
                tokens,
                last: tokens == branch.pending().len(),
            })
        });
        parts.collect()
    }

    /// One forward pass, after which everybody whose logits it brought is asked.
    fn pass(&mut self, parts: &[Part]) {
        match self.compute(parts) {
            Ok(()) => {
                let feeds = parts.iter().enumerate().filter(|(_, part)| part.last);
                let calls = feeds.map(|(feed, part)| (part.slot, Cause::Logits { feed }));
                self.ask_all(calls.collect());
            }
            Err(error) => parts
                .iter()
                .for_each(|part| self.end_branch(part.slot, &error)),
        }
    }

    /// Runs the pass here while the drivers prepare on the helper's thread.
    fn compute(&mut self, parts: &[Part]) -> Result<(), EngineError> {
        let lent = self.lend_drivers(parts);
        let engine = self.engine.as_mut();
        let feeds = feeds(&self.slots, parts);
        let (outcome, drivers) = self.helper.during(lent, || forward(engine, &feeds));
        self.return_drivers(parts, drivers);
        outcome?;
        self.passes += 1;
        for part in parts {
            let branch = branch_mut(&mut self.slots, part);
            branch.computed(part.tokens);
            branch.served = self.passes;
        }
        Ok(())
    }

    fn lend_drivers(&mut self, parts: &[Part]) -> Vec<Guarded> {
        let slots = &mut self.slots;
        let asked = parts.iter().filter(|part| part.last);
        asked
            .map(|part| branch_mut(slots, part).driver.lend())
            .collect()
    }

    fn return_drivers(&mut self, parts: &[Part], drivers: Vec<Guarded>) {
        let asked = parts.iter().filter(|part| part.last);
        for (part, driver) in asked.zip(drivers) {
            branch_mut(&mut self.slots, part).driver = driver;
        }
    }
}

const PLANNED: &str = "a planned branch lives until its pass is over";

fn branch_mut<'a>(slots: &'a mut [Option<Branch>], part: &Part) -> &'a mut Branch {
    slots[part.slot].as_mut().expect(PLANNED)
}

fn feeds<'a>(slots: &'a [Option<Branch>], parts: &[Part]) -> Vec<Feed<'a>> {
    let feed = |part: &Part| {
        let branch = slots[part.slot].as_ref().expect(PLANNED);
        Feed {
            sequence: branch.sequence,
            tokens: &branch.pending()[..part.tokens],
            logits: part.last,
        }
    };
    parts.iter().map(feed).collect()
}

/// A panic of the engine fails the pass, not the scheduler.
fn forward(engine: &mut dyn Engine, feeds: &[Feed<'_>]) -> Result<(), EngineError> {
    catch_unwind(AssertUnwindSafe(|| engine.forward(feeds))).unwrap_or_else(|_| {
        let reason = "the engine panicked".to_owned();
        Err(EngineError::Forward { reason })
    })
}
