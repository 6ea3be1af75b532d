//! The hash-chained journal: port, back ends, group commit, replay, verification.
//!
//! The journal is the truth; everything else is rebuilt from it. A record is durable before
//! anyone is told that it exists, and no record is ever changed.

mod codec;
mod commands;
mod memory;
mod record;
mod replay;
mod sqlite;
mod store;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use codec::DecodeError;
pub use memory::MemoryStore;
pub use record::{RECORD_VERSION, Record, RecordError, Tip};
pub use replay::{Replayed, replay};
pub use sqlite::SqliteStore;
pub use store::{Store, StoreError};
pub use verify::{Fault, Verification, verify};
pub use writer::{Committed, Journal, Stopped};
