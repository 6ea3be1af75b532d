//! Logs, on stderr.

use crate::failure::OrHint;
use crate::output::Output;
use anyhow::Result;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// Changes what is logged from now on.
pub type Relog = Box<dyn Fn(EnvFilter) + Send + Sync>;

/// Begins to log what `filter` lets through: as lines for people, or as JSON.
///
/// # Errors
/// When `filter` is none.
pub fn start(filter: &str, output: &Output) -> Result<Relog> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(self::filter(filter)?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // Set before by a command that starts two nodes; the first one's word counts.
    if output.json {
        let lines = lines.json().flatten_event(true).with_filter_reloading();
        let handle = lines.reload_handle();
        let _ = lines.try_init();
        return Ok(Box::new(move |filter| {
            // Of a second node's log, which is not the one in use.
            let _ = handle.reload(filter);
        }));
    }
    let lines = lines.with_filter_reloading();
    let handle = lines.reload_handle();
    let _ = lines.try_init();
    Ok(Box::new(move |filter| {
        // Of a second node's log, which is not the one in use.
        let _ = handle.reload(filter);
    }))
}

/// What `text` lets through.
///
/// # Errors
/// When it is no filter.
pub fn filter(text: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(text).or_hint(
        format!("`{text}` does not say what to log"),
        "write AIGEN_LOG=info, or per module like AIGEN_LOG=info,aigen_node=debug",
    )
}
