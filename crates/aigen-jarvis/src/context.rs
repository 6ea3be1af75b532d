//! What the branches of one session share.

mod meter;
mod notes;
mod outside;
mod variables;
mod waking;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use aigen_engine::SessionControl;
use aigen_engine::sampler::Draw;
use aigen_types::Digest;
use tokio_util::sync::CancellationToken;

use self::notes::Notes;
use self::outside::Exchanges;
use self::variables::Variables;
use self::waking::Waking;
use crate::{BranchId, Cut, Fault};

pub use meter::{Guest, Used};
pub(crate) use notes::check_json;
pub use notes::{Level, LogEntry};
pub use outside::{Answer, Answered, Ask, Asked, Exchange, OutsideError};
pub use variables::Versioned;

/// What the branches of one session share: variables, what the caller sees,
/// meters, chance. A handle; clones are the same context.
///
/// Every call may come from any thread, and none waits for the engine. What goes
/// beyond a bound is refused *and* ends the session with the same fault, even if
/// the controller goes on as if nothing had happened.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

struct Shared {
    seed: u64,
    recall: CancellationToken,
    waking: Arc<Waking>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    variables: Variables,
    notes: Notes,
    exchanges: Exchanges,
    branches: Vec<BranchState>,
    used: Used,
    budget: Budget,
    /// The first bound that was exceeded.
    fault: Option<Fault>,
}

/// What belongs to one branch.
#[derive(Clone, Default)]
struct BranchState {
    /// The forks that led to it, as a number.
    path: u64,
    /// Random numbers drawn so far.
    draws: u32,
    shown: Shown,
    /// What it was answered since its last decision.
    exchanged: Vec<Digest>,
    /// A commit was asked for and not yet made.
    commit: bool,
}

/// What becomes of a branch's tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// They are its answer.
    #[default]
    Answer,
    /// The caller is told of them apart.
    Reasoning,
    /// Nobody sees them.
    Hidden,
}

/// What is left to the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Output tokens that are paid for and not yet computed; what the caller pays
    /// for grows while the session runs.
    pub tokens: u64,
    /// Output tokens that still fit in the branch that was asked last.
    pub room: u32,
    /// Branches that may still be created.
    pub branches: u32,
}

impl Context {
    /// The context of a session that draws chance by this seed; it has one branch
    /// yet, number 0.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::until(seed, CancellationToken::new())
    }

    /// The same, of a session that need not be opened any more once it is recalled.
    pub(crate) fn until(seed: u64, recall: CancellationToken) -> Self {
        let state = State {
            branches: vec![BranchState::default()],
            ..State::default()
        };
        Self(Arc::new(Shared {
            seed,
            recall: recall.child_token(),
            waking: Arc::default(),
            state: Mutex::new(state),
        }))
    }

    /// The variable's value, and the version that is now seen by the branch.
    #[must_use]
    pub fn variable(&self, branch: BranchId, name: &str) -> Option<Versioned> {
        self.lock().variables.get(branch, name)
    }

    /// Sets a variable; gives its new version.
    ///
    /// # Errors
    /// [`Fault::VariablesFull`].
    pub fn set_variable(&self, branch: BranchId, name: &str, value: &[u8]) -> Result<u64, Fault> {
        let set = |state: &mut State| state.variables.set(branch, name, value);
        self.write(set)
    }

    /// Appends to a variable, which is empty if it did not exist; gives its new
    /// version.
    ///
    /// # Errors
    /// [`Fault::VariablesFull`].
    pub fn append_variable(&self, branch: BranchId, name: &str, more: &[u8]) -> Result<u64, Fault> {
        self.write(|state| state.variables.append(branch, name, more))
    }

    /// Sets a variable if it is still at version `expected`, 0 meaning that it must
    /// not exist; gives its new version, or the one that it has instead.
    ///
    /// # Errors
    /// [`Fault::VariablesFull`].
    pub fn compare_and_set_variable(
        &self,
        branch: BranchId,
        name: &str,
        expected: u64,
        value: &[u8],
    ) -> Result<Result<u64, u64>, Fault> {
        self.write(|state| match state.variables.version_seen(branch, name) {
            now if now == expected => state.variables.set(branch, name, value).map(Ok),
            now => Ok(Err(now)),
        })
    }

    /// Writes a line into the session's log, which a caller who asks for a trace is given.
    ///
    /// # Errors
    /// [`Fault::LogFull`].
    pub fn log(&self, branch: BranchId, level: Level, message: &str) -> Result<(), Fault> {
        self.write(|state| state.notes.log(branch, level, message))
    }

    /// The lines of the session's log behind the first so many.
    #[must_use]
    pub fn logged(&self, first: usize) -> Vec<LogEntry> {
        let state = self.lock();
        state.notes.log.iter().skip(first).cloned().collect()
    }

    /// Puts a result beside the text, under a name; one of the same name is
    /// replaced.
    ///
    /// # Errors
    /// [`Fault::ResultInvalid`] if it is no JSON, or too much of it.
    pub fn put_result(&self, name: &str, json: &str) -> Result<(), Fault> {
        self.write(|state| state.notes.put(name, json))
    }

    /// Whether the tokens from here on are shown to the caller. Hidden ones are
    /// computed, charged and seen by the model all the same.
    pub fn set_visible(&self, branch: BranchId, visible: bool) {
        let shown = match visible {
            true => Shown::Answer,
            false => Shown::Hidden,
        };
        self.show(branch, shown);
    }

    pub(crate) fn show(&self, branch: BranchId, shown: Shown) {
        self.of(branch, |state| state.shown = shown);
    }

    /// What the question was answered when the session ran first, where it runs again; `None`
    /// where the outside has to answer. For those that host controllers.
    #[must_use]
    pub fn recorded(&self, ask: &Ask) -> Option<Answered> {
        self.lock().exchanges.recorded(ask)
    }

    /// Nobody waits for its controllers any more.
    pub(crate) fn recall(&self) {
        self.0.recall.cancel();
    }

    /// Whether nobody waits any more for the session to open, or for what its controllers were
    /// asked last.
    #[must_use]
    pub fn is_recalled(&self) -> bool {
        self.0.recall.is_cancelled()
    }

    /// Waits until nobody waits any more.
    pub async fn recalled(&self) {
        self.0.recall.cancelled().await;
    }

    /// Counts a question to the outside before it is asked.
    pub fn asks(&self, ask: &Ask) {
        self.lock().exchanges.count(ask);
    }

    /// Whether the session may ask the outside once more.
    ///
    /// # Errors
    /// [`OutsideError::Limit`].
    pub fn may_ask(&self) -> Result<(), OutsideError> {
        self.lock().exchanges.check()
    }

    /// Notes what a question was answered: it is part of what the branch decides next.
    pub fn answered(&self, branch: BranchId, ask: &Ask, answer: &Answered) {
        let digest = self.lock().exchanges.note(branch, ask, answer);
        self.of(branch, |state| state.exchanged.push(digest));
    }

    /// Answers by these from now on, and asks nobody.
    pub(crate) fn answer_by(&self, recorded: VecDeque<Exchange>) {
        self.lock().exchanges.recorded = Some(recorded);
    }

    /// What the branch was answered since this was asked last.
    pub(crate) fn take_exchanged(&self, branch: BranchId) -> Vec<Digest> {
        self.of(branch, |state| std::mem::take(&mut state.exchanged))
            .unwrap_or_default()
    }

    /// All questions and answers, and what they come to.
    pub(crate) fn take_exchanges(&self) -> (Vec<Exchange>, Asked) {
        let mut state = self.lock();
        let asked = state.exchanges.asked;
        (std::mem::take(&mut state.exchanges.all), asked)
    }

    /// All tokens of the branch so far may be sent, and stay.
    pub fn commit(&self, branch: BranchId) {
        self.of(branch, |state| state.commit = true);
    }

    /// The next random number of the branch: the same seed, forks and calls before
    /// it give the same one.
    #[must_use]
    pub fn random(&self, branch: BranchId) -> u64 {
        // Apart from the numbers that tokens are drawn by.
        const CONTROLLER: u64 = 0x61_6967_656e_2072;
        let draw = |state: &mut BranchState| {
            let (branch, position) = (state.path, state.draws);
            state.draws = state.draws.wrapping_add(1);
            Draw {
                branch,
                attempt: 0,
                position,
            }
        };
        let draw = self.of(branch, draw).unwrap_or_default();
        draw.bits(self.0.seed ^ CONTROLLER)
    }

    /// What the session used so far.
    #[must_use]
    pub fn used(&self) -> Used {
        self.lock().used
    }

    /// What is left to it.
    #[must_use]
    pub fn remaining(&self) -> Budget {
        self.lock().budget
    }

    /// Adds what running a controller cost; for those that host one.
    pub fn charge(&self, guest: Guest) {
        self.lock().used.guest.add(guest);
    }

    /// What running its controllers cost so far, and what they asked.
    pub(crate) fn spent(&self) -> (Guest, Asked) {
        let state = self.lock();
        (state.used.guest, state.exchanges.asked)
    }

    /// Adds what a call cost and asked that is not made again.
    pub(crate) fn spend_again(&self, cut: Cut) {
        let mut state = self.lock();
        state.used.guest.add(cut.guest);
        state.exchanges.asked.add(cut.asked);
    }

    /// Has the controllers polled that were not ready, from whatever thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0.waking))
    }

    pub(crate) fn attach(&self, session: SessionControl) {
        self.0.waking.attach(session);
    }

    /// Has the calling thread woken instead of a session.
    pub(crate) fn attach_thread(&self) {
        self.0.waking.attach_thread();
    }

    /// The first bound that was exceeded.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.lock().fault.clone()
    }

    /// How the session stands, for the branch that is asked next.
    pub(crate) fn tell(&self, used: Used, budget: Budget) {
        let mut state = self.lock();
        let guest = state.used.guest;
        state.used = Used { guest, ..used };
        state.budget = budget;
    }

    /// What becomes of the branch's next tokens, and whether it asked for a commit since
    /// this was asked last.
    pub(crate) fn shown(&self, branch: BranchId) -> (Shown, bool) {
        let shown = |state: &mut BranchState| (state.shown, std::mem::take(&mut state.commit));
        self.of(branch, shown).unwrap_or_default()
    }

    /// Whether one of these variables has a version that the branch has not seen.
    pub(crate) fn news(&self, branch: BranchId, names: &[String]) -> bool {
        self.lock().variables.news(branch, names)
    }

    /// Branch `to`, the next number, begins where `from` is. `path` names the forks to it.
    pub(crate) fn fork(&self, from: BranchId, to: BranchId, path: u64) {
        let shown = self.of(from, |state| state.shown).unwrap_or_default();
        let mut state = self.lock();
        state.variables.fork(from, to);
        state.branches.push(BranchState {
            path,
            shown,
            ..BranchState::default()
        });
    }

    /// The log, and the results beside the text.
    pub(crate) fn take_notes(&self) -> (Vec<LogEntry>, BTreeMap<String, String>) {
        let mut state = self.lock();
        let Notes { log, results, .. } = std::mem::take(&mut state.notes);
        (log, results)
    }

    fn of<T>(&self, branch: BranchId, act: impl FnOnce(&mut BranchState) -> T) -> Option<T> {
        let index = usize::try_from(branch).ok()?;
        self.lock().branches.get_mut(index).map(act)
    }

    fn write<T>(&self, act: impl FnOnce(&mut State) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut state = self.lock();
        let outcome = act(&mut state);
        if let Err(fault) = &outcome {
            state.fault.get_or_insert_with(|| fault.clone());
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
