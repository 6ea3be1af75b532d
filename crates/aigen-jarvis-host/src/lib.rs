//! Runs controllers that are WebAssembly components.
//!
//! ```text
//! Host::compile(bytes) ─▶ Component::program(compiler) ─▶ aigen_jarvis::Program
//!        │                                                    │ one request
//!   a child process                                   one store, one instance,
//!   with bounds of its own                            all branches in it
//! ```
//!
//! A guest has no clock, no file and no network. It computes under fuel, which is
//! the same in every run, and under a ticker that ends what fuel does not see. What
//! it does wrong ends its own request with a named [`aigen_jarvis::Fault`].

mod bindings;
mod compile;
mod component;
mod error;
mod host;
mod images;
mod imports;
pub mod limits;
mod outside;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod ticker;

pub use compile::{CompilerProcess, compile_child};
pub use component::{Component, Settings};
pub use error::{ComponentError, HostError};
pub use host::Host;
pub use images::Images;
pub use outside::{NoOutside, Outside};
