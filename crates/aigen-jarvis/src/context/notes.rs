use std::collections::BTreeMap;

use crate::limits::{LOG_BYTES_MAX, LOG_LINES_MAX, RESULTS_BYTES_MAX, RESULTS_MAX};
use crate::{BranchId, Fault};

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For the controller's developer.
    Debug,
    /// What happens.
    Info,
    /// What should not, and does no harm.
    Warn,
    /// What went wrong.
    Error,
}

impl Level {
    /// Its name, in small letters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One line of a session's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The branch that wrote it.
    pub branch: BranchId,
    /// How much it matters.
    pub level: Level,
    /// What it says; untrusted text.
    pub message: String,
}

/// What a controller says beside the text.
#[derive(Default)]
pub(super) struct Notes {
    pub log: Vec<LogEntry>,
    pub results: BTreeMap<String, String>,
    log_bytes: usize,
    result_bytes: usize,
}

impl Notes {
    pub fn log(&mut self, branch: BranchId, level: Level, message: &str) -> Result<(), Fault> {
        let bytes = self.log_bytes.saturating_add(message.len());
        if self.log.len() >= LOG_LINES_MAX || bytes > LOG_BYTES_MAX {
            return Err(Fault::LogFull);
        }
        self.log_bytes = bytes;
        self.log.push(LogEntry {
            branch,
            level,
            message: message.to_owned(),
        });
        Ok(())
    }

    pub fn put(&mut self, name: &str, json: &str) -> Result<(), Fault> {
        let size = name.len().saturating_add(json.len());
        let old = self.results.get(name).map(|old| name.len() + old.len());
        let bytes = (self.result_bytes - old.unwrap_or(0)).saturating_add(size);
        if bytes > RESULTS_BYTES_MAX || (old.is_none() && self.results.len() >= RESULTS_MAX) {
            let reason = "there are too many results, or they are too long";
            return Err(Fault::ResultInvalid {
                reason: reason.to_owned(),
            });
        }
        check_json(name, json)?;
        self.result_bytes = bytes;
        self.results.insert(name.to_owned(), json.to_owned());
        Ok(())
    }
}

/// Refuses what no caller could be given: text that is no JSON, is nested deeper than readers of JSON go
/// (127 levels), or has a number that none of them holds.
///
/// # Errors
/// [`Fault::ResultInvalid`].
pub(crate) fn check_json(name: &str, json: &str) -> Result<(), Fault> {
    serde_json::from_str::<serde_json::Value>(json)
        .map(|_| ())
        .map_err(|error| {
            let name: String = name.chars().take(NAME_SHOWN_MAX).collect();
            Fault::ResultInvalid {
                reason: format!("{name}: {error}"),
            }
        })
}

/// Characters of a result's name that a fault repeats.
const NAME_SHOWN_MAX: usize = 64;
