//! What every store promises, checked against each.

use super::{founding, issue};
use crate::{MemoryStore, Record, SqliteStore, Store, StoreError, Tip};
use aigen_network::content_digest;
use aigen_types::{Digest, Timestamp};
use std::io::{self, Read};

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

    store.append(&second).expect("asked for again, it is there");
    assert_eq!(store.tip_at(1).unwrap(), Some(first.tip()));
    assert_eq!(store.tip_at(2).unwrap(), Some(second.tip()));
    assert_eq!(store.tip_at(3).unwrap(), None);

    assert_eq!(store.snapshots().unwrap(), Vec::<u64>::new());
    let large: Vec<u8> = (0..5_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for seq in 1..=4 {
        store.save_snapshot(seq, &large[seq as usize..]).unwrap();
    }
    store
        .save_snapshot(4, &large[100..])
        .expect("instead of the one before");

    assert_eq!(store.contents().unwrap(), []);
    let name = content_digest(&large);
    assert_eq!(store.read_content(name).unwrap(), None);
    let mut save = |name, mut bytes: &[u8]| store.save_content(name, &mut bytes).unwrap();
    assert!(save(name, &large));
    assert!(save(name, b"it is there, and this is not looked at"));
    let small = content_digest(b"small");
    assert!(save(small, b"small"));
    assert!(!save(Digest([7; 32]), b"another"), "nothing is kept of it");
    assert!(!save(Digest([7; 32]), &large), "nor of many parts");
    let broken = store.save_content(Digest([8; 32]), &mut Broken(large.as_slice()));
    assert!(matches!(broken, Err(StoreError::Io(_))), "{broken:?}");

    let store = reopen(Box::new(store));
    assert_eq!(store.contents().unwrap().len(), 2);
    assert_eq!(store.read_content(name).unwrap(), Some(large.clone()));
    assert_eq!(store.read_content(small).unwrap().unwrap(), b"small");
    assert_eq!(store.content_part(name, 0).unwrap().unwrap().len(), 1 << 20);
    assert!(!store.has_content(Digest([7; 32])).unwrap());
    assert_eq!(store.snapshots().unwrap(), [4, 3], "two are kept");
    assert_eq!(store.read_snapshot(4).unwrap(), large[100..]);
    assert_eq!(store.read_snapshot(3).unwrap(), large[3..]);
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

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    let server = aigen_testkit_postgres::Server::start();
    let url = server.url();
    conforms(crate::PostgresStore::open(&url).unwrap(), |store| {
        drop(store);
        Box::new(crate::PostgresStore::open(&url).unwrap())
    });
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

/// Gives its bytes, and then fails.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}
