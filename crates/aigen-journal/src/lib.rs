//! The hash-chained journal: port, back ends, group commit, replay, verification.
//!
//! The journal is the truth; everything else is rebuilt from it. A record is durable before
//! anyone is told that it exists, and no record is ever changed.

mod batch;
mod checkpoint;
pub mod cluster;
mod codec;
mod commands;
mod content;
mod copy;
mod crowd;
mod ended;
mod journal;
mod machine;
mod mailbox;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod pulse;
mod queue;
mod record;
mod replay;
mod replica;
mod said;
mod sessions;
mod shelf;
mod snapshot;
mod spool;
mod sqlite;
mod state;
mod store;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use checkpoint::Checkpoint;
pub use codec::DecodeError;
pub use content::ContentStore;
pub use copy::{copy, take_snapshot};
pub use journal::{Early, Journal, Stopped};
pub use mailbox::Mailbox;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresElection, PostgresStore};
pub use queue::{Committed, NotLeading, Role};
pub use record::{Origin, RECORD_VERSION, Record, RecordError, Tip};
pub use replay::{Answer, Recovery, Replayed, recover, replay};
pub use replica::{Applied, Replica};
pub use sessions::Sessions;
pub use snapshot::{Snapshot, SnapshotError};
pub use sqlite::{Found, Loss, SqliteStore, Unfinished, accept_loss, look};
pub use store::{Store, StoreError};
pub use verify::{Fault, Verification, verify};
