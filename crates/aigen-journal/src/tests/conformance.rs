//! What every store promises, checked against each.

use super::{founding, issue};
use crate::{MemoryStore, Record, SqliteStore, Store, StoreError, Tip};
use aigen_types::{Digest, Timestamp};

fn record(tip: Tip, nano: u128) -> Record {
    Record::of(tip, Timestamp(1), &[issue(tip.seq.into(), nano)])
}

fn read(store: &dyn Store, after: Tip) -> Vec<Record> {
    let mut records = Vec::new();
    store
        .read_after(after, &mut |record| {
            records.push(record);
            Ok(())
        })
        .expect("readable");
    records
}

fn conforms(mut store: impl Store + 'static, reopen: impl Fn(Box<dyn Store>) -> Box<dyn Store>) {
    assert_eq!(store.tip().unwrap(), Tip::default(), "empty at first");
    let first = Record::of(Tip::default(), Timestamp(1), &[founding()]);
    store.append(&first).unwrap();
    let second = record(first.tip(), 5);
    store.append(&second).unwrap();
    assert_eq!(store.tip().unwrap(), second.tip());

    let stale = record(first.tip(), 6);
    assert!(
        matches!(store.append(&stale), Err(StoreError::Conflict(2))),
        "a fork is refused"
    );
    let unchained = record(
        Tip {
            seq: 2,
            hash: Digest::ZERO,
        },
        6,
    );
    assert!(matches!(
        store.append(&unchained),
        Err(StoreError::Conflict(2))
    ));
    let gap = record(
        Tip {
            seq: 3,
            hash: second.tip().hash,
        },
        6,
    );
    assert!(matches!(store.append(&gap), Err(StoreError::Conflict(2))));

    let store = reopen(Box::new(store));
    assert_eq!(
        read(store.as_ref(), Tip::default()),
        [first.clone(), second.clone()]
    );
    assert_eq!(
        read(store.as_ref(), first.tip()),
        std::slice::from_ref(&second)
    );
    assert_eq!(read(store.as_ref(), second.tip()), []);
}

#[test]
fn memory() {
    conforms(MemoryStore::default(), |store| store);
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    conforms(SqliteStore::open(&path).unwrap(), |store| {
        drop(store);
        Box::new(SqliteStore::open(&path).unwrap())
    });
    let reader = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(reader.tip().unwrap().seq, 2, "read while it may be written");
}
