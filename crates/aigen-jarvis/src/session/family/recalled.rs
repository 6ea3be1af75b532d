//! Sessions that are ended from outside while a controller computes. What it used until then is part of what they
//! came to, and what it would have decided is not.

use aigen_engine::EngineError;

use super::{Activity, Branch, Family, index, is_said};
use crate::limits::RECALL_TIME_MAX;
use crate::{Fault, Finish, Level, Turn};

/// A call to a controller that nobody waits for: of which branch, and whether for its last word.
pub(super) struct Recalled {
    at: usize,
    last_word: bool,
}

impl Family {
    /// The engine ended a branch, and with it the session. `true` if a controller is still computing: somebody
    /// has to see to [`Family::await_recalled`] until it is not, since nothing else is asked of the session any more.
    #[must_use]
    pub fn failed(&mut self, error: &EngineError) -> bool {
        let finish = match error {
            EngineError::Cancelled => Finish::Cancelled,
            EngineError::DriverPanicked => Fault::Crashed.into(),
            error => Fault::Engine(error.clone()).into(),
        };
        if self.recalled.is_some() || self.is_finished() {
            return false;
        }
        if self.failed_at_its_start() {
            self.conclude();
            return false;
        }
        self.recalled = self.under_way();
        let Some(call) = &self.recalled else {
            self.note(Err(finish.into()));
            return false;
        };
        let at = call.at;
        self.halt = Some(finish.into());
        self.common.context.recall();
        let computes = self.branches[at].controller.recall();
        if !computes {
            self.end_recalled();
        }
        computes
    }

    /// Any other failure ends it at once.
    fn failed_at_its_start(&self) -> bool {
        let halt = self.halt.as_ref();
        halt.is_some_and(|halt| matches!(halt.finish, Finish::Fault(_)))
    }

    /// The call to a controller that is not answered, if there is one: all branches wait for it.
    fn under_way(&self) -> Option<Recalled> {
        if let Some(halt) = &self.halt {
            let (at, last_word) = (index(halt.answer?), true);
            return Some(Recalled { at, last_word });
        }
        let is_asked = |branch: &Branch| matches!(branch.activity, Activity::Asked);
        let at = self.branches.iter().position(is_asked)?;
        Some(Recalled {
            at,
            last_word: false,
        })
    }

    /// Ends the session if the call that it was ended in has ended, or is not to be waited for any longer; `false` if it
    /// is to be waited for.
    pub fn await_recalled(&mut self, gives_up: bool) -> bool {
        let Some(call) = &self.recalled else {
            return true;
        };
        let controller = &mut self.branches[call.at].controller;
        let ended = match call.last_word {
            true => controller.finish().is_some(),
            false => !matches!(controller.poll(), Ok(Turn::Late | Turn::Outside)),
        };
        if !ended && gives_up {
            self.note_unknown();
        }
        if ended || gives_up {
            self.end_recalled();
        }
        ended || gives_up
    }

    fn end_recalled(&mut self) {
        let call = self.recalled.take();
        self.cut = call.map(|call| self.common.cut(call.last_word));
        self.conclude();
    }

    /// What is not known is said.
    fn note_unknown(&self) {
        let seconds = RECALL_TIME_MAX.as_secs();
        let unknown = format!(
            "the session was ended while its controller computed, and it still did after {seconds} s: what it used is not known"
        );
        // The log may be full, which says as much of a controller.
        let _ = self.common.context.log(0, Level::Error, &unknown);
    }

    /// A controller is about to be asked for its last word. A replay may end instead, as the session did.
    pub(super) fn begin_last_word(&mut self, finish: Finish) -> Finish {
        if !is_said(&finish) || std::mem::replace(&mut self.last_word_begun, true) {
            return finish;
        }
        self.common.begin_call(true).err().unwrap_or(finish)
    }
}
