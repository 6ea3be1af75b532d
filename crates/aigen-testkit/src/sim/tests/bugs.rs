//! A simulator that has never found anything proves nothing: each of these is a bug that it must
//! find, and find soon.

use super::options;
use crate::sim::disk::vfs::Mounted;
use crate::sim::single::{FILE, Open, World, honest};
use crate::sim::trace::Trace;
use aigen_journal::{ContentStore, Record, Store, StoreError, Tip};

/// What the first world that finds the bug says, and its seed.
fn found(open: Open, seeds: u64) -> Option<(u64, String)> {
    (0..seeds).find_map(|seed| {
        let failure = crate::sim::run_with(options(seed, 100), open, &mut |_| {}).err()?;
        Some((seed, failure.to_string()))
    })
}

fn must_be_found(open: Open, seeds: u64, words: &str) {
    let (seed, said) = found(open, seeds).unwrap_or_else(|| panic!("{seeds} worlds miss it"));
    assert!(said.contains(words), "{said}");
    let replay = format!("aigen sim --seed {seed} --steps 100 --trace");
    assert!(said.contains(&replay), "{said}");
}

#[test]
fn a_disk_that_forgets_what_it_synced() {
    let lying = |seed| {
        let mut listener = |_: &str| {};
        let world = World::new(options(seed, 100), honest, Trace::new(&mut listener));
        world.with_lying_disk().run(100)
    };
    let (_, violation) = (0..10).find_map(|seed| lying(seed).err()).expect("found");
    assert!(violation.what.contains("was acknowledged"), "{violation:?}");
}

/// The bug that the simulator found in the journal of version 0.1: what a failed sync left
/// behind was seen, believed and built upon.
#[test]
fn a_journal_that_believes_an_unsafe_log() {
    let open: Open = |disk| Ok(Box::new(disk.journal_believed(FILE)?));
    must_be_found(open, 50, "was acknowledged");
}

/// A store with a bug.
struct Bug<S> {
    inner: Box<dyn Store>,
    state: S,
    append: fn(&mut Self, &Record) -> Result<(), StoreError>,
    read: fn(Vec<Record>) -> Vec<Record>,
}

impl<S: Send> ContentStore for Bug<S> {}

impl<S: Send> Store for Bug<S> {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        (self.append)(self, record)
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        self.inner.tip()
    }

    fn tip_at(&self, seq: u64) -> Result<Option<Tip>, StoreError> {
        self.inner.tip_at(seq)
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut records = Vec::new();
        self.inner.read_after(tip, &mut |record| {
            records.push(record);
            Ok(())
        })?;
        (self.read)(records).into_iter().try_for_each(visit)
    }

    fn save_snapshot_parts(
        &mut self,
        seq: u64,
        parts: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        self.inner.save_snapshot_parts(seq, parts)
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        self.inner.snapshots()
    }

    fn visit_snapshot(&self, seq: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        self.inner.visit_snapshot(seq, visit)
    }
}

fn bug<S: Send + Default + 'static>(
    disk: &Mounted,
    append: fn(&mut Bug<S>, &Record) -> Result<(), StoreError>,
    read: fn(Vec<Record>) -> Vec<Record>,
) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(Bug {
        inner: honest(disk)?,
        state: S::default(),
        append,
        read,
    }))
}

fn as_it_is(records: Vec<Record>) -> Vec<Record> {
    records
}

#[test]
fn a_store_that_answers_before_it_writes() {
    let open: Open = |disk| {
        bug::<Option<Record>>(
            disk,
            |store, record| {
                let before = store.state.replace(record.clone());
                before.map_or(Ok(()), |before| store.inner.append(&before))
            },
            as_it_is,
        )
    };
    must_be_found(open, 10, "was acknowledged");
}

#[test]
fn a_store_that_hides_errors() {
    let open: Open = |disk| {
        bug::<()>(
            disk,
            |store, record| store.inner.append(record).or(Ok(())),
            as_it_is,
        )
    };
    must_be_found(open, 10, "");
}

#[test]
fn a_replay_that_leaves_out_the_last_record() {
    let open: Open = |disk| {
        let read = |mut records: Vec<Record>| {
            records.pop();
            records
        };
        bug::<()>(disk, |store, record| store.inner.append(record), read)
    };
    must_be_found(open, 10, "was acknowledged");
}

#[test]
fn a_replay_that_sees_commands_in_another_order() {
    fn turned(record: Record) -> Record {
        let mut commands = record.commands().expect("whole");
        commands.reverse();
        let (seq, hash) = (record.seq - 1, record.prev);
        Record::of(Tip { seq, hash }, record.timestamp, &commands)
    }
    let open: Open = |disk| {
        let read = |records: Vec<Record>| records.into_iter().map(turned).collect();
        bug::<()>(disk, |store, record| store.inner.append(record), read)
    };
    must_be_found(open, 10, "");
}
