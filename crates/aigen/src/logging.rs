//! Logs, on stderr.

use crate::failure::OrHint;
use crate::output::Output;
use anyhow::Result;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// Begins to log what `filter` lets through: as lines for people, or as JSON.
///
/// # Errors
/// When `filter` is none.
pub fn start(filter: &str, output: &Output) -> Result<()> {
    let filter = EnvFilter::try_new(filter).or_hint(
        format!("`{filter}` does not say what to log"),
        "write AIGEN_LOG=info, or per module like AIGEN_LOG=info,aigen_node=debug",
    )?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // Set before by a command that starts two nodes; the first one's word counts.
    let _ = if output.json {
        lines.json().flatten_event(true).try_init()
    } else {
        lines.try_init()
    };
    Ok(())
}
