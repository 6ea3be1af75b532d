use crate::failure::{OrHint, hinted};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// A file that is still being downloaded, and the hash of what there is of it.
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    file: File,
    bytes: u64,
    hasher: Sha256,
}

impl Partial {
    /// Opens what there is, or begins; for one process at a time.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).or_hint(
            format!("cannot write {}", path.display()),
            "name a folder that you can write to: AIGEN_MODELS_DIR=FOLDER",
        )?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(hinted(
                    "this model is being downloaded already",
                    "wait for it",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut partial = Self {
            path: path.into(),
            file,
            bytes: 0,
            hasher: Sha256::new(),
        };
        partial.read_again()?;
        Ok(partial)
    }

    fn read_again(&mut self) -> Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = self.file.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.count(&buffer[..count]);
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn sha256(&self) -> String {
        hex::encode(self.hasher.clone().finalize())
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).or_hint(
            format!("cannot write {}", self.path.display()),
            "is the disk full? Free some space and run the same command again: it continues",
        )?;
        self.count(bytes);
        Ok(())
    }

    /// Begins again from nothing.
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.bytes = 0;
        self.hasher = Sha256::new();
        Ok(())
    }

    pub fn delete(self) -> Result<()> {
        Ok(fs::remove_file(self.path)?)
    }

    /// Becomes the finished file, durably.
    pub fn finish(self, target: &Path) -> Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, target).with_context(|| format!("cannot write {}", target.display()))
    }
}
