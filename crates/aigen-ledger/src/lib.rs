//! Accounts, transfers and holds: the double-entry state machine.
//!
//! The data model, the refusals and their words are TigerBeetle's, with one addition: an account may
//! have a credit [`limit`](Account::limit). The whole state is a pure function of the calls made:
//! there is no clock (time arrives as a value), no I/O, no randomness, no floats and no unordered
//! iteration. `no_std` and the lints below keep it so.
//!
//! A request is checked in the order of its refusal enum and the first reason wins; after the last
//! check nothing can fail. See [`Ledger`] for the door and [`Ledger::check`] for what always holds.
#![no_std]
#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod account;
mod batch;
mod check;
mod create_account;
mod create_transfer;
mod exists;
mod flags;
mod ledger;
mod limits;
mod refusal;
mod resolve;
mod store;
mod transfer;

pub use account::{Account, AccountRequest};
pub use check::Violation;
pub use flags::{AccountFlags, TransferFlags, UnknownFlag};
pub use ledger::Ledger;
pub use limits::TRANSFER_AMOUNT_MAX;
pub use refusal::{AccountRefusal, TransferRefusal};
pub use transfer::{AMOUNT_ALL, PendingStatus, Transfer, TransferRequest};

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::as_conversions)]
mod tests;
