//! What a state takes of memory as calls go by. Alone in its program: the allocator counts.
#![allow(clippy::print_stdout, missing_docs)]

mod world;

use aigen_journal::{SqliteStore, recover, take_snapshot};
use aigen_types::{Amount, CallId};
use peak_alloc::PeakAlloc;
use world::{World, parsed, scattered};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A million calls would take 2 GB if each stayed in memory, as it once did.
#[test]
fn a_state_takes_the_same_memory_whatever_has_been() {
    const BYTES_A_CALL: usize = 12;
    const SNAPSHOT_BYTES_A_CALL: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let mut world = World::on(Box::new(SqliteStore::open(&path).unwrap()));
    let start = MEMORY.current_usage();
    world.play(50_000);
    let early = MEMORY.current_usage();
    world.play(200_000);
    let late = MEMORY.current_usage();
    let grown = late.saturating_sub(early) / 150_000;
    println!(
        "{} bytes after 50,000 calls, {grown} more for each call since",
        early - start
    );
    assert!(grown <= BYTES_A_CALL, "{grown} bytes a call");

    // A snapshot is made, and a state recovered from it and compared with it, in little more.
    MEMORY.reset_peak_usage();
    let tip = take_snapshot(world.replica.store()).expect("there is room");
    let written = (MEMORY.peak_usage() - late) / 200_000;
    MEMORY.reset_peak_usage();
    let (recovered, how) = recover(world.replica.store(), |_, _| {}).expect("whole");
    let read = (MEMORY.peak_usage() - late) / 200_000;
    println!("{written} bytes a call to make a snapshot, {read} to start from it");
    assert_eq!((how.snapshot, how.replayed), (Some(tip.seq), 0));
    assert!(recovered.network == *world.replica.network().read().unwrap());
    assert!(written.max(read) <= SNAPSHOT_BYTES_A_CALL);
    drop(recovered);

    let network = world.replica.network();
    let network = network.read().unwrap();
    assert_eq!(network.receipt_count(), 200_000);
    assert_eq!(network.ledger().transfer_count(), 800_003);
    let first = network.receipt(CallId(scattered(0))).expect("it ended");
    assert_eq!(first.total(), Amount::from_nano(12 * 20 + 16 * 60 + 1_000));
    let of_ada = network.receipts_of(&parsed("user:ada"), None);
    assert_eq!(of_ada.take(70_000).count(), 70_000);
}
