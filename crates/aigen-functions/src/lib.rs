//! AI functions: a description, two schemas and a prompt, whose body is a model's answer.
//!
//! ```text
//! source (JSON or TOML) ─▶ Function ─▶ checked input ─▶ Wording (system, user) ─▶ … ─▶ checked value
//! ```
//!
//! The same source is what a node serves, what `aigen fn` tries before it is published, and what
//! clients are generated from; so one room reads it.
//!
//! Absent by construction: models, money, files and the network. A template is bounded in what it
//! computes and writes, and a schema fetches nothing.

mod expectation;
mod finite;
mod form;
mod function;
mod golden;
mod limits;
mod reason;
mod sample;
mod schema;
mod template;

#[cfg(test)]
mod tests;

pub use form::Form;
pub use function::{Function, FunctionError, Wording};
pub use golden::{Golden, holds};
pub use limits::{GOLDEN_MAX, RETRIES_MAX, SOURCE_BYTES_MAX, TOKENS_MAX};
pub use reason::reason;
pub use schema::Misfit;
