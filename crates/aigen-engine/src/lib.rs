//! The engine port: tokens in, logits out; scheduler, sampler and capabilities.
//!
//! An [`Engine`] turns tokens into logits for many sequences at once and knows
//! nothing of requests. The [`scheduler`] owns one engine on one thread and runs
//! many sessions over it; what each session does with its logits is its
//! [`Driver`]'s business. [`scripted`] is an engine without weights.
//!
//! ```text
//! caller ── submit(prompt, driver) ──▶ EngineHandle ──▶ scheduler thread ──▶ Engine::forward
//!                                                        │        ▲
//!                                             Input::Logits      Step::Feed, Backtrack, Fork, Wait, Done
//!                                                        ▼        │
//!                                                          Driver
//! ```
//!
//! Absent by construction: no sockets, no async runtime, no money, no clock.

mod cells;
pub mod conformance;
mod embedder;
mod engine;
mod error;
pub mod limits;
pub mod sampler;
pub mod scheduler;
pub mod scripted;
pub mod text;
mod tokenizer;
mod transcript;

pub use embedder::{
    EmbedRequest, Embeddable, Embedder, EmbedderInfo, Embedding, TextEmbedder, Vectors,
};
pub use engine::{
    ControlLevel, Engine, Feed, ModelInfo, Saved, Sequence, check_feeds, check_tokens,
};
pub use error::EngineError;
pub use limits::Limits;
pub use scheduler::{
    Driver, EngineHandle, Failure, Input, Load, SessionControl, Spent, Start, Step, Terms, start,
};
pub use tokenizer::{ChatMessage, Role, TokenId, Tokenizer};
pub use transcript::Transcript;
