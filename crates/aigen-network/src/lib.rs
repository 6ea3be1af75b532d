//! The whole network as one state machine: `apply(now, command)` over ledger, registry and epochs.
//!
//! A claim and its effect are one command: registering a call and holding its
//! money, closing it and paying its makers, committing a score and freezing it
//! cannot come apart, because nothing smaller than a command is ever journalled.
//!
//! Absent by construction: no clock, no files, no randomness, no floats, no
//! unordered iteration. The same commands at the same times give the same state.
#![no_std]
#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

extern crate alloc;

mod accounts;
mod calls;
mod command;
mod commitment;
mod epochs;
pub mod limits;
mod network;
mod parts;
mod posting;
mod refusal;
mod registry;
mod settings;

#[cfg(test)]
mod tests;

pub use accounts::{AccountKind, account_id, addresses};
pub use calls::{Call, Outcome, Receipt};
pub use command::{
    AssignEpoch, Cell, CloseCall, CloseEpoch, Command, CommitScores, ControllerKind, ExtendCall,
    Found, GoldOpening, Issue, NewController, NewKey, NewModel, NewValidator, OpenCall, Pay,
    ProgressCall, Report, RevealScores, Role,
};
pub use commitment::{assignment_root, gold_commitment, member_id, report_root, score_commitment};
pub use epochs::{EpochState, Evaluated, PayoutKind, Phase, Posting, SettledEpoch, Tally};
pub use network::{Network, Reply};
pub use parts::Parts;
pub use posting::transfer_reason;
pub use refusal::Refusal;
pub use registry::{Controller, Key, Model, Validator, controller_digest, script_key};
pub use settings::Settings;
