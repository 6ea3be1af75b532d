//! Logs, on stderr.

use crate::failure::{OrHint, hinted};
use crate::output::Output;
use anyhow::Result;
use std::io::{self, IsTerminal};
use std::str::FromStr;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

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
    let what = format!("`{text}` does not say what to log");
    let hint = "write AIGEN_LOG=info, or per module like AIGEN_LOG=info,aigen_node=debug";
    if let Some(word) = text
        .split(',')
        .map(str::trim)
        .find(|part| is_misspelt(part))
    {
        return Err(hinted(format!("{what}: `{word}` is no level"), hint));
    }
    EnvFilter::try_new(text).or_hint(what, hint)
}

/// A word alone that is no level: it would be taken for a module, and everything else left out in silence.
fn is_misspelt(part: &str) -> bool {
    let is_word = !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_alphabetic());
    is_word && LevelFilter::from_str(part).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_no_filter() {
        for good in [
            "info",
            "OFF",
            "info,aigen_node=debug",
            "aigen_node",
            "hyper=trace",
            "3",
            "",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["inof", "info,debgu", "===", "foo=bar=baz"] {
            let error = filter(bad).unwrap_err().to_string();
            assert!(error.contains("does not say what to log"), "{error}");
        }
    }
}
