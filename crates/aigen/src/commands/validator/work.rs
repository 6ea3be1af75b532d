//! What a validator keeps on disk: its evidence, and the reports it has committed to.
//!
//! ```text
//! FOLDER/
//!   epoch-3-1f0c….jsonl         what was asked and answered
//!   epoch-3-1f0c….commit.json   the reports that the commitment covers
//! ```

use crate::data_dir::{DataDir, write_private};
use crate::evaluation::cost_of;
use crate::failure::OrHint;
use aigen_api::resources::{EpochState, Report};
use aigen_network::{Cell, assignment_root};
use aigen_types::{Amount, Slug};
use anyhow::{Context as _, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Characters of the assignment's hash in a file name: two networks' epochs of one number do not
/// meet.
const HASH_CHARS: usize = 12;

/// A validator's folder.
#[derive(Debug)]
pub struct WorkFolder(PathBuf);

impl WorkFolder {
    /// The folder named, or the validator's own in the data folder, which is made if need be.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(named: Option<&Path>, data_dir: &Path, validator: &Slug) -> Result<Self> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => {
                let data_dir = DataDir::open_or_create(data_dir)?;
                data_dir.path().join("validators").join(validator.as_str())
            }
        };
        let hint = "name one that you can write to with --work";
        let made = fs::create_dir_all(&path);
        made.or_hint(format!("cannot use the folder {}", path.display()), hint)?;
        Ok(Self(path))
    }

    /// Where the evidence of an epoch is.
    pub fn evidence(&self, epoch: &EpochState) -> PathBuf {
        self.0.join(format!("{}.jsonl", stem(epoch)))
    }

    /// What was committed to, if anything was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn committed(&self, epoch: &EpochState) -> Result<Option<Vec<Report>>> {
        let path = self.commitment(epoch);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let reports = serde_json::from_str(&text);
        reports
            .with_context(|| format!("{} holds no reports", path.display()))
            .map(Some)
    }

    /// Keeps the reports that are about to be committed to: whoever cannot open its commitment
    /// later is slashed.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(&self, epoch: &EpochState, reports: &[Report]) -> Result<()> {
        let path = self.commitment(epoch);
        let text = serde_json::to_string(reports)?;
        write_private(&path, &text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn commitment(&self, epoch: &EpochState) -> PathBuf {
        self.0.join(format!("{}.commit.json", stem(epoch)))
    }

    /// What evaluating in an epoch cost, as far as this folder knows.
    ///
    /// # Errors
    /// When the evidence cannot be read.
    pub fn cost(&self, epoch: u64) -> Result<Amount> {
        let prefix = format!("epoch-{epoch}-");
        let mut cost = Amount::ZERO;
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&prefix) && name.ends_with(".jsonl") {
                cost = cost.saturating_add(cost_of(&path)?);
            }
        }
        Ok(cost)
    }
}

fn stem(epoch: &EpochState) -> String {
    let cells: Vec<_> = cells(epoch);
    let root = assignment_root(&cells).to_string();
    let hash: String = root.chars().take(HASH_CHARS).collect();
    format!("epoch-{}-{hash}", epoch.epoch)
}

/// The questions of an epoch as its commitments cover them.
pub fn cells(epoch: &EpochState) -> Vec<Cell> {
    let cells = epoch.assignments.iter().map(|cell| Cell {
        validator: cell.validator.clone(),
        controller: cell.controller,
        parameter: cell.parameter.clone(),
        suite: cell.suite.clone(),
    });
    cells.collect()
}
