//! Accounts, transfers and holds: the double-entry state machine.
//!
//! ```
//! use aigen_ledger::{AccountFlags, AccountRequest, Ledger, PendingStatus, TransferFlags, TransferRequest};
//! use aigen_types::{AccountId, Amount, Timestamp, TransferId};
//!
//! let (ada, provider, now) = (AccountId(1), AccountId(2), Timestamp(1));
//! let mut ledger = Ledger::new();
//! let account = AccountRequest { ledger: 1, code: 1, ..AccountRequest::default() };
//! let bounded = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
//! ledger.create_accounts(now, &[
//!     AccountRequest { id: ada, flags: bounded, limit: Amount::from_nano(100), ..account },
//!     AccountRequest { id: provider, ..account },
//! ]);
//!
//! // Hold 80 for a minute, then capture 30 of it: the other 50 are available again.
//! let hold = TransferRequest {
//!     id: TransferId(1),
//!     debit_account_id: ada,
//!     credit_account_id: provider,
//!     amount: Amount::from_nano(80),
//!     timeout: 60,
//!     ledger: 1,
//!     code: 1,
//!     flags: TransferFlags::PENDING,
//!     ..TransferRequest::default()
//! };
//! let capture = TransferRequest {
//!     id: TransferId(2),
//!     pending_id: hold.id,
//!     amount: Amount::from_nano(30),
//!     flags: TransferFlags::POST_PENDING_TRANSFER,
//!     ..TransferRequest::default()
//! };
//! assert_eq!(ledger.create_transfers(now, &[hold, capture]), [Ok(()), Ok(())]);
//! assert_eq!(ledger.pending(hold.id), Some(PendingStatus::Posted));
//! assert_eq!(ledger.account(ada).unwrap().available(), Amount::from_nano(70));
//! assert_eq!(ledger.check(), Ok(()));
//! ```
//!
//! The data model, the refusals, their words and their precedence are TigerBeetle's (0.17), but that
//! - an account may have a credit [`limit`](Account::limit),
//! - one transfer moves at most [`TRANSFER_AMOUNT_MAX`], which is refused after all else, so that
//!   every TigerBeetle refusal keeps its place,
//! - all of a batch has the batch's time, and a hold that is due has always expired,
//! - nothing is imported, and no history of balances is kept.
//!
//! The whole state is a pure function of the calls made: there is no clock (time arrives as a
//! value), no I/O, no randomness, no floats and no unordered iteration. `no_std` and the lints below
//! keep it so. Accounts and transfers are never deleted.
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
mod query;
mod refusal;
mod resolve;
mod shelf;
mod store;
mod transfer;

pub use account::{Account, AccountRequest};
pub use check::Violation;
pub use flags::{AccountFilterFlags, AccountFlags, QueryFilterFlags, TransferFlags, UnknownFlag};
pub use ledger::Ledger;
pub use limits::TRANSFER_AMOUNT_MAX;
pub use query::{AccountFilter, QueryFilter};
pub use refusal::{AccountRefusal, TransferRefusal};
pub use shelf::{Forwards, Shelf};
pub use store::{Ids, TransfersSoFar};
pub use transfer::{AMOUNT_ALL, PendingStatus, Transfer, TransferRequest};

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::as_conversions)]
mod tests;
