//! Recovery from snapshots is replay, only sooner.

use super::{every_command, founding, issue, parsed};
use crate::{
    Batch, MemoryStore, Record, Replica, Snapshot, SnapshotError, SqliteStore, Store, StoreError,
    Tip, copy, recover, replay, take_snapshot, verify,
};
use aigen_network::{Command, KeyLimits, LimitKey, NewKey, Role, Scope};
use aigen_types::{Digest, NodeId, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A journal of four records, with snapshots after the second and the third.
fn journal() -> Replica {
    let (mut replica, _) = Replica::open(Box::<MemoryStore>::default(), |_| {}).unwrap();
    for (number, commands) in [
        vec![founding()],
        vec![issue(1, 5), issue(1, 6)],
        every_command(),
        vec![issue(3, 7)],
    ]
    .into_iter()
    .enumerate()
    {
        let now = Timestamp(number as u64 * 1_000_000_000);
        let batch = Batch::new(commands).from_node(NodeId(9), number as u64 + 1);
        replica.commit(now, &[batch]).unwrap();
        if let 1 | 2 = number {
            let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
            let bytes = snapshot.to_bytes();
            replica
                .store()
                .save_snapshot(snapshot.tip.seq, &bytes)
                .unwrap();
        }
    }
    replica
}

#[test]
fn recovery_equals_replay() {
    let mut replica = journal();
    let mut seen = Vec::new();
    let (recovered, how) = recover(replica.store(), |record, _| seen.push(record.seq)).unwrap();
    assert_eq!((how.snapshot, how.replayed), (Some(3), 1));
    assert!((1..recovered.network.commands()).contains(&how.saved));
    assert_eq!(seen, [4]);
    assert_eq!(recovered, replay(replica.store(), |_| {}).unwrap());
    assert_eq!(recovered.network, *replica.network().read().unwrap());
    let available = recovered.network.available(&parsed("user:ada"));
    assert_eq!(
        available,
        replica
            .network()
            .read()
            .unwrap()
            .available(&parsed("user:ada"))
    );
    assert_eq!(recovered.sessions.holds(NodeId(9), 4), Some(4));
    assert_eq!(recovered.sessions.holds(NodeId(9), 5), None);
}

#[test]
fn the_same_state_has_the_same_hash() {
    let hash = |replica: &mut Replica| {
        let snapshot: Snapshot = recover(replica.store(), |_, _| {}).unwrap().0.into();
        snapshot.state_hash()
    };
    let (mut one, mut other) = (journal(), journal());
    assert_eq!(hash(&mut one), hash(&mut other));
    other
        .commit(Timestamp(9), &[Batch::new(vec![issue(8, 1)])])
        .unwrap();
    assert_ne!(hash(&mut one), hash(&mut other));
}

#[test]
fn a_damaged_snapshot_is_passed_over_and_named() {
    let mut replica = journal();
    let whole = replica.store().read_snapshot(3).unwrap();
    for at in (0..whole.len()).step_by(101) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert!(Snapshot::from_bytes(&flipped).is_err(), "byte {at}");
    }
    let short = &whole[..whole.len() - 1];
    replica.store().save_snapshot(3, short).unwrap();
    let (recovered, how) = recover(replica.store(), |_, _| {}).unwrap();
    assert_eq!((how.snapshot, how.replayed), (Some(2), 2));
    assert_eq!(how.refused, [(3, SnapshotError::Hash)]);
    assert_eq!(recovered, replay(replica.store(), |_| {}).unwrap());
}

#[test]
fn a_newer_snapshot_is_passed_over_and_not_called_damaged() {
    let mut replica = journal();
    let mut bytes = replica.store().read_snapshot(3).unwrap();
    let end = bytes.len() - 32;
    bytes[8..10].copy_from_slice(&900_u16.to_le_bytes());
    let hash = *blake3::hash(&bytes[..end]).as_bytes();
    bytes[end..].copy_from_slice(&hash);
    replica.store().save_snapshot(3, &bytes).unwrap();
    let (recovered, how) = recover(replica.store(), |_, _| {}).unwrap();
    assert_eq!(how.refused, [(3, SnapshotError::Version(900))]);
    assert_eq!(recovered, replay(replica.store(), |_| {}).unwrap());
    let fault = verify(replica.store(), |_| {}).unwrap().unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the snapshot after record 3 has format version 900, which is newer than this program\n  hint: update aigen; until then a node that starts passes it over and replays the records"
    );
}

#[test]
fn a_snapshot_of_another_journal_is_passed_over() {
    let mut replica = journal();
    let mut snapshot = Snapshot::from_bytes(&replica.store().read_snapshot(3).unwrap()).unwrap();
    snapshot.tip = Tip {
        seq: 3,
        hash: Digest([7; 32]),
    };
    replica
        .store()
        .save_snapshot(3, &snapshot.to_bytes())
        .unwrap();
    let (recovered, how) = recover(replica.store(), |_, _| {}).unwrap();
    assert_eq!(how.refused, [(3, SnapshotError::OtherJournal(3))]);
    assert_eq!(recovered, replay(replica.store(), |_| {}).unwrap());
}

#[test]
fn a_copy_is_the_same_journal_and_goes_on_where_it_ended() {
    let mut replica = journal();
    let folder = tempfile::tempdir().unwrap();
    let mut backup = SqliteStore::open(&folder.path().join("backup.sqlite")).unwrap();
    let tip = copy(replica.store(), &mut backup, |_| {}).unwrap();
    assert_eq!(tip, replica.tip());
    replica
        .commit(Timestamp(9), &[Batch::new(vec![issue(8, 1)])])
        .unwrap();
    let mut copied = Vec::new();
    copy(replica.store(), &mut backup, |seq| copied.push(seq)).unwrap();
    assert_eq!(copied, [5]);
    assert_eq!(
        replay(&backup, |_| {}).unwrap(),
        replay(replica.store(), |_| {}).unwrap()
    );

    let mut other = MemoryStore::default();
    let forked = Record::of(Tip::default(), Timestamp(1), &[issue(1, 1)]);
    other.append(&forked).unwrap();
    let refused = copy(replica.store(), &mut other, |_| {});
    assert!(
        matches!(refused, Err(StoreError::Conflict(1))),
        "{refused:?}"
    );
}

#[test]
fn a_snapshot_is_what_recovery_begins_with() {
    let mut replica = journal();
    assert_eq!(take_snapshot(replica.store()).unwrap(), replica.tip());
    let (recovered, how) = recover(replica.store(), |_, _| {}).unwrap();
    assert_eq!((how.snapshot, how.replayed), (Some(4), 0));
    assert_eq!(recovered, replay(replica.store(), |_| {}).unwrap());
}

/// By a process that was killed while it wrote: nobody takes it for a damaged one, and the next takes its room.
#[test]
fn a_snapshot_that_was_never_finished_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let mut store = SqliteStore::open(&path).unwrap();
    copy(journal().store(), &mut store, |_| {}).unwrap();
    take_snapshot(&mut store).unwrap();
    let mut parts = (0..3).map(|part| match part {
        2 => panic!("killed"),
        _ => vec![7; 10],
    });
    let killed = catch_unwind(AssertUnwindSafe(|| {
        store.save_snapshot_parts(3, &mut parts)
    }));
    assert!(killed.is_err());
    drop(store);
    let rows = || {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let unfinished = "SELECT count(*) FROM snapshot WHERE seq = 3";
        connection.query_row(unfinished, [], |row| row.get::<_, u32>(0))
    };
    assert_eq!(rows(), Ok(1));
    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.snapshots().unwrap(), [4]);
    assert_eq!(verify(&store, |_| {}).unwrap().unwrap().snapshots, 1);
    let (_, how) = recover(&store, |_, _| {}).unwrap();
    assert_eq!((how.snapshot, how.refused), (Some(4), Vec::new()));
    take_snapshot(&mut store).unwrap();
    drop(store);
    assert_eq!(rows(), Ok(0));
}

/// A network whose one key has these limits, as its snapshot keeps it.
fn with_limits(limits: KeyLimits) -> Snapshot {
    let (mut replica, _) = Replica::open(Box::<MemoryStore>::default(), |_| {}).unwrap();
    let key = NewKey {
        name: parsed("ada-key"),
        secret_hash: Digest([1; 32]),
        account: parsed("user:ada"),
        role: Role::Customer,
        spender: None,
    };
    let limit = LimitKey {
        key: key.name.clone(),
        limits,
    };
    let commands = vec![
        founding(),
        Command::CreateKey(key),
        Command::LimitKey(limit),
    ];
    let batch = Batch::new(commands).from_node(NodeId(9), 1);
    replica.commit(Timestamp(1), &[batch]).unwrap();
    replay(replica.store(), |_| {}).unwrap().into()
}

#[test]
fn limits_of_keys_survive_a_snapshot() {
    let limited = with_limits(KeyLimits {
        requests_per_minute: Some(60),
        tokens_per_minute: Some(1_000),
        expires_at: Some(Timestamp(7)),
        models: vec![parsed("tiny")],
        controllers: vec![parsed("ada/quiz")],
        datasets: Vec::new(),
        scopes: vec![Scope::Complete, Scope::Read],
    });
    assert_eq!(limited.network.keyring().limits.len(), 1);
    let read = Snapshot::from_bytes(&limited.to_bytes()).unwrap();
    assert_eq!(read, limited);
    let of_datasets = with_limits(KeyLimits {
        datasets: vec![parsed("books/faq")],
        ..KeyLimits::default()
    });
    let read = Snapshot::from_bytes(&of_datasets.to_bytes()).unwrap();
    assert_eq!(read, of_datasets);
}
