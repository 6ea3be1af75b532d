use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use super::Start;
use super::aside::{Aside, Call};
use super::branch::{Branch, Guarded};
use super::handle::{Command, SessionId, Submission};
use super::helper::{Helper, Prepared};
use super::line::Line;
use super::load::{Doing, Gauges, Watch};
use super::memory::{Memory, Source};
use super::plan::{Wish, divide};
use super::steps::Cause;
use crate::limits::{AWAITED_TOKENS_MIN, HEADROOM_TOKENS};
use crate::{Engine, EngineError, Feed, Limits};

/// The scheduler's thread: owns the engine and everything that runs on it.
pub(super) struct Scheduler {
    pub(super) memory: Memory,
    helper: Helper,
    pub(super) aside: Aside,
    inbox: Receiver<Command>,
    /// Tokens per pass.
    budget: usize,
    /// Tokens per pass in which somebody decodes.
    budget_beside: usize,
    /// The branches that live, as many as there may be.
    pub(super) slots: Vec<Option<Branch>>,
    pub(super) line: Line,
    /// Sequences each running session reserved.
    pub(super) reserved: BTreeMap<SessionId, u32>,
    /// Sessions that run or wait; shared with the handles, which count them in.
    pub(super) sessions: Arc<AtomicU32>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) watch: Watch,
    passes: u64,
    /// Branches let in so far.
    branches: u64,
    /// The cache has room for every sequence at its longest, so that nobody ever gives way.
    ample: bool,
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
        (commands, inbox): (Sender<Command>, Receiver<Command>),
        (sessions, gauges): (Arc<AtomicU32>, Arc<Gauges>),
    ) -> Self {
        let info = engine.info();
        let budget = limits.batch_tokens.clamp(1, info.batch_tokens_max.max(1)) as usize;
        let budget_beside = budget.min(limits.batch_tokens_beside.max(1) as usize);
        let slots = (0..info.sequences_max).map(|_| None).collect();
        let ample = info.sequences_max.saturating_mul(info.context_tokens) <= info.cells;
        let aside = Aside::start(limits.call_max_of(info.vocab_size), &commands);
        Self {
            memory: Memory::new(engine),
            helper: Helper::start(),
            aside,
            inbox,
            budget,
            budget_beside,
            slots,
            line: Line::default(),
            reserved: BTreeMap::new(),
            sessions,
            gauges,
            watch: Watch::start(),
            passes: 0,
            branches: 0,
            ample,
        }
    }

    pub fn run(mut self) {
        while self.turn().is_ok() {}
        self.close();
    }

    /// Obeys, admits, and then either computes or sleeps until the next command.
    fn turn(&mut self) -> Result<(), Stop> {
        self.obey_all()?;
        self.let_back_in();
        if self.begin_all() {
            self.admit();
        }
        let parts = self.plan();
        self.report();
        if parts.is_empty() {
            self.turn_to(Doing::Nothing);
            let command = self.inbox.recv().map_err(|_| Stop)?;
            self.turn_to(Doing::Scheduling);
            return self.obey(command);
        }
        self.pass(&parts);
        Ok(())
    }

    /// Notes what the thread does from now on; gives what it did.
    pub(super) fn turn_to(&mut self, doing: Doing) -> Doing {
        self.watch.turn_to(doing, &self.gauges)
    }

    fn report(&self) {
        let running = u32::try_from(self.reserved.len()).unwrap_or(u32::MAX);
        let held = u32::try_from(self.memory.held()).unwrap_or(u32::MAX);
        self.gauges.running.store(running, Ordering::Relaxed);
        self.gauges.held_cells.store(held, Ordering::Relaxed);
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
            Command::Submit(submission) => self.line.push(submission),
            Command::Wake(session) => self.wake(session),
            Command::Cancel(session) => self.end_session(session, &EngineError::Cancelled),
            Command::Withdraw(sessions) => self.withdraw(&sessions),
            Command::Back(back) => self.welcome(*back),
            Command::Stop => return Err(Stop),
        }
        Ok(())
    }

    /// Ends everybody, those still in the inbox and those who are out too.
    fn close(mut self) {
        self.end_all();
        while self.aside.is_awaited()
            && let Ok(command) = self.inbox.recv()
        {
            let _ = self.obey(command);
            self.end_all();
        }
    }

    fn end_all(&mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            let _ = self.obey(command);
        }
        let running = self.reserved.keys().copied();
        let waiting = self.line.iter().map(|submission| submission.session);
        for session in running.chain(waiting).collect::<Vec<_>>() {
            self.end_session(session, &EngineError::Stopped);
        }
    }

    /// Lets sessions from the line in, in order: a session that wants many sequences is not
    /// overtaken by those that want few, nor one that gave way by anybody.
    fn admit(&mut self) {
        while let Some(head) = self.line.head()
            && head.terms.sequences <= self.unreserved()
            && let Some(slot) = self.free_slot()
            && !self.anybody_out()
            && let tokens = head.prompt.len()
            && self.make_way(tokens)
            && let Some(submission) = self.line.pop()
        {
            self.let_in(slot, submission);
        }
    }

    fn let_in(&mut self, slot: usize, submission: Submission) {
        let sequences = submission.terms.sequences;
        let branch = Branch::new(submission, self.next_age());
        self.reserved.insert(branch.session, sequences);
        let waits = self.is_coming(&branch, AWAITED_TOKENS_MIN);
        self.slots[slot] = Some(branch);
        if !waits {
            self.begin(slot);
        }
    }

    /// Begins those that waited for a prefix and have it now, the oldest first; `false` if the cache has no
    /// room for one, so that nobody may overtake it.
    fn begin_all(&mut self) -> bool {
        while let Some(slot) = self.oldest_due() {
            let tokens = self.slots[slot]
                .as_ref()
                .map_or(0, |due| due.tokens().len());
            if !self.make_way(tokens) {
                return false;
            }
            self.begin(slot);
        }
        true
    }

    fn oldest_due(&self) -> Option<usize> {
        let branches = self.slots.iter().enumerate();
        let due = branches.filter_map(|(slot, branch)| {
            let branch = branch.as_ref().filter(|branch| !branch.begun)?;
            (!self.is_coming(branch, 1)).then_some((branch.age, slot))
        });
        due.min().map(|(_, slot)| slot)
    }

    /// Whether a running branch is about to compute so many tokens more of what this one begins with: of prompts
    /// that come together and begin alike one is computed, and the others share it.
    fn is_coming(&self, branch: &Branch, tokens: usize) -> bool {
        if !self.memory.keeps() {
            return false;
        }
        let live = self.slots.iter().flatten();
        let others = live.filter(|other| other.tenant == branch.tenant && other.sequence.is_some());
        let coming = others.map(|other| other.coming_of(branch.tokens())).max();
        coming.is_some_and(|coming| coming >= self.found(branch) + tokens)
    }

    /// Tokens of the branch that are in the cache.
    fn found(&self, branch: &Branch) -> usize {
        let sources = sources(&self.slots, branch);
        self.memory.found(branch.tenant, branch.tokens(), sources)
    }

    fn begin(&mut self, slot: usize) {
        let Some(mut branch) = self.slots[slot].take() else {
            return;
        };
        let cached = self.settle(&mut branch);
        let start = Start {
            prompt_tokens: branch.tokens().len() as u32,
            cached_prompt_tokens: cached as u32,
        };
        branch.begun = true;
        if self.aside.takes(branch.tenant) {
            self.slots[slot] = Some(branch);
            return self.ask_aside(slot, Call::Started(start));
        }
        let before = self.turn_to(Doing::Session);
        let started = branch.driver.start(start);
        self.turn_to(before);
        self.slots[slot] = Some(branch);
        self.note_spent(slot);
        match started {
            Ok(true) => {}
            Ok(false) => self.end_done(slot),
            Err(_) => self.end_panicked(slot),
        }
    }

    pub(super) fn next_age(&mut self) -> u64 {
        self.branches += 1;
        self.branches
    }

    /// Gives the branch a sequence, with what is already computed of its tokens; says how many.
    fn settle(&mut self, branch: &mut Branch) -> usize {
        let sources: Vec<_> = sources(&self.slots, branch).collect();
        let (sequence, fed) =
            self.memory
                .begin(branch.tenant, branch.tokens(), sources.into_iter());
        branch.settle(sequence, fed);
        fed
    }

    /// Whether somebody who gave way wants back in.
    fn anybody_out(&self) -> bool {
        self.slots.iter().flatten().any(is_out)
    }

    /// Whether the cache has room for a branch of so many tokens beside those that run.
    fn fits(&self, tokens: usize) -> bool {
        if self.ample {
            return true;
        }
        let running = self.slots.iter().flatten();
        let running = running.filter(|branch| branch.sequence.is_some()).count();
        running == 0 || tokens + HEADROOM_TOKENS * (running + 1) <= self.memory.free_cells()
    }

    /// Lets those who gave way back in, the oldest first.
    fn let_back_in(&mut self) {
        while let Some((slot, tokens)) = self.oldest_out() {
            if !self.make_way(tokens) {
                return;
            }
            if let Some(mut branch) = self.slots[slot].take() {
                self.settle(&mut branch);
                self.slots[slot] = Some(branch);
            }
        }
    }

    fn oldest_out(&self) -> Option<(usize, usize)> {
        let branches = self.slots.iter().enumerate();
        let out = branches.filter_map(|(slot, branch)| {
            let branch = branch.as_ref().filter(|branch| is_out(branch))?;
            Some((branch.age, slot, branch.tokens().len()))
        });
        out.min().map(|(_, slot, tokens)| (slot, tokens))
    }

    /// Whether a branch of so many tokens may come in now. When nobody else has anything to
    /// compute, those who wait give way to it; one whose
    /// driver is asked aside is about to compute.
    fn make_way(&mut self, tokens: usize) -> bool {
        let is_away = |branch: &Branch| branch.away;
        self.fits(tokens)
            || (self.share_out().is_empty()
                && !self.slots.iter().flatten().any(is_away)
                && self.clear_for(tokens))
    }

    /// Makes those who wait give way until `tokens` cells can be had.
    fn clear_for(&mut self, tokens: usize) -> bool {
        while self.memory.free_cells() < tokens {
            if !self.youngest_gives_way(0) {
                return false;
            }
        }
        true
    }

    /// Takes the sequence of the branch let in last, if more than `spared` have one.
    fn youngest_gives_way(&mut self, spared: usize) -> bool {
        let branches = self.slots.iter_mut().flatten();
        let mut inside: Vec<&mut Branch> = branches.filter(|b| b.sequence.is_some()).collect();
        inside.sort_by_key(|branch| branch.age);
        if inside.len() <= spared {
            return false;
        }
        let sequence = inside.pop().and_then(|branch| branch.give_way());
        let Some(sequence) = sequence else {
            return false;
        };
        self.memory.free(sequence);
        self.gauges.gave_way.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Who is in the next pass, once the cache has room for it.
    fn plan(&mut self) -> Vec<Part> {
        loop {
            let parts = self.share_out();
            let tokens: usize = parts.iter().map(|part| part.tokens).sum();
            if tokens <= self.memory.free_cells() || !self.youngest_gives_way(1) {
                return parts;
            }
        }
    }

    fn share_out(&self) -> Vec<Part> {
        let branches = self.slots.iter().enumerate();
        let wishes = branches.filter_map(|(slot, branch)| {
            let branch = branch.as_ref()?;
            branch.sequence?;
            let tokens = branch.pending().len();
            (tokens > 0).then_some(Wish {
                slot,
                tenant: branch.tenant,
                tokens,
                served: branch.served,
            })
        });
        let wishes: Vec<Wish> = wishes.collect();
        let shares = divide(wishes.clone(), self.budget(&wishes)).into_iter();
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

    /// Tokens of the next pass: few where somebody decodes and waits for it, but one for each.
    fn budget(&self, wishes: &[Wish]) -> usize {
        let decodes = wishes.iter().any(|wish| wish.tokens == 1);
        if decodes {
            self.budget_beside.max(wishes.len()).min(self.budget)
        } else {
            self.budget
        }
    }

    /// One forward pass, after which everybody whose logits it brought is asked.
    fn pass(&mut self, parts: &[Part]) {
        match self.compute(parts) {
            Ok(()) => {
                let feeds = parts.iter().enumerate().filter(|(_, part)| part.last);
                let calls = feeds.map(|(feed, part)| (part.slot, Cause::Logits { feed }));
                self.ask_all(calls.collect());
            }
            // The engine counts otherwise than we do: nothing was computed, and nothing is lost.
            Err(EngineError::CacheFull { .. }) if self.youngest_gives_way(1) => {}
            Err(error) => parts
                .iter()
                .for_each(|part| self.end_branch(part.slot, &error)),
        }
    }

    /// Runs the pass here while the drivers prepare on the helper's thread.
    fn compute(&mut self, parts: &[Part]) -> Result<(), EngineError> {
        let lent = self.lend_drivers(parts);
        self.turn_to(Doing::Pass);
        let memory = &mut self.memory;
        let (watch, gauges) = (&mut self.watch, &self.gauges);
        let feeds = feeds(&self.slots, parts);
        let (outcome, prepared) = self.helper.during(lent, || {
            let outcome = forward(memory, &feeds);
            watch.turn_to(Doing::Session, gauges);
            outcome
        });
        self.turn_to(Doing::Scheduling);
        let Prepared { drivers, in_time } = prepared;
        self.gauges.prepared(drivers.len(), in_time);
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
        let (slots, aside) = (&mut self.slots, &self.aside);
        let asked = parts.iter().filter(|part| part.last);
        let asked = asked.filter_map(|part| {
            let branch = branch_mut(slots, part);
            (!aside.takes(branch.tenant)).then(|| branch.driver.lend())
        });
        asked.collect()
    }

    fn return_drivers(&mut self, parts: &[Part], drivers: Vec<Guarded>) {
        let mut drivers = drivers.into_iter();
        for part in parts.iter().filter(|part| part.last) {
            let branch = branch_mut(&mut self.slots, part);
            if branch.driver.is_lent()
                && let Some(driver) = drivers.next()
            {
                branch.driver = driver;
            }
        }
        for part in parts.iter().filter(|part| part.last) {
            self.note_spent(part.slot);
        }
    }
}

/// Gave way, and has something to compute.
fn is_out(branch: &Branch) -> bool {
    branch.begun && branch.sequence.is_none() && !branch.pending().is_empty()
}

/// What running branches of the same tenant have in the engine.
fn sources<'a>(
    slots: &'a [Option<Branch>],
    branch: &Branch,
) -> impl Iterator<Item = Source<'a>> + use<'a> {
    let tenant = branch.tenant;
    let own = slots
        .iter()
        .flatten()
        .filter(move |other| other.tenant == tenant);
    own.filter_map(|other| {
        Some(Source {
            sequence: other.sequence?,
            tokens: other.fed(),
        })
    })
}

const PLANNED: &str = "a planned branch lives until its pass is over";

fn branch_mut<'a>(slots: &'a mut [Option<Branch>], part: &Part) -> &'a mut Branch {
    slots[part.slot].as_mut().expect(PLANNED)
}

fn feeds<'a>(slots: &'a [Option<Branch>], parts: &[Part]) -> Vec<Feed<'a>> {
    let feed = |part: &Part| {
        let branch = slots[part.slot].as_ref().expect(PLANNED);
        Feed {
            sequence: branch.sequence.expect(PLANNED),
            tokens: &branch.pending()[..part.tokens],
            logits: part.last,
        }
    };
    parts.iter().map(feed).collect()
}

/// A panic of the engine fails the pass, not the scheduler.
fn forward(memory: &mut Memory, feeds: &[Feed<'_>]) -> Result<(), EngineError> {
    catch_unwind(AssertUnwindSafe(|| memory.forward(feeds))).unwrap_or_else(|_| {
        let reason = "the engine panicked".to_owned();
        Err(EngineError::Forward { reason })
    })
}
