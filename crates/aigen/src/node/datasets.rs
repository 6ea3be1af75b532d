//! Where this node keeps datasets.

use crate::config::DatasetsConfig;
use crate::data_dir::DataDir;
use aigen_node::{Datasets, Library};
use anyhow::{Context, Result};

/// The datasets of the configured folder. What an import that was killed left there is removed.
///
/// # Errors
/// A folder that cannot be used.
pub fn open(config: &DatasetsConfig, data_dir: &DataDir) -> Result<Datasets> {
    let folder = match &config.folder {
        Some(folder) => folder.clone(),
        None => data_dir.datasets()?,
    };
    let library = Library::open(&folder);
    let library =
        library.with_context(|| format!("cannot use the datasets in {}", folder.display()))?;
    Ok(Datasets::new(
        library,
        config.upload_mib << 20,
        config.total_mib << 20,
    ))
}
