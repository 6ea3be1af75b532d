use crate::config::text;
use aigen_types::Slug;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A model on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name here.
    #[serde(with = "text")]
    pub name: Slug,
    /// Where its GGUF file is; empty for the bundled model until it is unpacked.
    pub file: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    /// Where it came from.
    pub source: String,
    /// SHA-256 of the file as it was downloaded, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Entry {
    pub(super) fn read(note: &Path) -> Result<Self> {
        let unreadable = || format!("cannot read the model note {}", note.display());
        let text = fs::read_to_string(note).with_context(unreadable)?;
        toml::from_str(&text).with_context(unreadable)
    }

    pub(super) fn write(&self, note: &Path) -> Result<()> {
        fs::write(note, toml::to_string(self)?)
            .with_context(|| format!("cannot write the model note {}", note.display()))
    }
}
