//! The data folder: the journal, the operator's key, and who is using them.
//!
//! ```text
//! .aigen/
//!   AIGEN            marks the folder as ours and says its format
//!   lock             locked by the running node; says its process and address
//!   journal.sqlite   the journal
//!   journal.tip      the last record that was acknowledged, lest one be lost unnoticed
//!   losses.jsonl     what was lost and accepted as lost, if anything ever was
//!   compiled/        controllers as they were compiled here; made anew when missing
//!   datasets/        rows and indexes of datasets that were published here
//!   replays/         what runs calls again, of those that asked for it
//!   operator.key     the operator's key, readable by its owner alone
//!   dev.key          the key of `aigen dev`, likewise
//!   .gitignore       keeps keys and money out of repositories
//! ```

mod files;
mod lock;

pub use files::write_private;
pub use lock::{Lock, Running};

use crate::failure::{OrHint, hinted};
use anyhow::{Context, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const MARKER: &str = "AIGEN";
const FORMAT: &str = "AiGen data folder, format 1\n";

/// A folder that is known to be ours.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Opens the folder, or makes it if there is none or an empty one.
    ///
    /// # Errors
    /// A folder with other things in it, another format, or one that cannot be written to.
    pub fn open_or_create(path: &Path) -> Result<Self> {
        match fs::read_to_string(path.join(MARKER)) {
            Ok(marker) => Self::check_format(path, &marker)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path)?,
            Err(error) => return unusable(path, error),
        }
        Ok(Self { path: path.into() })
    }

    /// Opens an existing folder to read it.
    ///
    /// # Errors
    /// When it is not one of ours.
    pub fn open(path: &Path) -> Result<Self> {
        match fs::read_to_string(path.join(MARKER)) {
            Ok(marker) => Self::check_format(path, &marker)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(hinted(
                    format!("there is no AiGen data in {}", path.display()),
                    "start a node with `aigen dev`, or name its folder with --data-dir",
                ));
            }
            Err(error) => return unusable(path, error),
        }
        Ok(Self { path: path.into() })
    }

    fn create(path: &Path) -> Result<()> {
        files::create_private_dir(path).or_else(|error| unusable(path, error))?;
        let mut entries = fs::read_dir(path).or_else(|error| unusable(path, error))?;
        if entries.next().is_some() {
            return Err(hinted(
                format!(
                    "the folder {} is not empty and not an AiGen data folder",
                    path.display()
                ),
                "name an empty or new folder with --data-dir; nothing was changed",
            ));
        }
        fs::write(path.join(".gitignore"), "*\n").or_else(|error| unusable(path, error))?;
        fs::write(path.join(MARKER), FORMAT).or_else(|error| unusable(path, error))
    }

    fn check_format(path: &Path, marker: &str) -> Result<()> {
        if marker == FORMAT {
            return Ok(());
        }
        Err(hinted(
            format!(
                "{} has a format that this program does not know: {}",
                path.display(),
                marker.trim()
            ),
            "it was written by another version; update aigen",
        ))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal's file.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.sqlite")
    }

    /// Lets nobody but their owner read the journal's files, wherever the folder came from: they say
    /// who paid whom. SQLite gives the rights of the first to those that it makes beside it.
    ///
    /// # Errors
    /// When they cannot be changed.
    pub fn keep_journal_private(&self) -> io::Result<()> {
        let journal = [
            "journal.sqlite",
            "journal.sqlite-wal",
            "journal.sqlite-shm",
            "journal.tip",
        ];
        let files = journal.map(|name| self.path.join(name));
        let mut there = files.iter().filter(|path| path.exists());
        there.try_for_each(|path| files::make_private(path))
    }

    /// The folder of compiled controllers, which nobody else may write to.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn compiled(&self) -> Result<PathBuf> {
        let path = self.path.join("compiled");
        files::create_private_dir(&path).or_else(|error| unusable(&path, error))?;
        Ok(path)
    }

    /// The folder of what runs calls again, which nobody else may read.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn replays(&self) -> Result<PathBuf> {
        let path = self.path.join("replays");
        files::create_private_dir(&path).or_else(|error| unusable(&path, error))?;
        Ok(path)
    }

    /// Where datasets are kept.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn datasets(&self) -> Result<PathBuf> {
        let path = self.path.join("datasets");
        files::create_private_dir(&path).or_else(|error| unusable(&path, error))?;
        Ok(path)
    }

    /// Where losses are written down.
    pub fn losses(&self) -> PathBuf {
        self.path.join("losses.jsonl")
    }

    /// Takes the folder for this process, until the lock is dropped.
    ///
    /// # Errors
    /// When another node has it.
    pub fn lock(&self) -> Result<Lock> {
        Lock::take(&self.path)
    }

    /// The node that last took the folder. It may have been killed since: ask it.
    pub fn running(&self) -> Option<Running> {
        Running::read(&self.path)
    }

    /// A key kept here.
    ///
    /// # Errors
    /// When there is one and it cannot be read.
    pub fn key(&self, name: KeyFile) -> Result<Option<String>> {
        let path = self.key_path(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Keeps a key here, readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_key(&self, name: KeyFile, key: &str) -> Result<()> {
        let path = self.key_path(name);
        files::write_private(&path, &format!("{key}\n"))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn key_path(&self, name: KeyFile) -> PathBuf {
        self.path.join(name.name())
    }
}

/// A key that the data folder keeps.
#[derive(Clone, Copy, Debug)]
pub enum KeyFile {
    /// The operator's own.
    Operator,
    /// That of `user:dev`.
    Dev,
    /// What signs the controllers that are published from here.
    Publisher,
}

impl KeyFile {
    /// Its file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator.key",
            Self::Dev => "dev.key",
            Self::Publisher => "publisher.key",
        }
    }
}

fn unusable<T>(path: &Path, error: io::Error) -> Result<T> {
    Err(error).or_hint(
        format!("cannot use the data folder {}", path.display()),
        "name one that you can write to with --data-dir",
    )
}

#[cfg(test)]
mod tests;
