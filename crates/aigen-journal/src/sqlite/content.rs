//! Content beside the journal, in parts, so that an append never waits for more than one of them.

use super::{SNAPSHOT_PART_BYTES, SqliteStore};
use crate::store::{ContentStore, StoreError};
use aigen_types::Digest;
use rusqlite::{Row, params};

/// Made when the first content is stored: a journal without components has no such table.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS content (
        digest BLOB NOT NULL,
        part INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (digest, part)
    ) STRICT";

impl ContentStore for SqliteStore {
    fn save_content(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        if self.read_content(digest)?.is_some() {
            return Ok(());
        }
        self.failed = true;
        self.connection.execute_batch(TABLE)?;
        // What is left of an attempt that was cut off; nothing names it yet.
        let forget = "DELETE FROM content WHERE digest = ?1";
        self.connection.execute(forget, [digest.0])?;
        let mut insert = self
            .connection
            .prepare("INSERT INTO content (digest, part, bytes) VALUES (?1, ?2, ?3)")?;
        for (part, number) in bytes.chunks(SNAPSHOT_PART_BYTES).zip(0_u32..) {
            insert.execute(params![digest.0, number, part])?;
        }
        drop(insert);
        self.failed = false;
        Ok(())
    }

    fn contents(&self) -> Result<Vec<Digest>, StoreError> {
        if !self.connection.table_exists(None, "content")? {
            return Ok(Vec::new());
        }
        let mut all = self
            .connection
            .prepare_cached("SELECT DISTINCT digest FROM content ORDER BY digest")?;
        let digest = |row: &Row<'_>| row.get(0).map(Digest);
        Ok(all.query_map([], digest)?.collect::<Result<_, _>>()?)
    }

    fn stored_content(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.connection.table_exists(None, "content")? {
            return Ok(None);
        }
        let mut parts = self
            .connection
            .prepare_cached("SELECT bytes FROM content WHERE digest = ?1 ORDER BY part")?;
        let bytes = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
        let parts: Vec<_> = parts
            .query_map([digest.0], bytes)?
            .collect::<Result<_, _>>()?;
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }
}
