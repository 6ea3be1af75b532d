//! AiGen's own resources, under `/v1/aigen/`: money, the registry, epochs, the journal.
//!
//! Requests refuse unknown fields. Digests and salts are 64 hex digits, call and
//! transfer ids 32, times nanoseconds since the Unix epoch.

mod epoch;
mod journal;
mod money;
mod receipt;
mod registry;

pub use epoch::{
    Assignment, CommitRequest, ControllerResult, EpochPhase, EpochState, EpochStatement, Report,
    RevealRequest, ValidatorResult,
};
pub use journal::{JournalFault, JournalTip, Verification};
pub use money::{Account, Fund, Pay, Transfer};
pub use receipt::{ChargeLine, Receipt, Share, TokenUsage};
pub use registry::{
    Controller, ControllerSource, KeyCreated, KeyRole, NewKey, PublishController,
    RegisterValidator, Validator,
};

use serde::{Deserialize, Serialize};

/// A list of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The resources.
    pub data: Vec<T>,
}

#[cfg(test)]
mod tests;
