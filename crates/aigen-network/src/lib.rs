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
#[cfg(test)]
extern crate std;

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
mod datasets;
mod earnings;
mod epochs;
mod governance;
mod keyring;
pub mod limits;
mod names;
mod network;
mod parts;
mod posting;
mod reads;
mod receipts;
mod refusal;
mod registry;
mod releases;
mod rules;
mod settings;
mod soundness;
mod stakes;
mod usage;
mod within;

#[cfg(test)]
mod tests;

pub use accounts::{AccountKind, account_id, addresses};
pub use allowances::Allowance;
pub use budgets::{Budget, Cap, CapState, Capped, LEDGER_CAPS};
pub use calendar::{Period, Window};
pub use calls::{Asked, Call, Counter, Hold, Outcome, Receipt, Steered};
pub use command::{
    Appeal, AssignEpoch, Cell, CloseCall, CloseEpoch, Command, CommitScores, ControllerKind,
    DecideAppeal, ExtendCall, Finding, Found, GoldOpening, GrantAllowance, Issue, LimitKey,
    MoveStake, NewController, NewKey, NewModel, NewRelease, NewValidator, OpenCall, OpenSubCall,
    Pay, ProgressCall, ProposeRules, RefundCall, Report, RevealScores, ReverseCall,
    RevokeAllowance, Role, SetBudget, SetStanding, TagController,
};
pub use commitment::{
    assignment_root, gold_commitment, member_id, report_root, score_commitment, seed_commitment,
};
pub use corrections::{Refund, RefundReason, Reversal};
pub use cover::Quote;
pub use datasets::{
    Column, Dataset, DatasetUse, Datasets, Grant, GrantDataset, NewDataset, PriceDataset,
    RevokeDataset, WithdrawDataset,
};
pub use earnings::{Earning, EarningKey, EpochReads, Reading, ReadingKey};
pub use epochs::{
    CONFORMANCE, Checked, EpochState, Evaluated, Evidence, Held, OpenAppeal, Opened, PayoutKind,
    Phase, Plan, Posting, Proof, SettledEpoch, Tally, audited_cells, evidence_root, measured,
    panel,
};
pub use governance::Governance;
pub use keyring::{KeyLimits, Keyring, Minute, Rate, Scope};
pub use network::{Network, Reply};
pub use parts::Parts;
pub use posting::transfer_reason;
pub use reads::{
    Read, ReadDataset, ReadReceipt, ReadWithin, RowRange, Rows, SettledCall, Wanted, settled_call,
    settled_read,
};
pub use receipts::{ReceiptForm, Receipts, ReceiptsSoFar};
pub use refusal::Refusal;
pub use registry::{Controller, Key, Model, Validator, controller_digest, script_key};
pub use releases::{
    Release, Standing, Stated, TagKey, content_digest, release_digest, signed_message,
};
pub use rules::{Rules, RulesVersion, Terms};
pub use settings::Settings;
pub use soundness::Unsound;
pub use stakes::{StakeStanding, Waiting};
pub use usage::{UsageKey, UsageSum};
pub use within::Within;
