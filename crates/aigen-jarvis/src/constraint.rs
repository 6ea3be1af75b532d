//! Grammars over tokens: llguidance behind a door that fails closed.

mod cache;
mod compiler;
mod error;
mod mask;
mod matcher;
mod pattern;
mod quote;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod tools;
mod vocabulary;
mod warmth;
mod words;
mod workers;

pub use compiler::{CompileLimits, Compiler};
pub use error::{CompileError, CompileErrorKind};
pub use mask::Mask;
pub(crate) use matcher::Grammar;
pub use matcher::Matcher;
pub use source::JsonOptions;
pub use template::{Hole, schema_of};
pub(crate) use tools::{ARGUMENTS, CALL_BEGIN, CALL_END, HEAD};
pub use tools::{Function, ToolGrammar, call_text};
