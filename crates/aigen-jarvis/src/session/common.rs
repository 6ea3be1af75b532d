//! What the branches of a session have in common, beside what controllers know of it.

use std::sync::Arc;
use std::time::Duration;

use aigen_engine::sampler::Sampling;
use aigen_engine::{TokenId, Tokenizer};

use super::outlet::Outlet;
use crate::cover::Covered;
use crate::limits::BRANCHES_MAX;
use crate::{
    Asked, Budget, Capabilities, Context, Cover, Cut, Fault, Finish, Guest, LogEntry, Traced,
    Usage, Used,
};

pub(super) struct Common {
    pub tokenizer: Arc<dyn Tokenizer>,
    pub context: Context,
    pub cover: Cover,
    pub outlet: Outlet,
    /// How the request wants tokens chosen.
    pub sampling: Sampling,
    /// Log-probabilities to report, with this many alternatives.
    pub top_logprobs: Option<usize>,
    pub can: Capabilities,
    /// Output tokens a branch may have.
    pub room: u32,
    /// Tokens that may be taken back in all.
    pub discarded_max: u64,
    /// The prompt that the model reads.
    pub prompt: Vec<TokenId>,
    pub cached_prompt_tokens: u32,
    /// Of the prompt, what was not read by the time the engine ended it.
    pub unread_prompt_tokens: u32,
    pub usage: Usage,
    /// Tokens that are paid for and not sampled yet: one for each branch in a pass.
    pub reserved: u64,
    /// Branches that are not over, suspended ones too.
    pub alive: u32,
    pub passes: u64,
    pub late_steps: u32,
    /// For how long its branches wanted to sleep, all together.
    pub slept_millis: u32,
    /// What was left at every decision; in a replay what is to be said of it.
    pub left: Vec<u64>,
    pub said_left: usize,
    pub replays: bool,
    /// How the session ended that is run again.
    pub replayed_end: Option<Finish>,
    /// The call that it was ended in.
    pub replayed_cut: Option<Cut>,
    /// What controllers cost and asked before the call that was begun last.
    pub before: (Guest, Asked),
    /// Fuel that a trace has told of.
    pub traced_fuel: u64,
    /// Lines of the log that a trace has told of.
    pub traced_lines: usize,
    /// Time that controllers and constraints took between forward passes.
    pub overhead: Duration,
}

impl Common {
    /// Whether another token is paid for; `false` if it is not yet known.
    ///
    /// # Errors
    /// [`Finish::Budget`] if it is not and never will be.
    pub fn pays(&self) -> Result<bool, Finish> {
        match self.cover.covers(self.usage.computed() + self.reserved + 1) {
            Covered::Yes => Ok(true),
            Covered::NotYet => Ok(false),
            Covered::Never => Err(Finish::Budget),
        }
    }

    /// Tokens that a branch can still have, as far as that is known.
    pub fn room_left(&self, position: u32) -> usize {
        let room = u64::from(self.room.saturating_sub(position));
        let spent = self.usage.computed() + self.reserved;
        let paid = self
            .cover
            .closed_at()
            .map(|tokens| tokens.saturating_sub(spent));
        usize::try_from(paid.map_or(room, |paid| paid.min(room))).unwrap_or(usize::MAX)
    }

    /// Whether a fork leaves each branch a token; `false` if it is not yet known.
    ///
    /// # Errors
    /// [`Fault::BranchesTooMany`] and [`Fault::ForkUnaffordable`].
    pub fn affords(&self, branches: u32) -> Result<bool, Fault> {
        let left = BRANCHES_MAX.saturating_sub(self.usage.branches);
        let left = left.min(self.can.branches_max.saturating_sub(self.alive));
        let asked = branches;
        if asked > left {
            return Err(Fault::BranchesTooMany { asked, left });
        }
        let wanted = self.usage.computed() + self.reserved + u64::from(asked) + 1;
        match self.cover.covers(wanted) {
            Covered::Yes => Ok(true),
            Covered::NotYet => Ok(false),
            Covered::Never => Err(Fault::ForkUnaffordable { asked }),
        }
    }

    /// Lets controllers read how the session stands.
    pub fn tell(&mut self, position: u32) {
        let left = self.tokens_left();
        let used = Used {
            prompt_tokens: u32::try_from(self.prompt.len()).unwrap_or(u32::MAX),
            cached_prompt_tokens: self.cached_prompt_tokens,
            output: self.usage,
            branches_live: self.alive,
            passes: self.passes,
            late_steps: self.late_steps,
            ..Used::default()
        };
        let budget = Budget {
            tokens: left,
            room: self.room.saturating_sub(position),
            branches: BRANCHES_MAX.saturating_sub(self.usage.branches),
        };
        self.context.tell(used, budget);
    }

    /// Tells whoever wants a trace what controllers logged since this was told last; the branch
    /// that was asked last is at this position.
    pub fn trace_log(&mut self, position: u32) {
        if !self.outlet.traces() {
            return;
        }
        let lines = self.context.logged(self.traced_lines);
        self.traced_lines += lines.len();
        for line in lines {
            let LogEntry {
                branch,
                level,
                message,
            } = line;
            let logged = Traced::Logged { level, message };
            self.outlet.trace(branch, position, logged);
        }
    }

    /// A call to a controller begins.
    ///
    /// # Errors
    /// In a replay, the session's end where it was ended in this call, of a last word or not.
    pub fn begin_call(&mut self, last_word: bool) -> Result<(), Finish> {
        self.before = self.context.spent();
        let asked_last = last_word || self.said_left >= self.left.len();
        let cut = self
            .replayed_cut
            .take_if(|cut| asked_last && cut.last_word == last_word);
        match (cut, &self.replayed_end) {
            (Some(cut), Some(end)) => {
                self.context.spend_again(cut);
                Err(end.clone())
            }
            _ => Ok(()),
        }
    }

    /// The call that was begun last, which nobody waited for.
    pub fn cut(&self, last_word: bool) -> Cut {
        let (guest, asked) = self.context.spent();
        Cut {
            guest: guest.since(self.before.0),
            asked: asked.since(self.before.1),
            last_word,
        }
    }

    /// Tokens that are paid for: it depends on when more was paid, so a replay says what was
    /// said before.
    fn tokens_left(&mut self) -> u64 {
        if self.replays {
            self.said_left += 1;
            return self.left.get(self.said_left - 1).copied().unwrap_or(0);
        }
        let spent = self.usage.computed() + self.reserved;
        let left = self.cover.tokens().saturating_sub(spent);
        self.left.push(left);
        left
    }
}
