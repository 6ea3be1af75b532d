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
mod allowances;
mod budgets;
mod calendar;
mod calls;
mod capture;
mod command;
mod commitment;
mod corrections;
mod cover;
mod epochs;
pub mod limits;
mod names;
mod network;
mod parts;
mod posting;
mod refusal;
mod registry;
mod releases;
mod settings;
mod soundness;
mod usage;

#[cfg(test)]
mod tests;

pub use accounts::{AccountKind, account_id, addresses};
pub use allowances::Allowance;
pub use budgets::{Budget, Cap, CapState, Capped, LEDGER_CAPS};
pub use calendar::{Period, Window};
pub use calls::{Call, Hold, Outcome, Receipt};
pub use command::{
    AssignEpoch, Cell, CloseCall, CloseEpoch, Command, CommitScores, ControllerKind, ExtendCall,
    Found, GoldOpening, GrantAllowance, Issue, NewController, NewKey, NewModel, NewRelease,
    NewValidator, OpenCall, Pay, ProgressCall, RefundCall, Report, RevealScores, ReverseCall,
    RevokeAllowance, Role, SetBudget, SetStanding, TagController,
};
pub use commitment::{assignment_root, gold_commitment, member_id, report_root, score_commitment};
pub use corrections::{Refund, RefundReason, Reversal};
pub use epochs::{EpochState, Evaluated, PayoutKind, Phase, Posting, SettledEpoch, Tally};
pub use network::{Network, Reply};
pub use parts::Parts;
pub use posting::transfer_reason;
pub use refusal::Refusal;
pub use registry::{Controller, Key, Model, Validator, controller_digest, script_key};
pub use releases::{
    Release, Standing, Stated, TagKey, content_digest, release_digest, signed_message,
};
pub use settings::Settings;
pub use soundness::Unsound;
pub use usage::{UsageKey, UsageSum};
