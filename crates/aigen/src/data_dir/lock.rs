use crate::failure::{OrHint, hinted};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{Seek, Write};
use std::path::Path;

const FILE_NAME: &str = "lock";

/// The data folder is this process's until the lock is dropped. The operating system frees it
/// too when the process is killed, so that no lock outlives its node.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// The node that uses a data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where it answers; absent while it starts.
    #[serde(default)]
    pub url: Option<String>,
}

impl Lock {
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let cannot = || format!("cannot lock the data folder {}", folder.display());
        let hint = "name one that you can write to with --data-dir";
        let mut options = File::options();
        // Its text is the other node's until the lock is ours.
        options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(folder.join(FILE_NAME))
            .or_hint(cannot(), hint)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Self { file };
                lock.write(None)?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(in_use(folder)),
            Err(TryLockError::Error(error)) => Err(error).or_hint(cannot(), hint),
        }
    }

    /// Says where this process answers.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(&mut self, url: &str) -> Result<()> {
        self.write(Some(url.to_owned()))
    }

    fn write(&mut self, url: Option<String>) -> Result<()> {
        let pid = std::process::id();
        let text = toml::to_string(&Running { pid, url })?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        Ok(self.file.write_all(text.as_bytes())?)
    }
}

/// A node that ends in peace leaves no address behind.
impl Drop for Lock {
    fn drop(&mut self) {
        // The next node overwrites it anyhow.
        let _ = self.file.set_len(0);
    }
}

impl Running {
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE_NAME)).ok()?;
        toml::from_str(&text).ok()
    }
}

fn in_use(folder: &Path) -> anyhow::Error {
    let who = match Running::read(folder) {
        Some(Running {
            pid,
            url: Some(url),
        }) => format!("process {pid}, at {url}"),
        Some(Running { pid, url: None }) => format!("process {pid}"),
        None => "another process".into(),
    };
    hinted(
        format!(
            "the data folder {} is in use by a running node ({who})",
            folder.display()
        ),
        "stop that node, or give this one a folder of its own with --data-dir",
    )
}
