//! The wire: OpenAI-compatible and AiGen's own request and response shapes.
//!
//! Shapes only: no HTTP, no status codes, no money is moved here. Every reading
//! of JSON that came from outside goes through [`from_json`], which names the
//! bad field. Amounts are never JSON numbers on this wire:
//!
//! - in a request, and in `cost`, an amount is a decimal string of AIGEN, exact
//!   to nine digits: `"0.25"`;
//! - in a resource, every amount appears twice: `available_nano`, the integer
//!   count of nano-AIGEN as a decimal string, which decides, and `available`,
//!   the same in AIGEN, for people.
//!
//! The one exception is [`settlement`], whose file format uses JSON integers.

pub mod anthropic;
mod bytes;
mod json;
mod money;
mod objects;
pub mod openai;
pub mod resources;
pub mod settlement;
mod text;

pub use json::{JsonError, from_json};

/// What is served, as an OpenAPI document in JSON: paths, shapes and errors.
pub const OPENAPI: &str = include_str!("../openapi.json");
