//! PostgreSQL as a journal that several nodes share, and as the place where they elect a leader.
//!
//! Exactly this is relied on, of PostgreSQL or of a distributed database that speaks its protocol:
//! - `seq` is a primary key: of two appends of one number one fails, whoever believes to lead;
//! - a commit is durable once it is answered: `fsync` is on, and `synchronous_commit` at least
//!   `on`, so that with `synchronous_standby_names` set a standby has it on disk, too;
//! - a row that was read is not unread later on the same server.
//!
//! A connection that is lost leaves an append whose outcome nobody knows. It is tried again on a
//! new connection: the same record in the same place is there already, or is written now, or
//! the place is taken by another and this node leads no longer.

mod content;
mod election;
mod link;
mod tls;

pub use election::PostgresElection;

use crate::record::{Record, RecordError, Tip};
use crate::shelf::shelf_in;
use crate::store::{SNAPSHOTS_KEPT, Store, StoreError};
use aigen_ledger::Shelf;
use aigen_types::Digest;
use link::Link;
use postgres::{Client, Error, Row};
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Records fetched at once: each is a mebibyte at most, by and large.
const RECORDS_FETCHED: i64 = 32;

const APPEND: &str = "
    INSERT INTO aigen_journal (seq, prev, hash, record)
    SELECT $1::bigint, $2::bytea, $3::bytea, $4::bytea
    WHERE $1 = 1 OR EXISTS (SELECT 1 FROM aigen_journal WHERE seq = $1 - 1 AND hash = $2)
    ON CONFLICT (seq) DO NOTHING";

/// A journal in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    link: RefCell<Link>,
    /// Where there is room for shelves.
    folder: Option<PathBuf>,
    /// Whether a table of contents was seen.
    has_contents: Cell<bool>,
}

impl PostgresStore {
    /// Connects to the database that `url` names and begins a journal there, if there is none.
    ///
    /// # Errors
    /// When the URL makes no sense, the database cannot be reached or does not sync what it is
    /// given, or its journal is of another version.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let mut link = Link::new(url)?;
        link.begin(true)?;
        Ok(Self::over(link))
    }

    /// Connects to a database with a journal in it, also while nodes write to that.
    ///
    /// # Errors
    /// As [`PostgresStore::open`], and when there is no journal.
    pub fn open_existing(url: &str) -> Result<Self, StoreError> {
        let mut link = Link::new(url)?;
        link.begin(false)?;
        Ok(Self::over(link))
    }

    fn over(link: Link) -> Self {
        Self {
            link: RefCell::new(link),
            folder: None,
            has_contents: Cell::new(false),
        }
    }

    /// The same, whose states keep their past in files in this folder, and not in memory.
    #[must_use]
    pub fn with_room_in(self, folder: &Path) -> Self {
        Self {
            folder: Some(folder.to_owned()),
            ..self
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Client) -> Result<T, Error>) -> Result<T, StoreError> {
        self.link.borrow_mut().ask(ask)
    }

    /// An append that did nothing: because this very record is there, or another one.
    fn already_there(&self, record: &Record) -> Result<(), StoreError> {
        if self.tip_at(record.seq)? != Some(record.tip()) {
            return Err(StoreError::Conflict(self.tip()?.seq));
        }
        // Whoever wrote it was cut off before the answer, perhaps while a standby was waited for.
        // A later commit is answered only when all before it are where they should be.
        self.ask(|client| client.execute("UPDATE aigen_format SET barriers = barriers + 1", &[]))?;
        Ok(())
    }
}

impl Store for PostgresStore {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        if record.seq == 1 && record.prev != Digest::ZERO {
            return Err(StoreError::Conflict(self.tip()?.seq));
        }
        let seq = record.seq.cast_signed();
        let (prev, hash, bytes) = (record.prev.0, record.hash().0, record.to_bytes());
        let written = self.link.get_mut().write(|session| {
            let row: [&(dyn postgres::types::ToSql + Sync); 4] =
                [&seq, &prev.as_slice(), &hash.as_slice(), &bytes];
            session.client.execute(&session.append, &row)
        })?;
        match written {
            1 => Ok(()),
            _ => self.already_there(record),
        }
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        let rows = self.ask(|client| {
            let last =
                "SELECT seq, prev, hash, record FROM aigen_journal ORDER BY seq DESC LIMIT 1";
            client.query_opt(last, &[])
        })?;
        let record = rows.map(|row| read_record(&row, None)).transpose()?;
        Ok(record.map_or_else(Tip::default, |record| record.tip()))
    }

    fn tip_at(&self, seq: u64) -> Result<Option<Tip>, StoreError> {
        let row = self.ask(|client| {
            let one = "SELECT seq, prev, hash, record FROM aigen_journal WHERE seq = $1";
            client.query_opt(one, &[&seq.cast_signed()])
        })?;
        let record = row.map(|row| read_record(&row, Some(seq))).transpose()?;
        Ok(record.map(|record| record.tip()))
    }

    fn read_after(
        &self,
        mut tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let after = tip.seq.cast_signed();
            let rows = self.link.borrow_mut().with(|session| {
                session
                    .client
                    .query(&session.fetch, &[&after, &RECORDS_FETCHED])
            })?;
            let fetched = rows.len();
            for row in rows {
                let seq = tip.seq + 1;
                let record = read_record(&row, Some(seq))?;
                let follows = record.check_follows(tip);
                follows.map_err(|error| StoreError::of_record(seq, error))?;
                tip = record.tip();
                visit(record)?;
            }
            if i64::try_from(fetched).is_ok_and(|fetched| fetched < RECORDS_FETCHED) {
                return Ok(());
            }
        }
    }

    fn save_snapshot_parts(
        &mut self,
        seq: u64,
        parts: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        let at = seq.cast_signed();
        let parts = parts.zip(0_i32..);
        self.ask(|client| {
            let mut transaction = client.transaction()?;
            transaction.execute("DELETE FROM aigen_snapshot WHERE seq = $1", &[&at])?;
            for (bytes, part) in parts {
                let insert = "INSERT INTO aigen_snapshot (seq, part, bytes) VALUES ($1, $2, $3)";
                transaction.execute(insert, &[&at, &part, &bytes])?;
            }
            transaction.commit()
        })?;
        let kept = self.snapshots()?.into_iter().take(SNAPSHOTS_KEPT);
        let oldest = kept.min().unwrap_or_default().cast_signed();
        self.ask(|client| client.execute("DELETE FROM aigen_snapshot WHERE seq < $1", &[&oldest]))?;
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        let rows = self.ask(|client| {
            let seqs = "SELECT DISTINCT seq FROM aigen_snapshot ORDER BY seq DESC";
            client.query(seqs, &[])
        })?;
        let seqs = rows.iter().map(|row| row.get::<_, i64>(0).cast_unsigned());
        Ok(seqs.collect())
    }

    fn shelf(&self) -> Result<Option<Arc<dyn Shelf>>, StoreError> {
        self.folder.as_deref().map(shelf_in).transpose()
    }

    /// One by one: the client keeps an answer in memory as a whole.
    fn visit_snapshot(&self, seq: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        for part in 0_i32.. {
            let row = self.ask(|client| {
                let one = "SELECT bytes FROM aigen_snapshot WHERE seq = $1 AND part = $2";
                client.query_opt(one, &[&seq.cast_signed(), &part])
            })?;
            match row {
                Some(row) => visit(row.get(0)),
                None => break,
            }
        }
        Ok(())
    }
}

/// A row `(seq, prev, hash, record)`, whose columns say what the record says. `seq` is the number
/// that its place demands.
fn read_record(row: &Row, seq: Option<u64>) -> Result<Record, StoreError> {
    let column = row.get::<_, i64>(0).cast_unsigned();
    let seq = seq.unwrap_or(column);
    let damaged = |error| StoreError::of_record(seq, error);
    let record = Record::from_bytes(row.get(3)).map_err(damaged)?;
    let (prev, hash): (&[u8], &[u8]) = (row.get(1), row.get(2));
    if prev != record.prev.0 || hash != record.hash().0 {
        return Err(damaged(RecordError::Hash));
    }
    if record.seq != seq {
        return Err(damaged(RecordError::Seq {
            expected: seq,
            found: record.seq,
        }));
    }
    Ok(record)
}
