//! Records of released versions stay readable, byte for byte.

use super::{every_command, later_commands};
use crate::record::{Record, Tip};
use aigen_network::Command;
use aigen_types::{Digest, Timestamp};

/// The first release's commands.
const FIRST: (&str, &str) = ("record-v1.hex", include_str!("record-v1.hex"));

/// Budgets, allowances and corrections.
const LATER: (&str, &str) = (
    "record-v1-budgets.hex",
    include_str!("record-v1-budgets.hex"),
);

fn record(commands: &[Command]) -> Record {
    let tip = Tip {
        seq: 41,
        hash: Digest([0xab; 32]),
    };
    Record::of(tip, Timestamp(1_700_000_000_000_000_000), commands)
}

fn is_written((file, golden): (&str, &str), commands: &[Command]) {
    let bytes = record(commands).to_bytes();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = format!("src/tests/{file}");
        std::fs::write(path, &hex).expect("the source tree is writable");
    }
    assert_eq!(
        hex, golden,
        "the form of a record changed: raise RECORD_VERSION and keep reading the old one"
    );
}

fn is_read((_, golden): (&str, &str), commands: &[Command]) {
    let bytes: Vec<u8> = golden
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let read = Record::from_bytes(&bytes).expect("whole");
    assert_eq!(read.commands().expect("known"), commands);
    assert_eq!(read, record(commands));
}

#[test]
fn version_1_is_written_as_it_always_was() {
    is_written(FIRST, &every_command());
    is_written(LATER, &later_commands());
}

#[test]
fn version_1_is_read() {
    is_read(FIRST, &every_command());
    is_read(LATER, &later_commands());
}

/// A command that an earlier form can say has no later one, so that equal commands are equal bytes.
#[test]
fn every_command_has_one_form() {
    for command in every_command() {
        let mut bytes = crate::record::encode(&command);
        let later: &[u8] = match (bytes[0], &command) {
            (4, _) => &[0],
            // No node, one token at least, nobody else.
            (9, _) => &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            _ => continue,
        };
        bytes[0] = if bytes[0] == 4 { 19 } else { 18 };
        bytes.extend_from_slice(later);
        let mut record = record(&[]);
        (record.count, record.body) = (1, bytes);
        let refused = record.commands().unwrap_err().to_string();
        assert!(refused.contains("earlier form"), "{refused}");
    }
}
