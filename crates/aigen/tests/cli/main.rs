//! What people type, and what they read: the real binary, with the model inside it.

mod bad_input;
mod dev;
mod embeddings;
mod functions;
mod kill;
mod ledger;
mod limits;
mod load;
mod lost;
mod models;
mod operate;
mod remote;
mod sim;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod words;
