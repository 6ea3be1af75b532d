use crate::{money, text};
use aigen_types::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /v1/aigen/journal/tip`: the last record. Whoever keeps it can prove later that history was not rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalTip {
    /// Its number; 0 is the empty journal.
    pub seq: u64,
    /// Its hash, which covers every record before it.
    #[serde(with = "text")]
    pub hash: Digest,
}

/// `POST /v1/aigen/journal/batches`, between nodes of one journal: where the batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchWritten {
    /// The record.
    pub record: u64,
}

/// `GET /v1/aigen/journal/verification`: whether the journal was verified since the node started,
/// every record and everything that was promised by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalVerified {
    /// How far that is.
    pub state: VerificationState,
    /// When it began.
    #[serde(
        default,
        with = "money::time_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub since: Option<Timestamp>,
    /// When it ended.
    #[serde(
        default,
        with = "money::time_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Timestamp>,
    /// Records read.
    pub records: u64,
    /// Records that there were when it began.
    pub of: u64,
    /// What does not hold; of a `damaged` journal only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// See [`JournalVerified::state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerificationState {
    /// Nobody has asked for it since the node started.
    Never,
    /// It goes on.
    Running,
    /// Every check held.
    Sound,
    /// One did not.
    Damaged,
}

/// `aigen ledger verify --json`: the outcome of replaying everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Whether every check held.
    pub ok: bool,
    /// The last good record.
    pub tip: JournalTip,
    /// Records replayed.
    pub records: u64,
    /// Transfers replayed.
    pub transfers: u64,
    /// The first fault; `None` when `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<JournalFault>,
}

/// What does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalFault {
    /// The record.
    pub seq: u64,
    /// What is wrong with it.
    pub reason: String,
}
