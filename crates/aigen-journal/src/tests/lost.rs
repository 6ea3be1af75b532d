//! What was acknowledged and is gone is missed, whatever took it; what was not is not.

use super::{founding, issue};
use crate::{
    Found, Record, SqliteStore, Store, StoreError, Tip, Unfinished, accept_loss, look, replay,
};
use aigen_types::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

const RECORDS: u64 = 20;

/// A folder with a journal of twenty records, as a killed process leaves it: most of it in the log.
struct Killed {
    folder: tempfile::TempDir,
}

impl Killed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let killed = Self { folder };
        let (mut store, found) = SqliteStore::open_with_tip(&killed.journal()).unwrap();
        assert_eq!((found.acknowledged(), found.unfinished.bytes), (None, 0));
        append(&mut store, RECORDS);
        // A connection that is never closed leaves its log.
        std::mem::forget(store);
        killed
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal.sqlite")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("journal.sqlite-wal")
    }

    /// A copy of it, so that each row of a table begins with the same.
    fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["journal.sqlite", "journal.sqlite-wal", "journal.tip"] {
            let from = self.folder.path().join(file);
            fs::copy(from, folder.path().join(file)).unwrap();
        }
        Self { folder }
    }

    fn change(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(file).unwrap();
        change(&mut bytes);
        fs::write(file, bytes).unwrap();
    }

    fn open(&self) -> Result<(SqliteStore, Found), StoreError> {
        SqliteStore::open_with_tip(&self.journal())
    }
}

fn append(store: &mut SqliteStore, records: u64) {
    for _ in 0..records {
        let tip = store.tip().unwrap();
        let command = match tip.seq {
            0 => founding(),
            seq => issue(seq.into(), 5),
        };
        let record = Record::of(tip, Timestamp(tip.seq), &[command]);
        store.append(&record).unwrap();
    }
}

/// Bytes of a frame: a page and its header.
const FRAME: usize = 24 + 4096;

#[test]
fn a_journal_that_lacks_acknowledged_records_is_refused_and_left_alone() {
    type Damage = fn(&Killed);
    let table: [(&str, Damage, &str); 6] = [
        (
            "the log is gone",
            |killed| fs::remove_file(killed.log()).unwrap(),
            "ends at record 0, but record 20 was acknowledged: records from 1 on",
        ),
        (
            "the log is half as long",
            |killed| killed.change(&killed.log(), |log| log.truncate(log.len() / 2)),
            "ends at record 7, but record 20 was acknowledged: records from 8 on",
        ),
        (
            "a bit of its last frame turns over",
            |killed| killed.change(&killed.log(), |log| *log.last_mut().unwrap() ^= 4),
            "ends at record 19, but record 20 was acknowledged: records from 20 on",
        ),
        (
            "a bit of an early frame turns over",
            |killed| killed.change(&killed.log(), |log| log[32 + 6 * FRAME + 100] ^= 4),
            "but record 20 was acknowledged: records from ",
        ),
        (
            "an older copy is put in its place",
            |killed| {
                fs::remove_file(killed.log()).unwrap();
                fs::remove_file(killed.journal()).unwrap();
                let mut older = SqliteStore::open(&killed.journal()).unwrap();
                append(&mut older, 7);
            },
            "ends at record 7, but record 20 was acknowledged: records from 8 on",
        ),
        (
            "another journal is put in its place",
            |killed| {
                fs::remove_file(killed.log()).unwrap();
                fs::remove_file(killed.journal()).unwrap();
                let mut other = SqliteStore::open(&killed.journal()).unwrap();
                let first = Record::of(Tip::default(), Timestamp(77), &[founding()]);
                other.append(&first).unwrap();
                append(&mut other, RECORDS + 5);
            },
            "is another one, but record 20 was acknowledged: records from 20 on",
        ),
    ];
    let whole = Killed::new();
    for (what, damage, expected) in table {
        let killed = whole.copy();
        damage(&killed);
        let log = fs::read(killed.log()).ok();
        let error = killed.open().expect_err(what).to_string();
        assert!(error.contains(expected), "{what}: {error}");
        assert!(error.contains("hint: "), "{error}");
        assert_eq!(
            fs::read(killed.log()).ok().unwrap_or_default(),
            log.unwrap_or_default(),
            "{what}"
        );
        let again = killed.open().expect_err(what).to_string();
        assert_eq!(again, error, "looking changes nothing");

        let mut written = None;
        let loss = accept_loss(&killed.journal(), |loss| {
            written = Some(*loss);
            Ok(())
        });
        let loss = loss.unwrap().expect(what);
        assert_eq!(Some(loss), written);
        assert_eq!(loss.acknowledged.seq, RECORDS);
        let (mut store, found) = killed.open().expect(what);
        assert_eq!(found.acknowledged(), Some(loss.ends));
        append(&mut store, 2);
        drop(store);
        assert_eq!(accept_loss(&killed.journal(), |_| Ok(())).unwrap(), None);
    }
}

/// A killed or powerless process leaves these, and nobody was told of what is dropped.
#[test]
fn what_nobody_was_told_of_is_dropped_and_counted() {
    type Damage = fn(&mut Vec<u8>);
    let table: [(&str, Damage, u64, u64); 5] = [
        ("nothing", |_| {}, 0, 0),
        (
            "half a frame header",
            |log| log.extend_from_within(32..32 + 20),
            1,
            20,
        ),
        (
            "a frame and a half",
            |log| log.extend_from_within(32..32 + FRAME * 3 / 2),
            2,
            6180,
        ),
        ("zeros", |log| log.extend([0; 9_000]), 0, 0),
        ("another log's frame", |log| log.extend([7; FRAME]), 0, 0),
    ];
    let whole = Killed::new();
    for (what, damage, frames, bytes) in table {
        let killed = whole.copy();
        killed.change(&killed.log(), damage);
        let (mut store, found) = killed.open().expect(what);
        assert_eq!(found.unfinished, Unfinished { bytes, frames }, "{what}");
        assert_eq!(found.acknowledged(), Some(store.tip().unwrap()));
        assert_eq!(store.tip().unwrap().seq, RECORDS);
        append(&mut store, 1);
        std::mem::forget(store);
        assert_eq!(
            look(&killed.journal()).unwrap().unfinished,
            Unfinished::default()
        );
    }
}

/// A power cut may leave an older tip file, or one that was never written; then it says less.
#[test]
fn a_tip_file_that_is_behind_or_broken_stops_nobody() {
    let whole = Killed::new();
    let tip_file = |killed: &Killed| killed.folder.path().join("journal.tip");
    let old = {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = SqliteStore::open_with_tip(&folder.path().join("j.sqlite")).unwrap();
        append(&mut store, 7);
        drop(store);
        fs::read(folder.path().join("j.tip")).unwrap()
    };
    for (bytes, unreadable) in [
        (Some(old), false),
        (Some(vec![]), true),
        (Some(vec![7; 80]), true),
        (None, false),
    ] {
        let killed = whole.copy();
        match &bytes {
            Some(bytes) => fs::write(tip_file(&killed), bytes).unwrap(),
            None => fs::remove_file(tip_file(&killed)).unwrap(),
        }
        let (store, found) = killed.open().unwrap();
        assert_eq!(found.is_tip_unreadable(), unreadable);
        assert_eq!(store.tip().unwrap().seq, RECORDS);
        let found = look(&killed.journal()).unwrap();
        assert_eq!(found.acknowledged(), Some(store.tip().unwrap()), "mended");
    }
    let mut turned = 0;
    for byte in 0..80 {
        let killed = whole.copy();
        killed.change(&tip_file(&killed), |bytes| bytes[byte] ^= 1);
        turned += u32::from(killed.open().unwrap().1.is_tip_unreadable());
    }
    assert_eq!(turned, 80);
}

/// Every 61st byte of file and log turns over: the journal is as it was, or is refused; if records
/// are gone or cannot be read, the first of them is named.
#[test]
fn a_flipped_byte_never_shortens_or_changes_a_journal() {
    let killed = Killed::new();
    let expected = replay(
        &SqliteStore::open_read_only(&killed.journal()).unwrap(),
        |_| {},
    )
    .unwrap();
    // The same, with everything in the file and nothing in the log.
    let closed = killed.copy();
    drop(closed.open().unwrap());
    fs::write(closed.log(), "").unwrap();
    let (mut same, mut named, mut refused) = (0, 0, 0);
    for whole in [&killed, &closed] {
        for file in [Killed::journal, Killed::log] {
            let bytes = fs::metadata(file(whole)).unwrap().len();
            for at in (0..usize::try_from(bytes).unwrap()).step_by(61) {
                let damaged = whole.copy();
                damaged.change(&file(&damaged), |bytes| bytes[at] ^= 0x10);
                let opened = damaged.open().and_then(|(store, _)| replay(&store, |_| {}));
                match opened {
                    Ok(found) => {
                        assert!(found == expected, "{:?} byte {at}", file(&damaged));
                        same += 1;
                    }
                    Err(StoreError::Lost { seq, .. } | StoreError::Damaged { seq, .. }) => {
                        assert!((1..=RECORDS).contains(&seq), "record {seq}, byte {at}");
                        named += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    let counted = format!("{same} changed nothing, {named} named, {refused} refused");
    assert!(named > 500 && refused < 40, "{counted}");
}
