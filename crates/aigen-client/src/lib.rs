//! Typed client of an AiGen gateway, or of any server that speaks the OpenAI API.
//!
//! ```no_run
//! # async fn example() -> Result<(), aigen_client::ClientError> {
//! use aigen_api::openai::{ChatRequest, Message, Role};
//!
//! let client = aigen_client::Client::new("http://127.0.0.1:8080", "my key")?;
//! let question = Message::new(Role::User, "Is 7 prime?");
//! let answer = client.chat(&ChatRequest::new("aigen-tiny", vec![question])).await?;
//! let cost = answer.aigen.as_ref().map(|aigen| aigen.cost);
//! # let _ = (answer.text(), cost); Ok(()) }
//! ```

mod client;
mod datasets;
mod error;
mod here;
mod limits;
mod spending;
mod sse;

pub use client::{ChatStream, Client, install_tls};
pub use datasets::{Download, RowsQuery};
pub use error::ClientError;
