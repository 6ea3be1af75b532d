use crate::Usage;

/// What a session used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Of these, those that were not computed again.
    pub cached_prompt_tokens: u32,
    /// Output tokens by kind.
    pub output: Usage,
    /// Branches that live, suspended ones too.
    pub branches_live: u32,
    /// Logits the session was given: one for each branch in a forward pass.
    pub passes: u64,
    /// Steps at which the controller was late.
    pub late_steps: u32,
    /// What running the controller cost.
    pub guest: Guest,
}

/// What running a controller cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// Instructions, by the host's own measure; the same for every run.
    pub fuel: u64,
    /// Time, in microseconds; different for every run.
    pub micros: u64,
    /// Calls to functions of the host.
    pub host_calls: u64,
}

impl Guest {
    pub(crate) fn add(&mut self, more: Self) {
        self.fuel = self.fuel.saturating_add(more.fuel);
        self.micros = self.micros.saturating_add(more.micros);
        self.host_calls = self.host_calls.saturating_add(more.host_calls);
    }

    /// What was added since it was that.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            fuel: self.fuel.saturating_sub(before.fuel),
            micros: self.micros.saturating_sub(before.micros),
            host_calls: self.host_calls.saturating_sub(before.host_calls),
        }
    }
}
