//! Content beside the journal: every node of the cluster reads it from here.

use super::{PostgresStore, SNAPSHOT_PART_BYTES};
use crate::store::{ContentStore, StoreError};
use aigen_types::Digest;
use postgres::Row;

/// Made when the first content is stored, under the lock of the schema: two nodes that make a
/// table at the same time both fail otherwise.
const TABLE: &str = "
    SELECT pg_advisory_xact_lock(4703785);
    CREATE TABLE IF NOT EXISTS aigen_content (
        digest bytea,
        part integer,
        bytes bytea NOT NULL,
        PRIMARY KEY (digest, part)
    );";

impl PostgresStore {
    fn has_contents(&self) -> Result<bool, StoreError> {
        let there = "SELECT to_regclass('aigen_content') IS NOT NULL";
        self.ask(|client| Ok(client.query_one(there, &[])?.get(0)))
    }
}

impl ContentStore for PostgresStore {
    fn save_content(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        if self.read_content(digest)?.is_some() {
            return Ok(());
        }
        // A write, so that with a standby it is on both before a record names it.
        self.link.get_mut().write(|session| {
            let mut transaction = session.client.transaction()?;
            transaction.batch_execute(TABLE)?;
            let name = digest.0.as_slice();
            transaction.execute("DELETE FROM aigen_content WHERE digest = $1", &[&name])?;
            for (part, number) in bytes.chunks(SNAPSHOT_PART_BYTES).zip(0_i32..) {
                let insert = "INSERT INTO aigen_content (digest, part, bytes) VALUES ($1, $2, $3)";
                transaction.execute(insert, &[&name, &number, &part])?;
            }
            transaction.commit()
        })
    }

    fn contents(&self) -> Result<Vec<Digest>, StoreError> {
        if !self.has_contents()? {
            return Ok(Vec::new());
        }
        let all = "SELECT DISTINCT digest FROM aigen_content ORDER BY digest";
        let rows = self.ask(|client| client.query(all, &[]))?;
        let digest = |row: &Row| row.get::<_, &[u8]>(0).try_into().ok().map(Digest);
        Ok(rows.iter().filter_map(digest).collect())
    }

    fn stored_content(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.has_contents()? {
            return Ok(None);
        }
        let parts = "SELECT bytes FROM aigen_content WHERE digest = $1 ORDER BY part";
        let rows = self.ask(|client| client.query(parts, &[&digest.0.as_slice()]))?;
        let parts: Vec<&[u8]> = rows.iter().map(|row| row.get(0)).collect();
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }
}
