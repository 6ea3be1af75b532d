//! An AI function in this very process: no server, no key.
//!
//! `cargo run -p aigen --example in_process`
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use aigen::{Local, Opening};
use aigen_marvin::{AiError, ai_fn};

/// Say whether the message is a complaint.
#[ai_fn(temperature = 0.0)]
async fn complains(message: &str) -> Result<bool, AiError>;

/// One question, its answer and its price.
#[tokio::main]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local = Local::open(Opening::default()).await?;
    let call = complains::call("Great, it broke again.").on(&local);
    let answer = call.detailed().await?;
    println!("{} for {} AIGEN", answer.value, answer.cost());
    Ok(())
}
