//! The AiGen binary: command line, configuration, and the one place that names a concrete
//! engine and a concrete journal.

mod cli;
mod commands;
mod config;
mod context;
mod data_dir;
mod evaluation;
mod failure;
mod logging;
mod model_store;
mod node;
mod output;
mod reach;
mod signing;

use clap::Parser;
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
    let cli = cli::Cli::parse();
    let json = cli.global.json;
    match run(cli) {
        Ok(code) => code,
        Err(error) => failure::report(&error, json),
    }
}

fn run(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    // One provider of cryptography for every TLS connection; it can only be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let context = context::Context::new(&cli.global)?;
    tokio::runtime::Runtime::new()?.block_on(commands::run(cli.command, &context))
}
