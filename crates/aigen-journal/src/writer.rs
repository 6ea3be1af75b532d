//! A journal that nobody else writes to. Whoever has a command applies it, to a record that stays open,
//! so that an answer which need not be durable costs no change of threads; one thread makes records
//! durable and answers. A record is closed when the disk is free and somebody waits, so that the disk does not wait
//! for commands to be applied. Commands wait for others to join them only where there are many, until half of all
//! calls wait, and not for long.

use crate::checkpoint::Checkpoint;
use crate::crowd::Crowd;
use crate::machine::{Filling, Machine};
use crate::mailbox::{Letter, Post};
use crate::queue::{BATCH_COMMANDS_MAX, Done, Own, QUEUE_BATCHES_MAX, Shown};
use crate::record::{RECORD_BODY_BYTES_MAX, Record};
use crate::replay::Answer;
use crate::store::{Store, StoreError};
use aigen_types::Timestamp;
use std::collections::VecDeque;
use std::fmt;
use std::mem::replace;
use std::sync::{Arc, Condvar, LockResult, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How long a record stays open that nobody waits for. Its time is that of its first command.
const OPEN_MAX: Duration = Duration::from_millis(2);

/// As many batches in a record are no sign that there are soon others: where the second waited, too, 4 clients made a
/// tenth fewer calls.
const FEW: usize = 3;

/// For each batch beyond them the next record waits so long, and so long at most, unless half of all calls wait for it
/// sooner. Half as long, and for as many as before, took a sixth less of the processors for a call with 16 clients than no
/// rest, and the median answer came no later; these were compared with that, and not with none.
const REST_EACH: Duration = Duration::from_micros(100);
const REST_MAX: Duration = Duration::from_millis(1);

/// Where commands are applied.
pub(crate) struct Desk {
    state: Mutex<State>,
    /// What the thread that writes waits for.
    wanted: Condvar,
    /// What others wait for when the line is too long.
    room: Condvar,
    shown: Arc<watch::Sender<Shown>>,
}

struct State {
    machine: Machine,
    now: Box<dyn FnMut() -> Timestamp + Send>,
    open: Option<Open>,
    /// What the open record has no room for.
    line: VecDeque<Own>,
    /// What the thread that writes does.
    writing: Writing,
    /// Batches of the record before.
    shared: usize,
    crowd: Crowd,
    /// Nothing more is taken in.
    ends: bool,
    /// Who waits to hear that the store is closed.
    ending: Vec<Done>,
    /// Who waits for the state as it is at the end of a record.
    checkpoints: Vec<oneshot::Sender<Checkpoint>>,
}

/// What the thread that writes does, so that it is woken only where it has to be.
#[derive(Clone, Copy)]
enum Writing {
    /// It looks again by itself.
    Busy,
    /// It looks again when it has waited long enough for others to join those who wait, or enough have.
    Resting,
    /// It looks again when the open record is old enough, or one that is opened now would not be yet.
    Dozing,
    Asleep,
}

/// A record that is being filled, and who waits for it.
struct Open {
    filling: Filling,
    began: Instant,
    asked: Vec<Asked>,
    /// How many wait until it is durable.
    waiting: usize,
}

/// One batch with its answers.
struct Asked {
    own: Own,
    answers: Vec<Answer>,
}

/// A record on its way to the disk.
struct Sealed {
    record: Record,
    asked: Vec<Asked>,
}

/// How long the next record waits for others to join it, where so many batches shared the one before. What costs is
/// making a record durable, some 80 µs of a processor however many share it, and waking those who wait for it.
fn rest_after(batches: usize) -> Duration {
    let others = u32::try_from(batches.saturating_sub(FEW)).unwrap_or(u32::MAX);
    REST_EACH.saturating_mul(others).min(REST_MAX)
}

impl Desk {
    pub fn new(
        machine: Machine,
        now: Box<dyn FnMut() -> Timestamp + Send>,
        shown: Arc<watch::Sender<Shown>>,
    ) -> Self {
        let state = State {
            machine,
            now,
            open: None,
            line: VecDeque::new(),
            writing: Writing::Busy,
            shared: 0,
            crowd: Crowd::default(),
            ends: false,
            ending: Vec::new(),
            checkpoints: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            wanted: Condvar::new(),
            room: Condvar::new(),
            shown,
        }
    }

    /// Applies a batch, or puts it in line where the open record is full; waits where that is, too.
    /// `None` once nothing is taken in any more.
    pub fn take(&self, own: Own) -> Option<()> {
        // Dropped after the lock.
        let _alarm = Alarm(&self.wanted);
        let mut state = sound(self.state.lock())?;
        while state.line.len() >= QUEUE_BATCHES_MAX && !state.ends {
            state = sound(self.room.wait(state))?;
        }
        if state.ends {
            return None;
        }
        match state.is_full() {
            true => state.line.push_back(own),
            false => state.apply(own),
        }
        self.wake(state);
        Some(())
    }

    /// Somebody waits for the record of this number, or for whatever is applied, to become durable.
    pub fn want(&self, seq: Option<u64>) {
        if let Some(mut state) = sound(self.state.lock())
            && seq.is_none_or(|seq| seq > state.machine.tip().seq)
            && let Some(open) = &mut state.open
        {
            open.waiting += 1;
            self.wake(state);
        }
    }

    /// Gives this the state at the end of the record that is open, or of the last one where none is.
    pub fn checkpoint(&self, reply: oneshot::Sender<Checkpoint>) {
        if let Some(mut state) = sound(self.state.lock())
            && !state.ends
        {
            state.checkpoints.push(reply);
            if state.open.is_none() {
                state.give_checkpoints();
            }
        }
    }

    /// Takes nothing more in, and tells this when all is written and the store is closed.
    pub fn end(&self, done: Option<Done>) {
        if let Some(mut state) = sound(self.state.lock()) {
            if !self.shown.borrow().stopped {
                state.ending.extend(done);
            }
            state.ends = true;
            self.wake(state);
        }
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wakes = match state.writing {
            Writing::Busy => false,
            Writing::Resting => state.is_joined(),
            Writing::Dozing => state.is_due() || state.ends,
            Writing::Asleep => true,
        };
        if wakes {
            state.writing = Writing::Busy;
            drop(state);
            self.wanted.notify_one();
        }
    }

    /// The next record to be written, once somebody waits for it; none when the journal ends.
    fn next(&self) -> Option<Sealed> {
        let mut state = sound(self.state.lock())?;
        let rested = Instant::now() + rest_after(state.shared);
        let mut was_quiet = false;
        loop {
            let (writing, left) = if state.is_due() {
                let rest = rested.saturating_duration_since(Instant::now());
                if rest.is_zero() || state.is_joined() {
                    let sealed = state.seal();
                    drop(state);
                    self.room.notify_all();
                    return sealed;
                }
                (Writing::Resting, Some(rest))
            } else if state.ends {
                return None;
            } else {
                state.idle(replace(&mut was_quiet, state.open.is_none()))
            };
            state.writing = writing;
            state = match left {
                Some(left) => sound(self.wanted.wait_timeout(state, left))?.0,
                None => sound(self.wanted.wait(state))?,
            };
            state.writing = Writing::Busy;
        }
    }

    /// Lets nobody wait for what will never be done.
    fn close(&self) {
        let mut state = match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        };
        self.shown.send_modify(|shown| shown.stopped = true);
        state.ends = true;
        state.open = None;
        state.line.clear();
        state.ending.clear();
        state.checkpoints.clear();
        self.room.notify_all();
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// Where somebody panicked while he applied, nothing more is.
fn sound<T>(locked: LockResult<T>) -> Option<T> {
    locked.ok()
}

/// Where applying panics, the thread that writes is to hear of it.
struct Alarm<'a>(&'a Condvar);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.notify_one();
        }
    }
}

impl State {
    fn apply(&mut self, mut own: Own) {
        let open = self.open.get_or_insert_with(|| Open {
            filling: self.machine.begin((self.now)()),
            began: Instant::now(),
            asked: Vec::new(),
            waiting: 0,
        });
        let answers = self.machine.fill(&mut open.filling, &own.batch);
        open.waiting += usize::from(own.reply.is_urgent());
        own.reply.applied(&answers);
        open.asked.push(Asked { own, answers });
    }

    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.filling.commands() >= BATCH_COMMANDS_MAX
                || open.filling.bytes() >= RECORD_BODY_BYTES_MAX
        })
    }

    fn is_due(&self) -> bool {
        let is_old = |open: &Open| open.began.elapsed() >= OPEN_MAX;
        let open = self.open.as_ref();
        open.is_some_and(|open| open.waiting > 0 || self.ends || self.is_full() || is_old(open))
    }

    /// What to do while nobody waits, and for how long. Where there was a record there is another soon, and whoever
    /// opens it need not wake anybody.
    fn idle(&self, was_quiet: bool) -> (Writing, Option<Duration>) {
        let left = match &self.open {
            Some(open) => OPEN_MAX.saturating_sub(open.began.elapsed()),
            None if was_quiet => return (Writing::Asleep, None),
            None => OPEN_MAX,
        };
        (Writing::Dozing, Some(left))
    }

    /// Whether nobody more is waited for.
    fn is_joined(&self) -> bool {
        let open = self.open.as_ref();
        let joined = open.is_some_and(|open| self.crowd.is_half(open.waiting));
        joined || self.ends || self.is_full()
    }

    /// Closes the open record, and begins the next with those in line.
    fn seal(&mut self) -> Option<Sealed> {
        let Open { filling, asked, .. } = self.open.take()?;
        // Who waits for a hold has a call that is open.
        let ending = asked.iter().filter(|asked| asked.own.reply.is_urgent());
        self.crowd.counted(ending.count() + self.machine.calls());
        let record = self.machine.seal(filling);
        self.give_checkpoints();
        self.shared = asked.len();
        while !self.is_full()
            && let Some(own) = self.line.pop_front()
        {
            self.apply(own);
        }
        Some(Sealed { record, asked })
    }

    /// Between two records.
    fn give_checkpoints(&mut self) {
        for reply in self.checkpoints.drain(..) {
            // Whoever asked may be gone.
            let _ = reply.send(self.machine.checkpoint());
        }
    }
}

/// Writes what is applied and answers, until told to end; then closes the store.
pub(crate) fn run(desk: &Desk, mut store: Box<dyn Store>) -> Result<(), StoreError> {
    let closing = Closing(desk);
    let written = write_all(desk, store.as_mut());
    drop(store);
    drop(closing);
    written
}

/// However the thread ends.
struct Closing<'a>(&'a Desk);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn write_all(desk: &Desk, store: &mut dyn Store) -> Result<(), StoreError> {
    while let Some(Sealed { record, asked }) = desk.next() {
        store.append(&record)?;
        desk.shown.send_modify(|shown| shown.tip = record.tip());
        let mut post = Post::default();
        for Asked { own, answers } in asked {
            let Own { reply, address, .. } = own;
            let seq = record.seq;
            post.add(
                address,
                Letter {
                    reply,
                    seq,
                    answers,
                },
            );
        }
        post.send();
    }
    match desk.state.is_poisoned() {
        true => Err(StoreError::Io("a command could not be applied".into())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::memory::MemoryStore;
    use crate::queue::{Reply, Role};
    use crate::replay::replay;
    use crate::tests::golden::lived;
    use aigen_network::Command;

    #[test]
    fn few_wait_for_nobody_and_many_not_for_long() {
        for (batches, micros) in [
            (0, 0),
            (1, 0),
            (FEW, 0),
            (FEW + 1, 100),
            (FEW + 4, 400),
            (FEW + 10, 1_000),
            (FEW + 11, 1_000),
            (usize::MAX, 1_000),
        ] {
            let rest = rest_after(batches);
            assert_eq!(rest, Duration::from_micros(micros), "{batches}");
        }
    }

    /// Calls set out, and then they end one by one.
    #[test]
    fn a_record_waits_for_half_of_the_calls() {
        let desk = lived();
        for call in 100..107 {
            assert!(is_done(&desk, lived::open(call, "ada-key", None), false));
        }
        // With the one that was open before.
        assert_eq!(state(&desk).machine.calls(), 8);
        state(&desk).seal();
        for (ended, joined) in [(1, false), (2, false), (3, false), (4, true), (5, true)] {
            assert!(is_done(&desk, lived::close(99 + ended), true));
            assert_eq!(state(&desk).is_joined(), joined, "{ended} wait");
        }
        state(&desk).seal();
        assert!(is_done(&desk, lived::close(105), true));
        let joined = state(&desk).is_joined();
        assert!(!joined, "it is not forgotten at once how many there were");
    }

    /// Its call is open, and nobody is at work for it.
    #[test]
    fn who_waits_for_a_hold_is_one_of_those_who_wait() {
        let desk = lived();
        assert!(is_done(&desk, lived::open(100, "ada-key", None), false));
        state(&desk).seal();
        assert!(is_done(&desk, lived::open(101, "ada-key", None), false));
        assert!(!state(&desk).is_joined());
        desk.want(None);
        assert!(state(&desk).is_joined());
    }

    /// After a history, of which nobody remembers how many there were.
    fn lived() -> Desk {
        let empty = replay(&MemoryStore::default(), |_| {}).unwrap();
        let (shown, _) = watch::channel(Shown {
            tip: empty.tip,
            generation: 0,
            role: Role::Alone,
            reachable: Some(true),
            stopped: false,
        });
        let clock = Box::new(|| Timestamp(1));
        let desk = Desk::new(Machine::new(empty), clock, Arc::new(shown));
        for commands in lived::batches() {
            let (reply, _) = oneshot::channel();
            desk.take(Own {
                batch: Batch::new(commands),
                reply: Reply::Each(reply),
                address: None,
            });
        }
        state(&desk).seal();
        state(&desk).crowd = Crowd::default();
        desk
    }

    /// Applies a command, which is waited for until it is durable or not.
    fn is_done(desk: &Desk, command: Command, is_urgent: bool) -> bool {
        let (durable, _) = oneshot::channel();
        let reply = match is_urgent {
            true => Reply::One(durable),
            false => Reply::Twice {
                applied: None,
                durable,
            },
        };
        desk.take(Own {
            batch: Batch::new(vec![command]),
            reply,
            address: None,
        });
        let state = state(desk);
        let last = state.open.as_ref().and_then(|open| open.asked.last());
        last.is_some_and(|asked| asked.answers.iter().all(Result::is_ok))
    }

    fn state(desk: &Desk) -> MutexGuard<'_, State> {
        desk.state.lock().unwrap()
    }
}
