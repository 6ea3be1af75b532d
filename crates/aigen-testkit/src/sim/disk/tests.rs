use super::vfs::Mounted;
use super::{Disk, DiskError, Fault, Loss, SECTOR_BYTES};
use crate::sim::random::Random;
use aigen_journal::{Record, SqliteStore, Store, StoreError};
use aigen_network::Command;
use aigen_types::Timestamp;
use std::collections::BTreeSet;

/// A disk with one file, whose name and first sector are safe.
fn disk(seed: u64) -> (Disk, u64) {
    let disk = Disk::new(Random::new(seed));
    let file = disk.state().open("a", true).expect("a new file");
    disk.state()
        .write(file, 0, &[1; SECTOR_BYTES])
        .expect("written");
    disk.state().sync(file, true).expect("synced");
    (disk, file)
}

/// The first byte of each sector of a file; nothing if its name is lost.
fn sectors(disk: &Disk, name: &str) -> Option<Vec<u8>> {
    let state = disk.state();
    let file = state.files.find(name)?;
    let mut bytes = vec![0; state.files.size(file)];
    state.files.read(file, 0, &mut bytes);
    Some(bytes.into_iter().step_by(SECTOR_BYTES).collect())
}

/// Everything that the seeds up to 200 leave of what `act` does to a disk.
fn outcomes(loss: Loss, act: impl Fn(&Disk, u64)) -> BTreeSet<Option<Vec<u8>>> {
    let outcome = |seed| {
        let (disk, file) = disk(seed);
        act(&disk, file);
        disk.start(loss);
        sectors(&disk, "a")
    };
    (0..200).map(outcome).collect()
}

fn set<const N: usize>(sectors: [&[u8]; N]) -> BTreeSet<Option<Vec<u8>>> {
    sectors
        .iter()
        .map(|sectors| Some(sectors.to_vec()))
        .collect()
}

fn write(disk: &Disk, file: u64, sector: usize, bytes: &[u8]) {
    let offset = sector * SECTOR_BYTES;
    disk.state().write(file, offset, bytes).expect("written");
}

fn sync(disk: &Disk, file: u64) -> Result<(), DiskError> {
    disk.state().sync(file, false)
}

#[test]
fn what_is_synced_survives() {
    let left = outcomes(Loss::Unsynced, |disk, file| {
        write(disk, file, 1, &[2; SECTOR_BYTES]);
        sync(disk, file).expect("synced");
    });
    assert_eq!(left, set([&[1, 2]]));
}

#[test]
fn what_is_not_synced_is_there_or_not_sector_by_sector() {
    let left = outcomes(Loss::Unsynced, |disk, file| {
        write(disk, file, 0, &[2; 2 * SECTOR_BYTES]);
    });
    assert_eq!(left, set([&[1], &[2], &[1, 2], &[2, 2]]));
}

#[test]
fn a_dead_process_loses_nothing() {
    let left = outcomes(Loss::Nothing, |disk, file| write(disk, file, 0, &[2; 600]));
    assert_eq!(left, set([&[2, 2]]));
}

#[test]
fn what_a_failed_sync_left_out_is_seen_but_never_saved() {
    let fail = |disk: &Disk, file| {
        write(disk, file, 0, &[2; SECTOR_BYTES]);
        disk.arm(1, Fault::SyncFails);
        assert_eq!(sync(disk, file), Err(DiskError::Sync));
        assert_eq!(sync(disk, file), Ok(()), "a retry proves nothing");
    };
    assert_eq!(outcomes(Loss::Nothing, fail), set([&[2]]));
    assert_eq!(outcomes(Loss::Unsynced, fail), set([&[1], &[2]]));
}

#[test]
fn a_name_is_safe_once_its_directory_is() {
    let kept = |seed, with_directory| {
        let (disk, _) = disk(seed);
        let file = disk.state().open("b", true).expect("a new file");
        disk.state().sync(file, with_directory).expect("synced");
        disk.start(Loss::Unsynced);
        sectors(&disk, "b").is_some()
    };
    assert!((0..200).all(|seed| kept(seed, true)));
    assert!((0..200).any(|seed| kept(seed, false)));
    assert!((0..200).any(|seed| !kept(seed, false)));
}

#[test]
fn a_stopped_machine_does_nothing_until_it_is_started() {
    let (disk, file) = disk(1);
    disk.arm(2, Fault::Stop);
    write(&disk, file, 1, &[2]);
    assert_eq!(sync(&disk, file), Err(DiskError::Io));
    assert_eq!(disk.state().size(file), Err(DiskError::Io));
    disk.start(Loss::Nothing);
    assert_eq!(sectors(&disk, "a"), Some(vec![1, 2]));
}

#[test]
fn a_full_disk_overwrites_but_does_not_grow() {
    let (disk, file) = disk(1);
    disk.arm(1, Fault::Full);
    assert_eq!(disk.state().write(file, 1, &[2]), Ok(()));
    assert_eq!(disk.state().write(file, 512, &[2]), Err(DiskError::Full));
    disk.make_space();
    assert_eq!(disk.state().write(file, 512, &[2]), Ok(()));
}

fn append(store: &mut SqliteStore) -> Result<(), StoreError> {
    let tip = store.tip()?;
    store.append(&Record::of(
        tip,
        Timestamp(tip.seq),
        &[Command::FreezeCommits],
    ))
}

/// Appends until the disk stops at step `stop`, loses what `loss` says, and says how many
/// records were acknowledged and how many are there.
fn journal(seed: u64, stop: u64, loss: Loss) -> (u64, u64) {
    let mounted = Mounted::new(Disk::new(Random::new(seed)));
    mounted.disk.arm(stop, Fault::Stop);
    let mut acknowledged = 0;
    if let Ok(mut store) = mounted.journal("journal.sqlite") {
        while append(&mut store).is_ok() {
            acknowledged += 1;
        }
    }
    mounted.disk.start(loss);
    let store = mounted
        .journal("journal.sqlite")
        .expect("a journal opens after a power cut");
    (acknowledged, store.tip().expect("its tip is sound").seq)
}

#[test]
fn sqlite_keeps_its_promise_whatever_step_the_power_goes_at() {
    for stop in 1..120 {
        for loss in [Loss::Nothing, Loss::Unsynced] {
            let (acknowledged, there) = journal(stop, stop, loss);
            let lost = acknowledged > there || there > acknowledged + 1;
            assert!(
                !lost,
                "step {stop}, {loss:?}: {acknowledged} acknowledged, {there} there"
            );
        }
    }
    let (acknowledged, _) = journal(1, 120, Loss::Nothing);
    assert!(
        acknowledged > 20,
        "the steps reach beyond opening: {acknowledged}"
    );
}

#[test]
fn the_same_seed_tears_the_same_way() {
    let run = || {
        (1..60)
            .map(|seed| journal(seed, seed, Loss::Unsynced))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_disk_that_lies_about_syncs_loses_records() {
    let lost = (0..20).any(|seed| {
        let mounted = Mounted::new(Disk::new(Random::new(seed)));
        mounted.disk.lie();
        let mut store = mounted.journal("journal.sqlite").expect("opens");
        append(&mut store).expect("acknowledged");
        mounted.disk.start(Loss::Unsynced);
        drop(store);
        mounted
            .journal("journal.sqlite")
            .map_or(true, |store| store.tip().map_or(true, |tip| tip.seq == 0))
    });
    assert!(lost);
}
