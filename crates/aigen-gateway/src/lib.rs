//! HTTP: routes, keys, server-sent events and the one table of status codes.
//!
//! What an app developer sees is the OpenAI API; AiGen's own resources live under
//! `/v1/aigen/`. A handler turns a wire shape into a use case of the node and the node's
//! answer into a wire shape. Every refusal becomes an envelope by one table, `status.rs`.
//!
//! ```text
//! request ─▶ access line ─▶ panic guard ─▶ key ─▶ body ─▶ handler ─▶ Node
//!                                                            │
//!                       Failure ─▶ envelope ◀────────────────┘─▶ JSON or event stream
//! ```
//!
//! Absent by construction: no money is counted here, no rule is decided here, and neither a
//! secret nor the content of a message ever reaches a log.

mod access;
mod aigen;
mod anthropic;
mod cors;
mod door;
mod extract;
mod failure;
mod functions;
mod health;
mod in_process;
mod lanes;
mod limits;
mod linger;
mod metrics;
mod nearest;
mod openai;
mod parties;
mod rates;
mod replies;
mod router;
mod serve;
mod state;
mod status;
mod tokens;
mod trace;

#[cfg(test)]
mod tests;

pub use aigen::rules::{read as read_rules, rules_versions};
pub use aigen::settlement;
pub use aigen::statement::describe as statement;
pub use door::Door;
pub use in_process::{InProcess, Question};
pub use lanes::Lanes;
pub use router::{Api, router};
pub use serve::{Front, serve};
pub use state::GatewayState;
pub use trace::{Attribute, Span, Spans, TraceContext};
