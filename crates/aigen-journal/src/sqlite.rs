//! SQLite as a journal: one blob per record, WAL, `synchronous=FULL`.

use crate::record::{Record, RecordError, Tip};
use crate::store::{Store, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// "AiGn" in ASCII: SQLite's own place for saying whose file this is.
const APPLICATION_ID: i32 = 0x4169_476e;
const SCHEMA_VERSION: i32 = 1;

/// A journal in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    /// A write failed: what is seen of the log may not be on the medium.
    failed: bool,
}

impl SqliteStore {
    /// Opens the journal at `path`, or begins one there.
    ///
    /// # Errors
    /// When the file cannot be opened or written, or is no AiGen journal.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::begin(Connection::open(path)?, path, write_again)
    }

    /// As [`SqliteStore::open`], on the SQLite file system registered as `vfs`: for disks that
    /// fail on purpose. No other connection may use the file meanwhile, since such a disk
    /// shares no memory between them. `write_again` does there what `open` does to a log that
    /// it finds: it writes the same bytes once more and makes them, and their name, safe.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and when no such file system is registered.
    pub fn open_on(
        path: &Path,
        vfs: &str,
        write_again: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs)?;
        // Before anything is read: a WAL that is first seen in another mode wants shared memory.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        Self::begin(connection, path, write_again)
    }

    fn begin(
        connection: Connection,
        path: &Path,
        write_again: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Self, StoreError> {
        // Closing writes the log back into the file, which is safe only where the log is: see `drop`.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let fresh = check_identity(&connection, path)?;
        // FULL: an acknowledged record survives a power cut, not only a crash of the process.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        if fresh {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 CREATE TABLE journal (seq INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
                 PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {SCHEMA_VERSION};
                 COMMIT;"
            ))?;
        } else {
            make_log_safe(&connection, path, write_again)?;
        }
        Ok(Self {
            connection,
            failed: false,
        })
    }

    /// Opens an existing journal to read it, also while a node writes to it.
    ///
    /// # Errors
    /// When the file cannot be opened or is no AiGen journal.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        if check_identity(&connection, path)? {
            return Err(foreign(path, "is empty"));
        }
        Ok(Self {
            connection,
            failed: false,
        })
    }

    /// The tip without looking into the record, for the compare of compare-and-append.
    fn last(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let row = self
            .connection
            .prepare_cached("SELECT seq, record FROM journal ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
            .optional()?;
        Ok(row.map(|(seq, bytes)| (seq.unsigned_abs(), bytes)))
    }
}

/// A store that ends well leaves one file and no log. One that failed leaves everything as it
/// is: a log that is not on the medium would tear the file it is written back into.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        if !self.failed {
            // Should this fail, the log stays, and the next one to open the journal reads it.
            let no_checkpoint = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            let _ = self.connection.set_db_config(no_checkpoint, false);
        }
    }
}

impl Store for SqliteStore {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let tip = self.tip()?;
        if record.check_follows(tip).is_err() {
            return Err(StoreError::Conflict(tip.seq));
        }
        let seq = i64::try_from(record.seq).map_err(|error| StoreError::Io(error.into()))?;
        self.failed = true;
        self.connection
            .prepare_cached("INSERT INTO journal (seq, record) VALUES (?1, ?2)")?
            .execute(params![seq, record.to_bytes()])?;
        self.failed = false;
        Ok(())
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        let Some((seq, bytes)) = self.last()? else {
            return Ok(Tip::default());
        };
        let record = read_record(seq, &bytes)?;
        Ok(record.tip())
    }

    fn read_after(
        &self,
        mut tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let after = i64::try_from(tip.seq).map_err(|error| StoreError::Io(error.into()))?;
        let mut statement = self
            .connection
            .prepare("SELECT seq, record FROM journal WHERE seq > ?1 ORDER BY seq")?;
        let mut rows = statement.query([after])?;
        while let Some(row) = rows.next().map_err(|error| damaged_page(tip, error))? {
            let bytes: Vec<u8> = row.get(1).map_err(|error| damaged_page(tip, error))?;
            let record = read_record(tip.seq + 1, &bytes)?;
            record
                .check_follows(tip)
                .map_err(|error| StoreError::Damaged {
                    seq: tip.seq + 1,
                    error,
                })?;
            tip = record.tip();
            visit(record)?;
        }
        Ok(())
    }
}

/// Makes safe what is about to be believed.
///
/// A process that died, or whose sync failed, leaves a log whose end is seen and may not be on
/// the medium. After a failed sync no later one writes it either, for Linux takes it for
/// written: the power would take it, with every record behind it, and if it was written back
/// into the file by then, the file would be torn. So the log is written again as it stands,
/// at most a few megabytes, with SQLite's own lock against other writers in hand.
fn make_log_safe(
    connection: &Connection,
    path: &Path,
    write_again: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    connection.execute_batch("BEGIN IMMEDIATE")?;
    write_again(log.as_ref()).map_err(|error| StoreError::Io(error.into()))?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// Writes a file, if there is one, with the bytes it has, and syncs it and its folder.
fn write_again(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    file.rewind()?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

fn read_record(seq: u64, bytes: &[u8]) -> Result<Record, StoreError> {
    Record::from_bytes(bytes).map_err(|error| StoreError::Damaged { seq, error })
}

/// A page of the file that SQLite itself cannot read holds the record after the last good one.
fn damaged_page(tip: Tip, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Damaged {
                seq: tip.seq + 1,
                error: RecordError::Length,
            }
        }
        _ => error.into(),
    }
}

/// Whether the file is empty; an error if it is somebody else's.
fn check_identity(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let pragma = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(|error| match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => foreign(path, "is not a journal"),
                _ => error.into(),
            })
    };
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => foreign(path, "is not a journal"),
            _ => error.into(),
        })?;
    match (pragma("application_id")?, pragma("user_version")?) {
        (0, 0) if tables == 0 => Ok(true),
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(false),
        (APPLICATION_ID, version) => Err(foreign(
            path,
            &format!("has version {version}, this program reads version {SCHEMA_VERSION}"),
        )),
        _ => Err(foreign(path, "belongs to another program")),
    }
}

fn foreign(path: &Path, what: &str) -> StoreError {
    StoreError::Foreign(format!(
        "{} {what}\n  hint: choose another data directory with --data-dir; nothing was changed",
        path.display()
    ))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Io(error.into())
    }
}
