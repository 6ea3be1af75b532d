//! Content beside the journal: every node of the cluster reads it from here.

use super::PostgresStore;
use crate::content::{ContentStore, Parts, unread};
use crate::store::StoreError;
use aigen_types::Digest;
use postgres::{Client, Error, Row};
use std::io::{self, Read};

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
    /// Whether there is a table of them: once there is, it stays.
    fn has_contents(&self) -> Result<bool, StoreError> {
        if !self.has_contents.get() {
            let there = "SELECT to_regclass('aigen_content') IS NOT NULL";
            let there = self.ask(|client| Ok(client.query_one(there, &[])?.get(0)))?;
            self.has_contents.set(there);
        }
        Ok(self.has_contents.get())
    }
}

impl ContentStore for PostgresStore {
    fn save_content(&mut self, digest: Digest, bytes: &mut dyn Read) -> Result<bool, StoreError> {
        if self.has_content(digest)? {
            return Ok(true);
        }
        // A transaction of its own: nobody waits for the lock until gigabytes are stored.
        self.ask(|client| client.batch_execute(TABLE))?;
        // A write, so that with a standby it is on both before a record names it.
        let link = self.link.get_mut();
        let read = link.write(|session| insert(&mut session.client, digest, bytes))?;
        Ok(read.map_err(unread)? == digest)
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

    fn content_part(&self, digest: Digest, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.has_contents()? {
            return Ok(None);
        }
        let one = "SELECT bytes FROM aigen_content WHERE digest = $1 AND part = $2";
        let part = i32::try_from(part).unwrap_or(i32::MAX);
        let row = self.ask(|client| client.query_opt(one, &[&digest.0.as_slice(), &part]))?;
        Ok(row.map(|row| row.get(0)))
    }
}

/// Stores the parts of what is read, if they have the digest. The digest that they have, or why they
/// could not be read.
fn insert(
    client: &mut Client,
    digest: Digest,
    bytes: &mut dyn Read,
) -> Result<io::Result<Digest>, Error> {
    let mut transaction = client.transaction()?;
    let name = digest.0.as_slice();
    transaction.execute("DELETE FROM aigen_content WHERE digest = $1", &[&name])?;
    // Another node may be storing the same.
    let one = "INSERT INTO aigen_content (digest, part, bytes) VALUES ($1, $2, $3) \
               ON CONFLICT DO NOTHING";
    let one = transaction.prepare(one)?;
    let mut parts = Parts::of(bytes);
    for number in 0_i32.. {
        match parts.next() {
            Ok(Some(part)) => transaction.execute(&one, &[&name, &number, &part])?,
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        };
    }
    let found = parts.digest();
    if found == digest {
        transaction.commit()?;
    }
    Ok(Ok(found))
}
