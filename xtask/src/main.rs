//! House tasks: what keeps the project in order, run by people and by CI alike.
//!
//! The checks are ordinary tests too, so `cargo test --workspace` says the same.
#![allow(clippy::print_stdout, reason = "telling is what a task is for")]

mod arrows;
mod book;
mod ci;
mod tidy;
mod workspace;

use anyhow::Result;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask TASK

  ci      everything below, and the tests
  check   everything below
  arrows  which crate may use which
  tidy    what formatting and lints do not see
  book    links of all pages, contents of the book

`check` also runs rustfmt, clippy and, where they are installed, mdbook and cargo-deny.";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    match run(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &str) -> Result<()> {
    match task {
        "ci" => ci::run(ci::Tests::Run),
        "check" => ci::run(ci::Tests::Leave),
        "arrows" => arrows::run(),
        "tidy" => tidy::run(),
        "book" => book::run(),
        "" | "help" | "-h" | "--help" => {
            println!("{HELP}");
            Ok(())
        }
        other => anyhow::bail!("there is no task `{other}`\n\n{HELP}"),
    }
}
