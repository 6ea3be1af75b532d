use super::bounds::{MIB_MAX, within};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where datasets are kept, and how much of them: `[datasets]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatasetsConfig {
    /// Its folder; `datasets` of the data folder when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// One upload, in MiB.
    pub upload_mib: u64,
    /// The rows of all datasets, with 8 bytes for each, in MiB.
    pub total_mib: u64,
}

impl Default for DatasetsConfig {
    fn default() -> Self {
        Self {
            folder: None,
            upload_mib: 1024,
            total_mib: 16_384,
        }
    }
}

impl DatasetsConfig {
    /// # Errors
    /// Bounds that cannot be, or that let nothing in.
    pub fn check(&self) -> Result<()> {
        within("`upload_mib` of [datasets]", self.upload_mib, 1..=MIB_MAX)?;
        within("`total_mib` of [datasets]", self.total_mib, 1..=MIB_MAX)
    }
}
