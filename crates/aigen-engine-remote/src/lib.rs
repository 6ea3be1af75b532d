//! Any OpenAI-compatible server as an engine: vLLM, SGLang, llama-server, Ollama, hosted APIs,
//! another AiGen node.
//!
//! ```text
//! TextRequest ─▶ choose an upstream ─▶ attempt ─▶ parts ─▶ TextEvent …
//!                   ▲    breaker          │
//!                   └── before the first byte: pause, another try, another upstream
//! ```
//!
//! What an upstream says is checked where it can be: an answer against its schema, its length
//! against the token limit, its text against stop strings. Its usage is passed on as a claim. Redirects are not followed, so
//! that requests, and the keys in them, go only where the operator's configuration says.
//!
//! Absent by construction: no money, no URL from a request, and no key in any message.

mod alike;
mod attempt;
mod breaker;
mod calls;
mod direct;
mod embedder;
mod engine;
pub mod limits;
mod options;
mod probe;
mod quiet;
mod reader;
mod road;
mod text;
mod tries;
mod upstream;
mod wire;

#[cfg(test)]
mod tests;

pub use embedder::RemoteEmbedder;
pub use engine::RemoteEngine;
pub use options::{HangUp, Options, Secret, Timeouts, UpstreamOptions};
