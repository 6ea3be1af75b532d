//! A small file can unpack to much: what is written has a bound, and nothing of it is left.

use super::{World, write};
use crate::Format::{self, Csv, JsonLines, Parquet, Text};
use crate::gather::{Room, gather};
use crate::{ImportError, Source};
use std::fs;

const ROOM: u64 = 64 << 10;

/// Files of less than [`ROOM`] whose rows are more.
fn small() -> [(Format, Vec<u8>); 5] {
    let word = "x".repeat(1_000);
    let rows = vec![(word.as_str(), None, 0.0); 1_000];
    let names: Vec<String> = (0..200).map(|n| format!("{n:0>100}")).collect();
    let numbers = format!("{}1\n", "1,".repeat(199)).repeat(20);
    [
        (Parquet, write::parquet(&rows)),
        (Parquet, write::parquet(&vec![("", None, 0.0); 10_000])),
        (Csv, format!("{}\n{numbers}", names.join(",")).into_bytes()),
        (Text, "x\n\n".repeat(10_000).into_bytes()),
        // Whole rows, and what says where they end.
        (JsonLines, "{\"a\":1}\n".repeat(6_000).into_bytes()),
    ]
}

fn is_full(error: &ImportError) -> bool {
    matches!(error, ImportError::Full(ROOM))
}

#[test]
fn no_more_is_written_than_there_is_room_for() {
    for (at, (format, bytes)) in small().into_iter().enumerate() {
        assert!((bytes.len() as u64) < ROOM, "{at}: {}", bytes.len());
        let world = World::bounded(ROOM);
        let error = world.import(format, &bytes).expect_err("it is larger");
        assert!(is_full(&error), "{at}: {error}");
        assert_eq!(world.names(), [""; 0], "{at}: nothing is left");
        assert!(World::new().import(format, &bytes).is_ok(), "{at}");

        let source = Source::new(&world.folder.path().join("source"), format);
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        let room = Room {
            free: ROOM,
            known: 4 * ROOM,
            all: ROOM,
        };
        let _ = gather(&source, &mut rows, &mut ends, room, &mut |_| {});
        let written = (rows.len() + ends.len()) as u64;
        assert!(written <= ROOM && written > ROOM / 2, "{at}: {written}");
    }
}

#[test]
fn the_same_rows_need_no_room_of_their_own() {
    let world = World::bounded(ROOM);
    let text = |letter: &str| letter.repeat(50_000);
    let first = world.import(Text, text("x").as_bytes()).expect("it fits");
    let again = world.import(Text, text("x").as_bytes());
    assert_eq!(again.expect("it is here"), first);
    let other = world.import(Text, text("y").as_bytes());
    assert!(other.is_err_and(|error| is_full(&error)));
    assert_eq!(world.names(), [first.digest.to_string()]);
    // What a folder held before counts.
    let root = world.folder.path().join("datasets");
    let library = crate::Library::open(&root).expect("again").bounded(ROOM);
    let source = Source::new(&world.folder.path().join("source"), Text);
    let other = library.import(&source, &mut |_| {});
    assert!(other.is_err_and(|error| is_full(&error)));
    library.remove(&first.digest).expect("removed");
    assert!(library.import(&source, &mut |_| {}).is_ok());
    assert_eq!(fs::read_dir(root).expect("a folder").count(), 1);
}
