//! The router in process, over a real node with a journal in memory and a scripted engine.

mod abuse;
mod calls;
mod chat;
mod datasets;
mod document;
mod epochs;
mod governance;
mod hangup;
mod history;
mod limits;
mod logs;
mod messages;
mod page;
mod races;
mod refusals;
mod resources;
mod responses;
mod retries;
mod scenarios;
mod sockets;
mod spans;
mod spending;
mod tools;
mod trace;
mod waiting;
mod world;
