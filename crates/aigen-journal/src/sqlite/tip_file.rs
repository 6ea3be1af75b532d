//! How far the journal had come, kept in a file of its own beside it.
//!
//! SQLite ends its log at the first frame whose checksum is wrong: that is how it drops a write
//! that was torn, and it is also what it does when a bit of a durable record turns over, and with
//! everything behind it. Nothing inside the database tells the two apart. The tip file does: it is
//! written after each sync, so what it names was durable, and a journal that ends before it has
//! lost something.
//!
//! It is not synced itself but when it is made and when the store closes in good order, since a
//! second sync per record would halve the speed. Written without one it survives whatever the
//! operating system survives. When the power goes it may be older than the journal and says
//! less then, but nothing wrong: it never names a record that was not on the medium before.

use super::log::sync_folder_of;
use crate::record::Tip;
use crate::store::StoreError;
use aigen_types::Digest;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What the file begins with, so that nothing else is taken for one.
const MAGIC: &[u8; 8] = b"AiGnTip1";

/// Magic, number, hash, and the hash of them: less than a sector, so that it is written whole.
const BYTES: usize = 8 + 8 + 32 + 32;

/// The tip file of a journal that is open to be written.
#[derive(Debug)]
pub(super) struct TipFile {
    path: PathBuf,
    file: File,
}

/// What a tip file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// There is none: the journal is new, or older than tip files.
    Nothing,
    /// Nobody can read it.
    Unreadable,
    /// The last record that was known to be durable.
    Tip(Tip),
}

/// Where the tip file of this journal is.
pub(super) fn path_of(journal: &Path) -> PathBuf {
    journal.with_extension("tip")
}

/// What the tip file at `path` says.
///
/// # Errors
/// When there is one and the file system does not give it.
pub(super) fn read(path: &Path) -> io::Result<Kept> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(parse(&bytes).map_or(Kept::Unreadable, Kept::Tip)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::Nothing),
        Err(error) => Err(error),
    }
}

impl TipFile {
    /// Opens the file, or makes one, and writes `tip` into it.
    pub fn begin(path: PathBuf, tip: Tip) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        // Its bytes stay as they are until others are written over them.
        options.read(true).write(true).create(true).truncate(false);
        let begun = options.open(&path).and_then(|file| {
            write(&file, tip)?;
            file.set_len(BYTES as u64)?;
            file.sync_all()?;
            sync_folder_of(&path)?;
            Ok(file)
        });
        match begun {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    /// Takes down that the journal ends here, durably so.
    pub fn note(&self, tip: Tip) -> Result<(), StoreError> {
        write(&self.file, tip).map_err(|error| failed(&self.path, &error))
    }

    /// Makes what was noted survive a power cut too.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn write(file: &File, tip: Tip) -> io::Result<()> {
    file.write_all_at(&bytes_of(tip), 0)
}

fn bytes_of(tip: Tip) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&tip.seq.to_le_bytes());
    bytes[16..48].copy_from_slice(&tip.hash.0);
    let hash = blake3::hash(&bytes[..48]);
    bytes[48..].copy_from_slice(hash.as_bytes());
    bytes
}

fn parse(mut bytes: &[u8]) -> Option<Tip> {
    let (mut magic, mut seq, mut hash) = ([0; 8], [0; 8], [0; 32]);
    bytes.read_exact(&mut magic).ok()?;
    bytes.read_exact(&mut seq).ok()?;
    bytes.read_exact(&mut hash).ok()?;
    let tip = Tip {
        seq: u64::from_le_bytes(seq),
        hash: Digest(hash),
    };
    (magic == *MAGIC && bytes == &bytes_of(tip)[48..]).then_some(tip)
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io(
        format!(
            "cannot write the journal's tip to {}: {error}\n  hint: make room on that disk, or make it writable, and start again; every acknowledged record is in the journal",
            path.display()
        )
        .into(),
    )
}
