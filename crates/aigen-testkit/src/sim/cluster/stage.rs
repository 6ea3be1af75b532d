//! Threads in lockstep: at any moment one of them runs, and everything that one wants of the
//! world waits until the simulator lets it have it. So threads are as repeatable as functions.

use std::collections::BTreeMap;
use std::panic;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// One thread, for as long as it lives.
pub(crate) type Actor = u64;

/// Where threads ask (`Q`) and the simulator answers (`A`).
pub(crate) struct Stage<Q, A>(Arc<Shared<Q, A>>);

struct Shared<Q, A> {
    state: Mutex<State<Q, A>>,
    changed: Condvar,
}

struct State<Q, A> {
    /// Whose turn it is; nobody's while the simulator thinks.
    running: Option<Actor>,
    asked: BTreeMap<Actor, Q>,
    /// What a waiting thread is to go on with; nothing if it is to die.
    answered: BTreeMap<Actor, Option<A>>,
}

/// What a killed thread unwinds with; nobody catches it.
struct Killed;

impl<Q, A> Clone for Stage<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q, A> Default for Stage<Q, A> {
    fn default() -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                running: None,
                asked: BTreeMap::new(),
                answered: BTreeMap::new(),
            }),
            changed: Condvar::new(),
        }))
    }
}

/// For the threads.
impl<Q, A> Stage<Q, A> {
    /// Asks, and goes on when the simulator has answered.
    pub fn ask(&self, actor: Actor, question: Q) -> A {
        let mut state = self.state();
        state.asked.insert(actor, question);
        state.running = None;
        self.0.changed.notify_all();
        loop {
            if let Some(answer) = state.answered.remove(&actor) {
                drop(state);
                return answer.unwrap_or_else(|| panic::resume_unwind(Box::new(Killed)));
            }
            state = self.0.changed.wait(state).expect("nobody panics on stage");
        }
    }

    /// The thread ends here: it will ask no more.
    pub fn leave(&self, actor: Actor) {
        let mut state = self.state();
        if state.running == Some(actor) {
            state.running = None;
            self.0.changed.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<Q, A>> {
        self.0.state.lock().expect("nobody panics on stage")
    }
}

/// For the simulator.
impl<Q, A> Stage<Q, A> {
    /// Lets a thread begin, and waits until it asks or ends.
    pub fn enter(&self, actor: Actor, begin: impl FnOnce()) {
        self.state().running = Some(actor);
        begin();
        self.wait();
    }

    /// Answers a thread that asked, and waits until it asks again or ends. With nothing, it dies.
    pub fn answer(&self, actor: Actor, answer: Option<A>) {
        let mut state = self.state();
        state.asked.remove(&actor);
        state.answered.insert(actor, answer);
        state.running = Some(actor);
        self.0.changed.notify_all();
        drop(state);
        self.wait();
    }

    /// Whether this thread has asked, and what `look` makes of it.
    pub fn look<T>(&self, actor: Actor, look: impl FnOnce(&Q) -> T) -> Option<T> {
        self.state().asked.get(&actor).map(look)
    }

    fn wait(&self) {
        let mut state = self.state();
        while state.running.is_some() {
            state = self.0.changed.wait(state).expect("nobody panics on stage");
        }
    }
}
