//! Judges what a message feels, given what it answers to.
//!
//! ```console
//! $ cargo run -p examples --bin sentiment -- --context "How is the new phone?" "Great, it broke again."
//! ```
//!
//! `AIGEN_URL` and `AIGEN_KEY` name the node; `README.md` says the rest.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this program does"
)]

mod golden;
mod judge;

use aigen_client::Client;
use aigen_types::Address;
use anyhow::{Context as _, Result};
use clap::Parser;
use judge::Judge;
use std::process::ExitCode;

/// Judges what messages feel, given what they answer to
#[derive(Parser)]
struct Args {
    /// What the message answers to, or where it stands
    #[arg(long, default_value = "none")]
    context: String,

    /// The messages
    #[arg(required_unless_present_any = ["golden", "demo"])]
    messages: Vec<String>,

    /// Judge the golden cases and print how many were right, as JSON
    #[arg(long, conflicts_with = "messages")]
    golden: bool,

    /// Judge a few pairs, the same words in two contexts, and print them
    #[arg(long, conflicts_with_all = ["messages", "golden"])]
    demo: bool,

    /// The controller that steers, like nadia/sentiment@1.0.0; without it the type's schema does
    #[arg(long, value_name = "OWNER/NAME@VERSION")]
    controller: Option<String>,

    /// Which user pays, by an allowance to this app; without it the app does
    #[arg(long, value_name = "ADDRESS")]
    bill_to: Option<Address>,

    /// Address of the node
    #[arg(long, env = "AIGEN_URL")]
    url: String,

    /// The app's key
    #[arg(long, env = "AIGEN_KEY", hide_env_values = true)]
    key: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let client = Client::new(&args.url, &args.key)?;
    let judge = Judge {
        client,
        controller: args.controller,
        bill_to: args.bill_to,
    };
    if args.golden {
        println!(
            "{}",
            serde_json::to_string(&golden::measure(&judge).await?)?
        );
        return Ok(());
    }
    if args.demo {
        return golden::show(&judge).await;
    }
    for message in &args.messages {
        let judged = judge.judge(message, &args.context).await;
        let judged = judged.with_context(|| format!("{message:?} was not judged"))?;
        println!("{}", serde_json::to_string(&judged)?);
    }
    Ok(())
}
