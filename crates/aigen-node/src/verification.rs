//! The journal of a running node, replayed and checked beside it.

use crate::components::OpenStore;
use crate::error::NodeError;
use crate::node::{Node, now};
use aigen_journal::{Tip, Verification, verify};
use aigen_types::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How far the journal has been verified since the node started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Not once.
    Never,
    /// Somebody has asked for it.
    Running {
        /// When.
        since: Timestamp,
        /// The last record read.
        record: u64,
        /// The journal's last record when it began; more may have come.
        of: u64,
    },
    /// The last time.
    Done {
        /// When it began.
        since: Timestamp,
        /// When it ended.
        until: Timestamp,
        /// The journal's tip when it began.
        asked: Tip,
        /// Records read.
        records: u64,
        /// What came of it: everything as it should be, or the first thing that is not.
        found: Result<Box<Verification>, String>,
    },
}

/// Who checks, and what came of it. At most one at a time: it builds the whole state once more.
#[derive(Default)]
pub(crate) struct Checker {
    store: OnceLock<OpenStore>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    verified: Mutex<Option<Verified>>,
    record: AtomicU64,
}

impl State {
    fn set(&self, verified: Verified) {
        *self.lock() = Some(verified);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks it as running, unless it is.
    fn begin(&self, since: Timestamp, of: u64) -> bool {
        let mut verified = self.lock();
        if matches!(*verified, Some(Verified::Running { .. })) {
            return false;
        }
        self.record.store(0, Ordering::Relaxed);
        *verified = Some(Verified::Running {
            since,
            record: 0,
            of,
        });
        true
    }
}

impl Node {
    /// From where the journal can be read beside this node; without it, it cannot be verified
    /// while the node runs.
    pub fn verify_from(&self, store: OpenStore) {
        // A second store would be the same one.
        let _ = self.0.checker.store.set(store);
    }

    /// How far the journal has been verified since the node started.
    #[must_use]
    pub fn verified(&self) -> Verified {
        let state = &self.0.checker.state;
        match state.lock().clone() {
            None => Verified::Never,
            Some(Verified::Running { since, of, .. }) => Verified::Running {
                since,
                record: state.record.load(Ordering::Relaxed),
                of,
            },
            Some(done) => done,
        }
    }

    /// Begins to verify the journal, unless that is being done: every record, and everything that
    /// was ever promised by one. It reads beside the node and takes as much memory as a second
    /// state of the network would.
    ///
    /// # Errors
    /// [`NodeError::Unverifiable`] where the node has no store that can be read beside it.
    pub fn begin_verifying(&self) -> Result<(), NodeError> {
        let checker = &self.0.checker;
        let store = checker.store.get().cloned();
        let store = store.ok_or(NodeError::Unverifiable)?;
        let (since, asked) = (now(), self.journal_tip());
        if !checker.state.begin(since, asked.seq) {
            return Ok(());
        }
        let state = Arc::clone(&checker.state);
        self.0.calls.spawn_blocking(move || {
            let found = check(&store, &state);
            if let Err(fault) = &found {
                tracing::error!(fault, "the journal does not verify");
            }
            state.set(Verified::Done {
                since,
                until: now(),
                asked,
                records: state.record.load(Ordering::Relaxed),
                found,
            });
        });
        Ok(())
    }
}

fn check(store: &OpenStore, state: &State) -> Result<Box<Verification>, String> {
    let store = store().map_err(|error| error.to_string())?;
    let told = |record| state.record.store(record, Ordering::Relaxed);
    match verify(store.as_ref(), told) {
        Ok(Ok(verification)) => Ok(Box::new(verification)),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
