//! Records of released versions stay readable, byte for byte.

use super::every_command;
use crate::record::{Record, Tip};
use aigen_types::{Digest, Timestamp};

const VERSION_1: &str = include_str!("record-v1.hex");

fn record() -> Record {
    let tip = Tip {
        seq: 41,
        hash: Digest([0xab; 32]),
    };
    Record::of(tip, Timestamp(1_700_000_000_000_000_000), &every_command())
}

#[test]
fn version_1_is_written_as_it_always_was() {
    let hex: String = record()
        .to_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write("src/tests/record-v1.hex", &hex).expect("the source tree is writable");
    }
    assert_eq!(
        hex, VERSION_1,
        "the form of a record changed: raise RECORD_VERSION and keep reading the old one"
    );
}

#[test]
fn version_1_is_read() {
    let bytes: Vec<u8> = VERSION_1
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let read = Record::from_bytes(&bytes).expect("whole");
    assert_eq!(read.commands().expect("known"), every_command());
    assert_eq!(read, record());
}
