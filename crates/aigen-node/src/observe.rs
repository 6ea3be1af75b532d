//! What is told of every call, to whoever counts.

use crate::error::NodeError;
use aigen_economy::Usage;
use aigen_network::{Outcome, Receipt};
use aigen_types::{Amount, ModelName};
use std::time::Duration;

/// A call that has ended.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The model.
    pub model: ModelName,
    /// How it ended.
    pub outcome: Outcome,
    /// What was computed.
    pub used: Usage,
    /// What it came to.
    pub charged: Amount,
    /// From its request until it was computed; `None` if it never was.
    pub queued: Option<Duration>,
    /// From its request until its first token; `None` if there was none.
    pub first_token: Option<Duration>,
    /// Until its upstream had answered it, from when that was asked; `None` where none was.
    pub upstream: Option<Duration>,
    /// From its request until it was settled.
    pub total: Duration,
}

/// Hears of calls. Called on the calls' own tasks, so it must be quick.
pub trait Observer: Send + Sync + 'static {
    /// One ended.
    fn ended(&self, call: &Observed);

    /// One of a node that was killed was settled: for how long it ran nobody knows.
    fn lost(&self, receipt: &Receipt);

    /// One was refused before it began.
    fn refused(&self, model: &ModelName, error: &NodeError);
}
