//! A node in a program of one's own: AI functions without a server.
//!
//! ```no_run
//! use aigen::{AiError, Local, Opening, ai_fn};
//!
//! /// Name the capital of the country.
//! #[ai_fn(max_tokens = 30, temperature = 0.0)]
//! async fn capital(country: &str) -> Result<String, AiError>;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let local = Local::open(Opening::default()).await?;
//! let answer = capital::call("France").on(&local).detailed().await?;
//! println!("{} for {} AIGEN", answer.value, answer.cost());
//! # Ok(()) }
//! ```
//!
//! The same parts as behind `aigen dev`, put together by the same lines: the configuration, and the one
//! place that names a concrete engine and a concrete journal. The binary is the other user of it; what
//! only the binary uses is hidden here and promised to nobody.

mod local;

#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod data_dir;
#[doc(hidden)]
pub mod failure;
#[doc(hidden)]
pub mod logging;
#[doc(hidden)]
pub mod model_store;
#[doc(hidden)]
pub mod node;
#[doc(hidden)]
pub mod output;
#[doc(hidden)]
pub mod pages;

pub use aigen_marvin as marvin;
pub use aigen_marvin::{AiError, ai_fn};
pub use local::{Local, OpenError, Opening};
