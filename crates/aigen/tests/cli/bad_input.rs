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
    check!(folder.run(&["serve", "--listen", &address]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot listen on 127.0.0.1:[PORT]
      because: Address already in use (os error 98)
    hint: choose another address, like --listen 127.0.0.1:[PORT], or stop what uses this one
    ");
}

#[test]
fn a_data_folder_that_cannot_be_written() {
    let folder = Folder::new();
    folder.write("file", "in the way");
    check!(folder.run(&["serve", "--data-dir", "file/data"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot use the data folder file/data
      because: Not a directory (os error 20)
    hint: name one that you can write to with --data-dir
    ");
}

#[test]
fn a_data_folder_of_somebody_else() {
    let folder = Folder::new();
    folder.write("thesis.txt", "precious");
    check!(folder.run(&["serve", "--data-dir", "."]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the folder . is not empty and not an AiGen data folder
    hint: name an empty or new folder with --data-dir; nothing was changed
    ");
    assert!(!folder.file("journal.sqlite").exists());
}

#[test]
fn a_data_folder_in_use() {
    let folder = Folder::new();
    let _first = folder.serve(&[]);
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the data folder .aigen is in use by a running node (process [PID], at http://127.0.0.1:[PORT])
    hint: stop that node, or give this one a folder of its own with --data-dir
    ");
}

#[test]
fn no_node_is_running() {
    let folder = Folder::new();
    check!(folder.run(&["fund", "user:ada", "1"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is no AiGen data in .aigen
    hint: start a node with `aigen dev`, or name its folder with --data-dir
    ");
    let (code, _) = folder.serve(&[]).stop();
    assert_eq!(code, 0);
    check!(folder.run(&["fund", "user:ada", "1"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no node is running on the data folder .aigen
    hint: start it with `aigen serve`, or say where one is with --url
    ");
    // Nothing listens on port 1.
    check!(folder.run(&["fund", "user:ada", "1", "--url", "http://127.0.0.1:1"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no node answers at http://127.0.0.1:[PORT]: Connection refused (os error 111)
    hint: start it with `aigen serve`, or say where one is with --url
    ");
}

#[test]
fn a_killed_node_is_not_taken_for_a_running_one() {
    let folder = Folder::new();
    folder.serve(&[]).kill();
    check!(folder.run(&["fund", "user:ada", "1"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no node answers at http://127.0.0.1:[PORT]: Connection refused (os error 111)
    hint: start it with `aigen serve`, or say where one is with --url
    ");
}

#[test]
fn models_that_are_none() {
    let folder = Folder::new();
    folder.write("page.gguf", "<html>not found</html>");
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");
    let weights = fs::read(bundled).unwrap();
    folder.write("half.gguf", &weights[..weights.len() / 2]);
    let serve = |model| folder.run(&["serve", "--listen", "127.0.0.1:0", "--model", model]);
    check!(serve("missing.gguf"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot serve the model `missing`
      because: there is no model at missing.gguf
    hint: check the path, or download the model first
    ");
    check!(serve("page.gguf"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot serve the model `page`
      because: page.gguf is not a GGUF file
    hint: models for this engine end in .gguf; others can be converted with llama.cpp's convert_hf_to_gguf.py
    ");
    check!(serve("half.gguf"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot serve the model `half`
      because: half.gguf is incomplete: it has [BYTES] of [BYTES]
    hint: the download stopped early: download the file again
    ");
    check!(serve("unknown"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot serve the model `unknown`
      because: there is no model named `unknown` here; there is aigen-tiny
    hint: add one with `aigen model add FILE` or `aigen model pull hf:OWNER/REPO/FILE.gguf`
    ");
}

#[test]
fn a_damaged_journal_names_the_record_and_stays_as_it_is() {
    let folder = Folder::new();
    folder.serve(&[]).stop();
    let journal = folder.file(".aigen/journal.sqlite");
    damage_record(&journal, 2);
    let before = fs::read(&journal).unwrap();
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot start from the journal .aigen/journal.sqlite
      because: journal record 2 is damaged: its hash does not match its contents
    hint: nothing was changed; restore this data directory from a backup, or look at it with `aigen ledger verify`
    ");
    check!(folder.run(&["ledger", "verify"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the ledger does not verify at journal record 2
      because: journal record 2 is damaged: its hash does not match its contents
    hint: nothing was changed; restore this data directory from a backup, or look at it with `aigen ledger verify`
    ");
    check!(folder.run(&["ledger", "verify", "--json"]), @r#"
    exit code: 1
    ----- stdout
    {"ok":false,"records":1,"fault":{"seq":2,"reason":"journal record 2 is damaged: its hash does not match its contents"}}
    ----- stderr
    "#);
    check!(folder.run(&["ledger", "balance"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: journal record 2 is damaged: its hash does not match its contents
    hint: nothing was changed; restore this data directory from a backup, or look at it with `aigen ledger verify`
    ");
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
    // SQLite's log of recent pages would repair the file.
    let _ = fs::remove_file(folder.file(".aigen/journal.sqlite-wal"));
    let text = "this is no database at all, but text";
    let journal = folder.write(".aigen/journal.sqlite", text);
    check!(folder.run(&["serve", "--listen", "127.0.0.1:0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot start from the journal .aigen/journal.sqlite
      because: .aigen/journal.sqlite is not a journal
    hint: choose another data directory with --data-dir; nothing was changed
    hint: .aigen/journal.sqlite held 3 records when it was last used; if nobody has replaced it, it is damaged: restore a backup
    ");
    assert_eq!(fs::read_to_string(journal).unwrap(), text);
}

/// What a request can have wrong, as `aigen chat` tells it.
#[test]
fn requests_that_are_refused() {
    let folder = Folder::new();
    let dev = folder.dev();
    check!(folder.run(&["chat", "Hello!", "--model", "gpt-7"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: model "gpt-7" is not served here
    hint: ask for one that is: aigen-tiny
    "#);
    check!(folder.run(&["chat", "Hello!", "--url", dev.url(), "--key", "aigen_dev.wrong"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the API key is missing or wrong
    hint: check the key, or ask the operator for a new one
    ");
    check!(folder.run(&["chat", "Hello!", "--url", dev.url(), "--key", ""]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the request carries no API key
    hint: send `Authorization: Bearer <key>` or `x-api-key: <key>`
    ");
    check!(folder.run(&["chat", "Hello!", "--controller", "nobody/nothing@1.0.0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: controller `nobody/nothing@1.0.0` is not published here
    hint: `aigen controller list` lists what is published here
    ");
    check!(folder.run(&["chat", "Hello!", "--controller", "regex", "--param", "pattern=("]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the regular expression is not valid: unclosed group (at column 1: "(")
    hint: correct the controller, its parameters or the schema
    "#);
    let schema = r#"schema={"type":"nonsense"}"#;
    check!(folder.run(&["chat", "Hello!", "--controller", "json-schema", "--param", schema]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: Invalid type: nonsense
    hint: correct the controller, its parameters or the schema
    ");
    let long = "word ".repeat(5000);
    check!(folder.run(&["chat", &long]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the prompt has [N] tokens, the model's context holds [N]
    hint: shorten the prompt
    ");
    let poor = folder.json(&["key", "create", "user:poor"]);
    let poor = poor["key"].as_str().unwrap();
    check!(folder.run(&["chat", "Hello!", "--key", poor]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: 0.00 AIGEN available, [AMOUNT] AIGEN needed
    hint: ask the operator: aigen fund user:poor [AMOUNT]
    ");
    check!(folder.run(&["fund", "user:ada", "0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the amount is zero
    hint: correct the request and send it again
    ");
    check!(folder.run(&["fund", "issuance", "1"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: money moves from and to this address by rule alone
    hint: see GET /v1/aigen/account for the address of your key
    ");
    check!(folder.run(&["fund", "user:ada", "1", "--key", poor]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: this key may not do that: it needs an operator's key
    hint: use a key that may, or ask the operator
    ");
    check!(folder.run(&["receipt", "00000000000000000000000000000001"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is no receipt [ID] of this account
    hint: check the id; a running call has no receipt yet
    ");
    check!(folder.run(&["key", "revoke", "nobody"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no such key
    hint: check the name
    ");
}
