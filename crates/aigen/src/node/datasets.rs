//! Where this node keeps datasets.

use crate::config::Config;
use crate::data_dir::DataDir;
use aigen_node::{Datasets, Library, OpenStore};
use anyhow::{Context, Result};

/// The datasets of the configured folder. What an import that was killed left there is removed.
///
/// # Errors
/// A folder that cannot be used.
pub fn open(config: &Config, data_dir: &DataDir, store: OpenStore) -> Result<Datasets> {
    // A node alone has its rows in its folder, and would only have them twice.
    let leaves = config.journal.is_some();
    let config = &config.datasets;
    let folder = match &config.folder {
        Some(folder) => folder.clone(),
        None => data_dir.datasets()?,
    };
    let library = Library::open(&folder);
    let library =
        library.with_context(|| format!("cannot use the datasets in {}", folder.display()))?;
    let datasets = Datasets::new(library, config.upload_mib << 20, config.total_mib << 20);
    Ok(datasets.beside(store, leaves))
}
