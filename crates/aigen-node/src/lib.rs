//! Use cases: complete, publish, score, close an epoch, pay.
//!
//! Between the gateway, which speaks HTTP, and the rooms that know one thing each:
//! engines compute, Jarvis steers, the journal records. The node makes a *call* of them:
//! quote → hold → decode → capture → receipt, in one task that outlives the connection
//! that asked for it.
//!
//! Absent by construction: no HTTP, no status codes, no serialised forms but that of replay
//! logs, no concrete engine and no concrete store.

mod admission;
mod auth;
mod calls;
mod complete;
mod components;
mod datasets;
mod declared;
mod embed;
mod error;
mod functions;
mod imports;
pub mod limits;
mod loading;
mod manifest;
mod metering;
mod node;
mod observe;
mod operate;
mod outside;
mod prepare;
mod random;
mod remote;
mod replays;
mod retrieval;
mod running;
mod secrets;
mod served;
mod sharing;
mod spend;
mod steering;
mod tools;
mod verification;
mod work;

#[cfg(test)]
mod tests;

pub use admission::AdmissionLimits;
pub use auth::{Caller, IssuedKey};
pub use complete::{CallEvent, CompletionRequest, Ended, EndedChoice, Prompt};
pub use components::{Components, OpenStore};
pub use datasets::{Datasets, Offer, Paid, Reader, RowsAsked, RowsRead, Upload};
pub use embed::{Embedded as EmbeddedTexts, EmbeddingRequest};
pub use error::NodeError;
pub use imports::Import;
pub use loading::{Loader, Loading};
pub use manifest::Manifest;
pub use node::{Node, Setup};
pub use observe::{Observed, Observer};
pub use operate::KeyTerms;
pub use outside::{Grant, World};
pub use prepare::Quoted;
pub use random::{random_call_id, random_digest, random_node_id, random_transfer_id};
pub use remote::{Correction, Counting, Doubt};
pub use replays::Shelf;
pub use retrieval::{Citation, DatasetAsk};
pub use running::{Events, Queued, Running};
pub use secrets::{has_secret, without_secrets};
pub use served::{Embedded, Served, ServedInfo, ServedModels};
pub use steering::Steering;
pub use tools::{Tool, ToolUse, result_text};
pub use verification::Verified;

// What a node's answers are made of, so that whoever serves it names one room and not six.
pub use aigen_datasets::{
    BadRow, Dataset as DatasetContent, Format as DatasetFormat, ImportError, Library, ReadError,
    Row as DatasetRow, Source as DatasetSource, Stage as DatasetStage,
    limits::ANSWER_ROWS_MAX as DATASET_ROWS_MAX,
};
pub use aigen_engine::sampler::Sampling;
pub use aigen_engine::text::{TextEngine, TextFault, TraceParent};
pub use aigen_engine::{
    ChatMessage, ControlLevel, EngineError, Role as Speaker, Spent, TokenId, Tokenizer,
};
pub use aigen_engine::{Embeddable, Embedder, TextEmbedder};
pub use aigen_functions::{Function, RETRIES_MAX as FUNCTION_RETRIES_MAX};
pub use aigen_jarvis::{
    Answer, Answered, CallReader, Fault, Finish, OutsideError, Piece, Reasoning, Replayed, Spoken,
    Token as TracedToken, TokenLogprobs, TraceStep, Traced, call_text,
};
pub use aigen_journal::{Mailbox, Role as LedgerRole, Tip, Verification};
pub use {aigen_economy as economy, aigen_ledger as ledger, aigen_network as network};
