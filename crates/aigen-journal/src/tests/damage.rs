//! One flipped byte anywhere is found and named by its record's number.

use super::{every_command, founding, issue};
use crate::{Record, SqliteStore, Store, StoreError, Tip, replay, verify};
use aigen_types::Timestamp;
use std::path::Path;

fn journal(path: &Path) -> Vec<Record> {
    let mut store = SqliteStore::open(path).unwrap();
    let mut tip = Tip::default();
    let batches = [
        vec![founding()],
        vec![issue(1, 5), issue(2, 6)],
        every_command(),
    ];
    batches
        .into_iter()
        .map(|commands| {
            let record = Record::of(tip, Timestamp(tip.seq), &commands);
            store.append(&record).unwrap();
            tip = record.tip();
            record
        })
        .collect()
}

fn overwrite(path: &Path, seq: u64, bytes: &[u8]) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let changed = connection
        .execute(
            "UPDATE journal SET record = ?1 WHERE seq = ?2",
            rusqlite::params![bytes, i64::try_from(seq).unwrap()],
        )
        .unwrap();
    assert_eq!(changed, 1);
}

fn named_seq(path: &Path) -> Option<u64> {
    let store = SqliteStore::open_read_only(path).unwrap();
    match replay(&store, |_| {}) {
        Err(StoreError::Damaged { seq, .. }) => Some(seq),
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_flipped_byte_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let records = journal(&path);
    assert_eq!(named_seq(&path), None);
    for record in &records {
        let bytes = record.to_bytes();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(Record::from_bytes(&flipped).is_err(), "byte {at}");
            // Through the file as well, for a sample: opening one takes a millisecond.
            if at % 97 == 0 {
                overwrite(&path, record.seq, &flipped);
                assert_eq!(named_seq(&path), Some(record.seq), "byte {at}");
            }
        }
        overwrite(&path, record.seq, &bytes);
    }
    assert_eq!(named_seq(&path), None);
}

#[test]
fn a_rewritten_record_breaks_the_chain_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let records = journal(&path);
    // Whole and correctly hashed, but not the record that the next one was chained to.
    let forged = Record::of(records[0].tip(), Timestamp(1), &[issue(1, 5_000)]);
    overwrite(&path, 2, &forged.to_bytes());
    assert_eq!(named_seq(&path), Some(3));
}

#[test]
fn a_missing_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    journal(&path);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute("DELETE FROM journal WHERE seq = 2", [])
        .unwrap();
    assert_eq!(named_seq(&path), Some(2));
}

#[test]
fn another_programs_file_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.sqlite");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection
        .execute_batch("CREATE TABLE shopping (item TEXT)")
        .unwrap();
    drop(connection);
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "milk, bread, and a text that is long enough to be no database".repeat(20),
    )
    .unwrap();
    for path in [foreign, text] {
        let before = std::fs::read(&path).unwrap();
        assert!(
            matches!(SqliteStore::open(&path), Err(StoreError::Foreign(_))),
            "{path:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_whole_journal_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    journal(&path);
    let store = SqliteStore::open_read_only(&path).unwrap();
    let mut seen = Vec::new();
    let verified = verify(&store, |seq| seen.push(seq)).unwrap().unwrap();
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(verified.records, 3);
    assert_eq!(verified.issued, verified.balances);
}
