//! Grammars over tokens: llguidance behind a door that fails closed.

mod cache;
mod compiler;
mod error;
mod matcher;
mod quote;
mod source;
mod template;
mod vocabulary;
mod workers;

pub use compiler::{CompileLimits, Compiler};
pub use error::CompileError;
pub use matcher::Matcher;
pub(crate) use matcher::{Grammar, Mask};
pub use source::JsonOptions;
pub use template::Hole;
