//! The AiGen binary: the command line over what the library of the same name puts together.

mod cli;
mod commands;
mod context;
mod evaluation;
mod reach;
mod signing;

use aigen::{config, data_dir, failure, logging, model_store, node, output, pages};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 0: done. 1: refused or failed, with the reason on stderr. 2: wrong usage (clap's own).
fn main() -> ExitCode {
    // Before anything else is read: what it compiles comes from strangers.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == node::COMPILE)
    {
        return aigen_jarvis_host::compile_child();
    }
    pages::small();
    let cli = match cli::Cli::of(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let json = cli.global.json;
    match run(cli) {
        Ok(code) => code,
        Err(error) => failure::report(&error, json),
    }
}

/// What clap says of help and of wrong usage: errors as one JSON line if that was asked for anywhere.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        failure::misused(&error.to_string());
        return ExitCode::from(2);
    }
    error.exit()
}

fn run(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    // One provider of cryptography for every TLS connection; it can only be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let context = context::Context::new(&cli.global)?;
    tokio::runtime::Runtime::new()?.block_on(commands::run(cli.command, &context))
}
