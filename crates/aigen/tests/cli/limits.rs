//! The ends of what there is: the largest amounts, clocks, and journals of versions to come.

use crate::check;
use crate::support::Folder;
use rusqlite::{Connection, params};

/// One transfer moves at most 2^63 - 1 nano-AIGEN, and all of them together less than 2^128.
#[test]
fn amounts_at_the_limits_of_their_type() {
    let folder = Folder::new();
    let _node = folder.dev();
    for (amount, says) in [
        ("0", "error: the amount is zero"),
        ("-1", "an amount is digits with at most one point"),
        (
            "0.0000000001",
            "an amount has at most nine digits after the point",
        ),
        ("0.000000001", "issued 0.000000001 AIGEN"),
        ("9223372036.854775807", "issued 9223372036.854775807 AIGEN"),
        ("9223372036.854775807", "issued 9223372036.854775807 AIGEN"),
        (
            "9223372036.854775808",
            "at most 9223372036854775807 nano-AIGEN; split it",
        ),
        (
            "340282366920938463463374607431.768211455",
            "the debit account's posted debits would pass 2^128 - 1",
        ),
        (
            "340282366920938463463374607431.768211456",
            "the amount is too large",
        ),
    ] {
        let ran = folder.run(&["fund", "--", "user:ada", amount]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(says), "{amount}: {ran}");
        assert_eq!(ran.code == 0, says.starts_with("issued"), "{amount}: {ran}");
    }
    let ada = folder.json(&["ledger", "balance", "user:ada"]);
    let whole = 2 * i64::MAX.unsigned_abs() + 1;
    assert_eq!(ada["data"][0]["available_nano"], whole.to_string(), "{ada}");
    let verified = folder.run(&["ledger", "verify"]);
    assert!(verified.stdout.contains("ledger verified"), "{verified}");
}

fn journal(folder: &Folder) -> Connection {
    Connection::open(folder.file(".aigen/journal.sqlite")).unwrap()
}

#[test]
fn a_journal_of_a_version_to_come() {
    let folder = Folder::new();
    folder.serve(&[]).stop();
    journal(&folder)
        .pragma_update(None, "user_version", 99)
        .unwrap();
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot start from the journal .aigen/journal.sqlite
      because: .aigen/journal.sqlite has version 99, this program reads version 2 and older
    hint: update aigen; nothing was changed
    ");
    check!(folder.run(&["ledger", "verify"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot read the journal .aigen/journal.sqlite
      because: .aigen/journal.sqlite has version 99, this program reads version 2 and older
    hint: update aigen; nothing was changed
    ");
}

/// Whole, as its hash shows, and written by a program that knows more.
#[test]
fn a_record_of_a_version_to_come() {
    let folder = Folder::new();
    folder.serve(&[]).stop();
    let select = "SELECT record FROM journal WHERE seq = 3";
    let connection = journal(&folder);
    let mut record: Vec<u8> = connection.query_row(select, [], |row| row.get(0)).unwrap();
    let hashed = record.len() - 32;
    record[32] = 99;
    let hash = blake3::hash(&record[..hashed]);
    record[hashed..].copy_from_slice(hash.as_bytes());
    connection
        .execute(
            "UPDATE journal SET record = ?1 WHERE seq = 3",
            params![record],
        )
        .unwrap();
    drop(connection);
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot start from the journal .aigen/journal.sqlite
      because: journal record 3: its format version is 99, this program reads 2 and older
    hint: update aigen; nothing was changed
    ");
    check!(folder.run(&["ledger", "verify"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: journal record 3: its format version is 99, this program reads 2 and older
    hint: update aigen; nothing was changed
    ");
}
