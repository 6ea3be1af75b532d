//! A past that is not in memory decides nothing.
#![allow(missing_docs)]

#[path = "memory/world.rs"]
mod world;

use aigen_journal::{MemoryStore, Snapshot, SqliteStore, Store, recover, replay, verify};
use std::path::Path;
use world::{TOGETHER, World, close, open, refund};

/// One whose past is in files, and one in memory, after some calls.
fn worlds(folder: &Path) -> [World; 2] {
    let store = SqliteStore::open(&folder.join("journal.sqlite")).expect("there is room");
    let stores: [Box<dyn Store>; 2] = [Box::new(store), Box::<MemoryStore>::default()];
    stores.map(|store| {
        let mut world = World::on(store);
        world.play(6_000);
        world
    })
}

/// While calls end, and money of older ones is given back.
#[test]
fn a_checkpoint_is_what_was_whenever_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let [mut shelved, mut plain] = worlds(folder.path());
    for world in [&mut shelved, &mut plain] {
        world.commit(vec![refund(1, 1), refund(2, 5_900), open(6_000)]);
        let checkpoint = world.replica.checkpoint();
        world.commit(vec![close(6_000)]);
        world.calls += TOGETHER;
        world.play(9_000);
        world.commit(vec![
            refund(3, 1),
            refund(4, 5_900),
            refund(5, 3),
            refund(6, 8_999),
        ]);
        checkpoint
            .save(world.replica.store(), || {})
            .expect("there is room");
        let store = world.replica.store();
        let verified = verify(store, |_| {}).expect("readable").expect("sound");
        assert_eq!(verified.snapshots, 1);
        let (recovered, how) = recover(store, |_, _| {}).expect("whole");
        assert_eq!(
            (how.snapshot, how.saved),
            (Some(checkpoint.tip().seq), checkpoint.commands())
        );
        assert!(recovered == replay(store, |_| {}).expect("whole"));
    }
}

/// Where the past is decides nothing: states on shelves and in memory have the same bytes.
#[test]
fn a_state_is_the_same_wherever_its_past_is() {
    let folder = tempfile::tempdir().unwrap();
    let [mut shelved, mut plain] = worlds(folder.path());
    for world in [&mut shelved, &mut plain] {
        world.commit(vec![refund(1, 1), refund(2, 5_999), open(6_000)]);
    }
    let of = |world: &mut World| Snapshot::from(replay(world.replica.store(), |_| {}).unwrap());
    let (shelved, plain) = (of(&mut shelved), of(&mut plain));
    assert!(shelved.network == plain.network);
    let bytes = shelved.to_bytes();
    assert_eq!(bytes, plain.to_bytes());
    assert!(Snapshot::from_bytes(&bytes).unwrap() == plain);
    shelved.network.check().expect("sound");
}
