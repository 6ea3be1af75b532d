//! The write-ahead log that a process before this one has left.

use crate::store::StoreError;
use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Where SQLite keeps the log of this file.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Makes safe what is about to be believed.
///
/// A process that died, or whose sync failed, leaves a log whose end is seen and may not be on
/// the medium. After a failed sync no later one writes it either, for Linux takes it for
/// written: the power would take it, with every record behind it, and if it was written back
/// into the file by then, the file would be torn. So the log is written again as it stands,
/// at most a few megabytes, with SQLite's own lock against other writers in hand.
pub(super) fn make_log_safe(
    connection: &Connection,
    path: &Path,
    write_again: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    write_again(&log_of(path)).map_err(|error| StoreError::Io(error.into()))?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// Writes a file, if there is one, with the bytes it has, and syncs it and its folder.
pub(super) fn write_again(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    file.rewind()?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    sync_folder_of(path)
}

/// Makes it durable that there is a file of this name, which may have no folder in it.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
