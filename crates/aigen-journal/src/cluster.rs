//! Several nodes on one journal. One leads: it applies and appends. The others follow what it
//! appends and forward their own commands to it.
//!
//! Leading is decided by a lease, but no promise rests on it: a record's number is a unique key
//! of the store, so of two nodes that both believe they lead only one can append the next record.
//! The other is told of the conflict, forgets what it had applied, and follows.
//!
//! A node sends one batch at a time and numbers them, and records name the batches they hold
//! ([`crate::Origin`]). So whoever leads next knows which batches of a lost leader were written,
//! and each is written exactly once, however often it is forwarded.

mod member;
mod pace;

#[cfg(test)]
mod tests;

pub(crate) use member::{Member, SILENCE_MAX};
pub use pace::{Pace, RealTime};

use crate::store::StoreError;
use aigen_types::NodeId;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// A node that may lead.
#[derive(Clone)]
pub struct Candidate {
    /// Drawn at random when the process starts.
    pub node: NodeId,
    /// Where other nodes reach it.
    pub url: String,
    /// What other nodes must show to have a batch written; whoever can read the store knows it.
    pub secret: String,
}

/// Whoever leads now.
#[derive(Clone)]
pub struct Leader {
    /// The leader.
    pub candidate: Candidate,
    /// How often leading has passed to another node.
    pub term: u64,
}

/// Decides who leads.
pub trait Election: Send {
    /// Says that `me` is alive, and asks to lead for `lease` from now, or to go on leading.
    /// Answers with whoever leads then.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn campaign(&mut self, me: &Candidate, lease: Duration) -> Result<Leader, StoreError>;

    /// Ends the lease of `me`, if it leads, so that nobody has to wait for its end; `me` is no
    /// longer alive.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn resign(&mut self, me: &Candidate) -> Result<(), StoreError>;

    /// The nodes that have campaigned within this time.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn alive(&mut self, within: Duration) -> Result<BTreeSet<NodeId>, StoreError>;
}

/// How batches reach the leader.
pub trait Transport: Send {
    /// Has the leader write a batch, and returns the number of its record. It may have been
    /// written whatever goes wrong.
    ///
    /// # Errors
    /// When it does not lead, or did not answer in time.
    fn forward(&mut self, leader: &Candidate, batch: &[u8]) -> Result<u64, ForwardError>;
}

/// Why nobody knows whether a batch was written.
#[derive(Debug, Error)]
#[error("the leader at {url} did not take the batch: {reason}")]
pub struct ForwardError {
    /// Who was asked.
    pub url: String,
    /// What it said, or what went wrong on the way.
    pub reason: String,
}

/// Times of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a leader leads without saying that it is alive; it says so three times as often.
    /// Nobody else can lead for so long after it was lost.
    pub lease: Duration,
    /// How often a follower looks for new records.
    pub poll: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            poll: Duration::from_millis(20),
        }
    }
}

impl Timing {
    pub(crate) fn renewal(&self) -> Duration {
        self.lease / 3
    }

    /// How long a node must not have been heard of to count as lost.
    pub(crate) fn lost(&self) -> Duration {
        self.lease * 3
    }
}

/// How a node takes part.
pub struct Membership {
    /// The node.
    pub me: Candidate,
    /// Who leads.
    pub election: Box<dyn Election>,
    /// The way to whoever does.
    pub transport: Box<dyn Transport>,
    /// How patient it is.
    pub timing: Timing,
    /// How time passes.
    pub pace: Box<dyn Pace>,
}

impl fmt::Debug for Candidate {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.node, self.url)
    }
}
