//! Whose file it is, and in which form: SQLite has places for both.

use crate::store::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// "AiGn" in ASCII.
const APPLICATION_ID: i32 = 0x4169_476e;

/// The form this program writes. Version 1 had no snapshots.
const SCHEMA_VERSION: i32 = 2;

/// Makes a fresh file a journal, and one of version 1 a journal of version 2.
pub(super) const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS snapshot (
        seq INTEGER NOT NULL,
        part INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (seq, part)
    ) STRICT;
    PRAGMA application_id = 0x4169476e;
    PRAGMA user_version = 2;
    COMMIT;";

/// What a file is to us.
pub(super) enum Identity {
    Empty,
    Older,
    Current,
}

/// What this file is to us; an error if it is somebody else's.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<Identity, StoreError> {
    let ask = |query: &str| {
        connection
            .query_row(query, [], |row| row.get::<_, i32>(0))
            .map_err(|error| match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => foreign(path, "is not a journal"),
                _ => error.into(),
            })
    };
    let tables = ask("SELECT count(*) FROM sqlite_schema")?;
    match (ask("PRAGMA application_id")?, ask("PRAGMA user_version")?) {
        (0, 0) if tables == 0 => Ok(Identity::Empty),
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(Identity::Current),
        (APPLICATION_ID, 1..SCHEMA_VERSION) => Ok(Identity::Older),
        (APPLICATION_ID, version) => Err(StoreError::Newer(format!(
            "{} has version {version}, this program reads version {SCHEMA_VERSION} and older",
            path.display()
        ))),
        _ => Err(foreign(path, "belongs to another program")),
    }
}

pub(super) fn foreign(path: &Path, what: &str) -> StoreError {
    StoreError::Foreign(format!(
        "{} {what}\n  hint: choose another data directory with --data-dir; nothing was changed",
        path.display()
    ))
}
