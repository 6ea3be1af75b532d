//! Content beside the journal, in parts, so that an append never waits for more than one of them.

use super::SqliteStore;
use crate::content::{ContentStore, Parts, unread};
use crate::store::StoreError;
use aigen_types::Digest;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::io::{self, Read};

/// Made when the first content is stored: a journal without components has no such table.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS content (
        digest BLOB NOT NULL,
        part INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (digest, part)
    ) STRICT";

const FORGET: &str = "DELETE FROM content WHERE digest = ?1";

impl ContentStore for SqliteStore {
    fn save_content(&mut self, digest: Digest, bytes: &mut dyn Read) -> Result<bool, StoreError> {
        if self.has_content(digest)? {
            return Ok(true);
        }
        self.failed = true;
        self.connection.execute_batch(TABLE)?;
        // What is left of an attempt that was cut off; nothing names it yet.
        self.connection.execute(FORGET, [digest.0])?;
        let read = insert(&self.connection, digest, bytes)?;
        let right = matches!(read, Ok(found) if found == digest);
        if !right {
            self.connection.execute(FORGET, [digest.0])?;
        }
        self.failed = false;
        read.map_err(unread)?;
        Ok(right)
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

    fn content_part(&self, digest: Digest, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.connection.table_exists(None, "content")? {
            return Ok(None);
        }
        let one = "SELECT bytes FROM content WHERE digest = ?1 AND part = ?2";
        let mut one = self.connection.prepare_cached(one)?;
        let found = one.query_row(params![digest.0, part], |row| row.get(0));
        Ok(found.optional()?)
    }
}

/// Stores the parts of what is read; the digest that they have, or why they could not be read.
fn insert(
    connection: &Connection,
    digest: Digest,
    bytes: &mut dyn Read,
) -> Result<io::Result<Digest>, StoreError> {
    let one = "INSERT INTO content (digest, part, bytes) VALUES (?1, ?2, ?3)";
    let mut one = connection.prepare(one)?;
    let mut parts = Parts::of(bytes);
    for number in 0_u32.. {
        match parts.next() {
            Ok(Some(part)) => one.execute(params![digest.0, number, part])?,
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        };
    }
    Ok(Ok(parts.digest()))
}
