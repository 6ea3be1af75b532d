//! What people type, and what they read: the real binary, with the model inside it.

mod bad_input;
mod components;
mod datasets;
mod dev;
mod embeddings;
mod functions;
mod kill;
mod ledger;
mod limits;
mod load;
mod lost;
mod models;
mod opening;
mod operate;
mod outside;
mod projects;
mod reload;
mod remote;
mod segments;
mod shuffled;
mod sim;
mod snapshots;
mod spenders;
mod starting;
#[path = "../support/mod.rs"]
mod support;
mod telemetry;
mod tls;
mod words;
