//! SQLite as a journal: one blob per record, WAL, `synchronous=FULL`.

mod content;
mod found;
mod identity;
mod log;
mod tip_file;
mod unfinished;

pub use found::{Found, Loss, accept_loss, look};
pub use unfinished::Unfinished;

use crate::record::{Record, RecordError, Tip};
use crate::shelf::shelf_in;
use crate::store::{SNAPSHOTS_KEPT, Store, StoreError};
use aigen_ledger::Shelf;
use identity::{Identity, SCHEMA, foreign, identify};
use log::{log_of, make_log_safe, write_again};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ffi, params};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tip_file::TipFile;

/// How long an append waits for a row of a snapshot that is being written.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A journal in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    /// Where it ended when this connection last looked. Whoever appends behind our back takes
    /// the number that we would, and number is primary key.
    tip: Option<Tip>,
    /// A write failed: what is seen of the log may not be on the medium.
    failed: bool,
    /// Where it is taken down, outside the database, how far the journal has come.
    tip_file: Option<TipFile>,
    /// Where there is room for shelves.
    folder: Option<PathBuf>,
}

impl SqliteStore {
    /// Opens the journal at `path`, or begins one there, and keeps in a file beside it how far it
    /// has come. A node's own journal is opened so.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and [`StoreError::Lost`] when it ends before a record that was
    /// acknowledged.
    pub fn open_with_tip(path: &Path) -> Result<(Self, Found), StoreError> {
        let found = look(path)?;
        // Before anything is changed: what is refused is left as it is, with all that may still be
        // read from the log.
        found.check_unopened()?;
        let mut store = Self::open(path)?;
        if found.unfinished != Unfinished::default() {
            // The next append begins the log anew, and nobody finds the same again.
            let write_back = "PRAGMA wal_checkpoint(PASSIVE)";
            store.failed = true;
            store.connection.query_row(write_back, [], |_| Ok(()))?;
            store.failed = false;
        }
        let tip = store.tip()?;
        store.tip_file = Some(TipFile::begin(tip_file::path_of(path), tip)?);
        Ok((store, found))
    }

    /// Opens the journal at `path`, or begins one there: one file that is all there is.
    ///
    /// # Errors
    /// When the file cannot be opened or written, or is no AiGen journal.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::begin(Connection::open(path)?, path, write_again)?.in_folder_of(path))
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

    /// Opens a journal that this process has open already, to write snapshots beside the
    /// connection that appends.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_beside(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::begin(Connection::open(path)?, path, |_| Ok(()))?.in_folder_of(path))
    }

    fn begin(
        connection: Connection,
        path: &Path,
        write_again: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Self, StoreError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Closing writes the log back into the file, which is safe only where the log is: see `drop`.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let identity = identify(&connection, path)?;
        // FULL: an acknowledged record survives a power cut, not only a crash of the process.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        if !matches!(identity, Identity::Empty) {
            make_log_safe(&connection, path, write_again)?;
        }
        if !matches!(identity, Identity::Current) {
            connection.execute_batch(SCHEMA)?;
        }
        Ok(Self::over(connection))
    }

    fn over(connection: Connection) -> Self {
        Self {
            connection,
            tip: None,
            failed: false,
            tip_file: None,
            folder: None,
        }
    }

    fn in_folder_of(mut self, path: &Path) -> Self {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        self.folder = Some(folder.unwrap_or(Path::new(".")).to_owned());
        self
    }

    /// Opens an existing journal to read it, also while a node writes to it.
    ///
    /// # Errors
    /// When the file cannot be opened or is no AiGen journal.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::peek(path)?.ok_or_else(|| foreign(path, "is empty"))
    }

    /// As [`SqliteStore::open_read_only`]; none if nothing was ever written there.
    fn peek(path: &Path) -> Result<Option<Self>, StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let empty = matches!(identify(&connection, path)?, Identity::Empty);
        Ok((!empty).then(|| Self::over(connection)))
    }

    fn record(&self, query: &str, seq: Option<i64>) -> Result<Option<Record>, StoreError> {
        let row = self
            .connection
            .prepare_cached(query)?
            .query_row(rusqlite::params_from_iter(seq), |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        row.map(|(seq, bytes)| read_record(seq.unsigned_abs(), &bytes))
            .transpose()
    }

    fn insert(&self, record: &Record) -> Result<(), rusqlite::Error> {
        self.connection
            .prepare_cached("INSERT INTO journal (seq, record) VALUES (?1, ?2)")?
            .execute(params![record.seq.cast_signed(), record.to_bytes()])?;
        Ok(())
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
            // Should this fail, the file says less after a power cut, and nothing wrong.
            let _ = self.tip_file.as_ref().map(TipFile::sync);
        }
    }
}

impl Store for SqliteStore {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let tip = match self.tip {
            Some(tip) => tip,
            None => self.tip()?,
        };
        // Forgotten until we know again: after an error nobody knows where the file ends.
        self.tip = None;
        if tip == record.tip() {
            return Ok(());
        }
        if record.check_follows(tip).is_err() {
            return Err(StoreError::Conflict(tip.seq));
        }
        self.failed = true;
        let inserted = self.insert(record);
        if inserted.as_ref().is_err_and(is_taken) {
            self.failed = false;
            return Err(StoreError::Conflict(self.tip()?.seq));
        }
        inserted.map_err(|error| self.not_appended(record.seq, &error))?;
        if let Some(tip_file) = &self.tip_file {
            tip_file.note(record.tip())?;
        }
        self.failed = false;
        self.tip = Some(record.tip());
        Ok(())
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        let last = self.record(
            "SELECT seq, record FROM journal ORDER BY seq DESC LIMIT 1",
            None,
        )?;
        Ok(last.map_or_else(Tip::default, |record| record.tip()))
    }

    fn tip_at(&self, seq: u64) -> Result<Option<Tip>, StoreError> {
        let found = self.record(
            "SELECT seq, record FROM journal WHERE seq = ?1",
            Some(seq.cast_signed()),
        )?;
        Ok(found.map(|record| record.tip()))
    }

    fn read_after(
        &self,
        mut tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT seq, record FROM journal WHERE seq > ?1 ORDER BY seq")?;
        let mut rows = statement.query([tip.seq.cast_signed()])?;
        while let Some(row) = rows.next().map_err(|error| damaged_page(tip, error))? {
            let bytes: Vec<u8> = row.get(1).map_err(|error| damaged_page(tip, error))?;
            let record = read_record(tip.seq + 1, &bytes)?;
            record
                .check_follows(tip)
                .map_err(|error| StoreError::of_record(tip.seq + 1, error))?;
            tip = record.tip();
            visit(record)?;
        }
        Ok(())
    }

    /// A row for each part, written one by one, so that an append never waits for more than one of them.
    fn save_snapshot_parts(
        &mut self,
        seq: u64,
        parts: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        let seq = seq.cast_signed();
        self.failed = true;
        self.forget_snapshots("seq = ?1", seq)?;
        // Of a process that was killed meanwhile.
        self.connection.execute(
            "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot WHERE part = 0)",
            [],
        )?;
        // No sync for each part: a power cut takes the last ones first, and what forgets the older snapshot is synced,
        // with all that was written before. So is every record again, whatever becomes of the parts.
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        let inserted = self.insert_parts(seq, parts);
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        inserted?;
        let kept = self.snapshots()?.into_iter().take(SNAPSHOTS_KEPT);
        let oldest = kept.min().unwrap_or_default();
        self.forget_snapshots("seq < ?1", oldest.cast_signed())?;
        self.failed = false;
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        if !self.connection.table_exists(None, "snapshot")? {
            return Ok(Vec::new());
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq FROM snapshot WHERE part = 0 ORDER BY seq DESC")?;
        let seqs = statement.query_map([], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))?;
        Ok(seqs.collect::<Result<_, _>>()?)
    }

    fn shelf(&self) -> Result<Option<Arc<dyn Shelf>>, StoreError> {
        self.folder.as_deref().map(shelf_in).transpose()
    }

    fn visit_snapshot(&self, seq: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT bytes FROM snapshot WHERE seq = ?1 ORDER BY part")?;
        let mut rows = statement.query([seq.cast_signed()])?;
        while let Some(row) = rows.next()? {
            visit(&row.get::<_, Vec<u8>>(0)?);
        }
        Ok(())
    }
}

impl SqliteStore {
    fn not_appended(&self, seq: u64, error: &rusqlite::Error) -> StoreError {
        let path = self.connection.path().unwrap_or_default();
        let why = unwritten(error).unwrap_or_else(|| error.to_string());
        StoreError::Io(format!("cannot append record {seq} to {path}: {why}").into())
    }

    /// The first comes last: without it there is no snapshot.
    fn insert_parts(
        &self,
        seq: i64,
        parts: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        let mut parts = parts.zip(0_u32..);
        let first = parts.next();
        for (bytes, part) in parts.chain(first) {
            self.connection
                .prepare_cached("INSERT INTO snapshot (seq, part, bytes) VALUES (?1, ?2, ?3)")?
                .execute(params![seq, part, bytes])?;
        }
        Ok(())
    }

    fn forget_snapshots(&self, which: &str, seq: i64) -> Result<(), StoreError> {
        self.connection
            .execute(&format!("DELETE FROM snapshot WHERE {which}"), [seq])?;
        Ok(())
    }
}

/// Of what reason something was not written, and what to do about it; none for other errors.
fn unwritten(error: &rusqlite::Error) -> Option<String> {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let (what, hint) = match (error.sqlite_error_code(), extended) {
        (Some(rusqlite::ErrorCode::DiskFull), _) | (_, Some(ffi::SQLITE_IOERR_WRITE)) => (
            "there is no room, or the medium failed",
            "make room on that disk and start again",
        ),
        (_, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)) => (
            "the medium did not take it",
            "look at the disk's health before starting again: a sync that failed is not retried",
        ),
        _ => return None,
    };
    Some(format!(
        "{what} ({error})\n  hint: {hint}; every acknowledged record is there"
    ))
}

/// Whether there is a record of this number already.
fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

fn read_record(seq: u64, bytes: &[u8]) -> Result<Record, StoreError> {
    Record::from_bytes(bytes).map_err(|error| StoreError::of_record(seq, error))
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

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Io(unwritten(&error).map_or_else(|| error.into(), Into::into))
    }
}
