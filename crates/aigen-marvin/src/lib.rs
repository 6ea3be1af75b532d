//! Typed AI functions: a signature and a doc comment become a function that a model computes.
//!
//! ```no_run
//! use aigen_marvin::{AiError, ai_fn};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize, JsonSchema)]
//! struct Sentiment {
//!     polarity: Polarity,
//!     #[schemars(range(min = -1.0, max = 1.0))]
//!     score: f64,
//!     evidence: Vec<String>,
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
//! enum Polarity {
//!     Positive,
//!     Negative,
//!     Neutral,
//! }
//!
//! /// Judge the sentiment of `text`, given what it answers to. Sarcasm flips polarity.
//! #[ai_fn(max_tokens = 200, temperature = 0.0, check = evidence_is_quoted)]
//! async fn sentiment(
//!     /** the message to judge */ text: &str,
//!     context: &str,
//! ) -> Result<Sentiment, AiError>;
//!
//! fn evidence_is_quoted(value: &Sentiment, text: &str, _: &str) -> Result<(), String> {
//!     match value.evidence.iter().find(|quote| !text.contains(*quote)) {
//!         Some(quote) => Err(format!("{quote:?} is not in the text")),
//!         None => Ok(()),
//!     }
//! }
//!
//! # async fn example(client: aigen_client::Client) -> Result<(), AiError> {
//! let plain = sentiment("Great, it broke again.", "How is the new phone?").await?;
//! let detailed = sentiment::call("Great, it broke again.", "How is the new phone?")
//!     .on(&client)
//!     .seed(7)
//!     .budget("0.5".parse().expect("an amount"))
//!     .detailed()
//!     .await?;
//! println!("{plain:?} {:?} for {} AIGEN", detailed.value, detailed.cost());
//! # Ok(()) }
//! ```
//!
//! Types are plain serde and schemars. On an engine that can be steered token by token the
//! decoder guarantees the type; elsewhere an answer is read, and asked for again where it does
//! not fit. [`Detailed::guarantee`] says which it was. A body's value is more context:
//!
//! ```no_run
//! # use aigen_marvin::{AiError, ai_fn};
//! /// Answer the question from the company's facts.
//! #[ai_fn]
//! async fn answer(question: &str) -> Result<String, AiError> {
//!     std::fs::read_to_string("facts.txt").unwrap_or_default()
//! }
//! ```
//!
//! `#[ai_fn(publish)]` adds `sentiment::source()`: the function as `aigen fn publish` takes it, to be
//! called by anybody, from any language. Its parameters' types then have schemas, too.
//!
//! Attribute options: `publish`, `max_tokens` (output tokens, 1,024), `temperature`, `seed`, `model`,
//! `controller` (steers beside the type), `retries` (of answers that were not accepted, 2) and
//! `check`, a function of the value and the parameters, all by reference, that returns
//! `Result<(), String>`; what it says is told to the model.

mod backend;
mod call;
mod calls;
mod classify;
mod definition;
mod error;
mod limits;
mod prompt;
mod schema;
mod shortcuts;
mod source;

pub use aigen_marvin_macros::ai_fn;
pub use backend::{Backend, first_model};
pub use call::{Call, Detailed, Guarantee};
pub use calls::Calls;
pub use definition::Definition;
pub use error::{AiError, Unanswered};
pub use prompt::{Arguments, Prompt};
pub use schema::{Promised, Schema, SchemaError, schema_of};
pub use shortcuts::{cast, classify, extract, generate};
pub use source::{Inputs, source};
