//! What can go wrong before a node serves: each a clear error with a way out, none a panic,
//! and nothing is changed.

use crate::check;
use crate::support::Folder;
use std::fs;
use std::net::TcpListener;

#[test]
fn a_port_in_use() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check!(folder.run(&["serve", "--listen", &address]), @"");
}

#[test]
fn a_data_folder_that_cannot_be_written() {
    let folder = Folder::new();
    folder.write("file", "in the way");
    check!(folder.run(&["serve", "--data-dir", "file/data"]), @"");
}

#[test]
fn a_data_folder_of_somebody_else() {
    let folder = Folder::new();
    folder.write("thesis.txt", "precious");
    check!(folder.run(&["serve", "--data-dir", "."]), @"");
    assert!(!folder.file("journal.sqlite").exists());
}

#[test]
fn a_data_folder_in_use() {
    let folder = Folder::new();
    let _first = folder.serve(&[]);
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @"");
}

#[test]
fn no_node_is_running() {
    let folder = Folder::new();
    check!(folder.run(&["fund", "user:ada", "1"]), @"");
    let (code, _) = folder.serve(&[]).stop();
    assert_eq!(code, 0);
    check!(folder.run(&["fund", "user:ada", "1"]), @"");
    // Nothing listens on port 1.
    check!(folder.run(&["fund", "user:ada", "1", "--url", "http://127.0.0.1:1"]), @"");
}

#[test]
fn a_killed_node_is_not_taken_for_a_running_one() {
    let folder = Folder::new();
    folder.serve(&[]).kill();
    check!(folder.run(&["fund", "user:ada", "1"]), @"");
}

#[test]
fn models_that_are_none() {
    let folder = Folder::new();
    folder.write("page.gguf", "<html>not found</html>");
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");
    let weights = fs::read(bundled).unwrap();
    folder.write("half.gguf", &weights[..weights.len() / 2]);
    let serve = |model| folder.run(&["serve", "--listen", "127.0.0.1:0", "--model", model]);
    check!(serve("missing.gguf"), @"");
    check!(serve("page.gguf"), @"");
    check!(serve("half.gguf"), @"");
    check!(serve("unknown"), @"");
}

#[test]
fn a_damaged_journal_names_the_record_and_stays_as_it_is() {
    let folder = Folder::new();
    folder.serve(&[]).stop();
    let journal = folder.file(".aigen/journal.sqlite");
    damage_record(&journal, 2);
    let before = fs::read(&journal).unwrap();
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @"");
    check!(folder.run(&["ledger", "verify"]), @"");
    check!(folder.run(&["ledger", "verify", "--json"]), @"");
    check!(folder.run(&["ledger", "balance"]), @"");
    assert!(
        fs::read(&journal).unwrap() == before,
        "the journal was changed"
    );
}

/// Flips one bit in the middle of a record.
fn damage_record(journal: &std::path::Path, seq: i64) {
    let connection = rusqlite::Connection::open(journal).unwrap();
    let select = "SELECT record FROM journal WHERE seq = ?1";
    let mut record: Vec<u8> = connection
        .query_row(select, [seq], |row| row.get(0))
        .unwrap();
    let middle = record.len() / 2;
    record[middle] ^= 1;
    let update = "UPDATE journal SET record = ?2 WHERE seq = ?1";
    connection
        .execute(update, rusqlite::params![seq, record])
        .unwrap();
}

#[test]
fn a_journal_that_is_none() {
    let folder = Folder::new();
    folder.serve(&[]).stop();
    let journal = folder.write(
        ".aigen/journal.sqlite",
        "this is no database at all, but text",
    );
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @"");
    assert_eq!(
        fs::read_to_string(journal).unwrap(),
        "this is no database at all, but text"
    );
}

/// What a request can have wrong, as `aigen chat` tells it.
#[test]
fn requests_that_are_refused() {
    let folder = Folder::new();
    let dev = folder.dev();
    check!(folder.run(&["chat", "Hello!", "--model", "gpt-7"]), @"");
    check!(folder.run(&["chat", "Hello!", "--url", dev.url(), "--key", "aigen_dev.wrong"]), @"");
    check!(folder.run(&["chat", "Hello!", "--url", dev.url(), "--key", ""]), @"");
    check!(folder.run(&["chat", "Hello!", "--controller", "nobody/nothing@1.0.0"]), @"");
    check!(folder.run(&["chat", "Hello!", "--controller", "regex", "--param", "pattern=("]), @"");
    let schema = r#"schema={"type":"nonsense"}"#;
    check!(folder.run(&["chat", "Hello!", "--controller", "json-schema", "--param", schema]), @"");
    let long = "word ".repeat(5000);
    check!(folder.run(&["chat", &long]), @"");
    let poor = folder.json(&["key", "create", "user:poor"]);
    let poor = poor["key"].as_str().unwrap();
    check!(folder.run(&["chat", "Hello!", "--key", poor]), @"");
    check!(folder.run(&["fund", "user:ada", "0"]), @"");
    check!(folder.run(&["fund", "issuance", "1"]), @"");
    check!(folder.run(&["fund", "user:ada", "1", "--key", poor]), @"");
    check!(folder.run(&["receipt", "00000000000000000000000000000001"]), @"");
    check!(folder.run(&["key", "revoke", "nobody"]), @"");
}
