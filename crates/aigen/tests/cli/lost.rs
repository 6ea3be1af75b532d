//! Journals that end before they should, and disks without room.

use crate::check;
use crate::support::{Folder, Ran, Serving};
use std::fs;
use std::process::{Command, Stdio};

/// The log of a killed node, with its last frame damaged.
fn damaged() -> Folder {
    let folder = Folder::new();
    let mut node = folder.dev();
    for _ in 0..3 {
        folder.json(&["fund", "user:ada", "1"]);
    }
    node.kill();
    let log = folder.file(".aigen/journal.sqlite-wal");
    let mut bytes = fs::read(&log).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&log, bytes).unwrap();
    folder
}

/// What the log would only make shorter.
#[test]
fn a_lost_record_is_missed_until_somebody_accepts_it() {
    let folder = damaged();
    let fault = folder.run(&["ledger", "verify", "--json"]);
    assert_eq!(fault.code, 1, "{fault}");
    let fault: serde_json::Value = serde_json::from_str(&fault.stdout).unwrap();
    let records = fault["records"].as_u64().unwrap();
    assert_eq!(fault["fault"]["seq"], records + 1, "{fault}");
    let lost = format!(
        "ends at record {records}, but record {} was acknowledged",
        records + 1
    );
    let says = |ran: &Ran| {
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stderr.contains(&lost), "{ran}");
        assert!(
            ran.stderr.contains("aigen ledger repair --accept-loss"),
            "{ran}"
        );
    };
    says(&folder.run(&["serve", "--listen", "127.0.0.1:0"]));
    says(&folder.run(&["ledger", "verify"]));
    assert_eq!(folder.run(&["ledger", "repair"]).code, 2);

    let repaired = folder.json(&["ledger", "repair", "--accept-loss"]);
    assert_eq!(repaired["records"], records, "{repaired}");
    assert_eq!(repaired["acknowledged"], records + 1, "{repaired}");
    let written = fs::read_to_string(folder.file(".aigen/losses.jsonl")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written, repaired);
    let log = repaired["log"].as_str().unwrap();
    assert!(folder.file(&format!(".aigen/{log}")).exists());

    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["records"], records, "{verified}");
    assert_eq!(verified["acknowledged"], records, "{verified}");
    let (code, _) = folder.dev().stop();
    assert_eq!(code, 0);
    check!(folder.run(&["ledger", "repair", "--accept-loss"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: every acknowledged record is there: nothing to repair
    hint: `aigen ledger verify` checks everything else; nothing was changed
    ");
}

/// A process was killed as it wrote: nobody was told of that record.
#[test]
fn an_unfinished_record_is_dropped_and_reported() {
    let folder = Folder::new();
    folder.dev().kill();
    let log = folder.file(".aigen/journal.sqlite-wal");
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend_from_within(32..1_032);
    fs::write(&log, bytes).unwrap();
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["unfinished_bytes"], 1_000, "{verified}");
    assert_eq!(verified["unfinished_frames"], 1, "{verified}");
    assert_eq!(verified["acknowledged"], verified["records"], "{verified}");
    let (code, stderr) = folder.dev().stop();
    assert_eq!(code, 0, "{stderr}");
    let reports = [
        "dropped what stood behind the journal's last record",
        "\"bytes\":1000",
    ];
    for words in reports {
        assert!(stderr.contains(words), "{words} in {stderr}");
    }
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["unfinished_bytes"], 0, "{verified}");
}

/// Files may grow to 300 KiB: what is written beyond fails, as on a disk without room.
#[test]
fn a_full_disk_ends_the_node_and_loses_nothing() {
    let folder = Folder::new();
    // Unpacks the model, which needs more room.
    let (code, _) = folder.dev().stop();
    assert_eq!(code, 0);
    let whole = folder.command(&["dev", "--port", "0", "--json"]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""])
        .arg(whole.get_program())
        .args(whole.get_args())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    for (name, value) in whole.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let node = Serving::start(&mut limited);
    let mut funded = 0;
    while folder.run(&["fund", "user:ada", "1"]).code == 0 {
        funded += 1;
    }
    let (status, stderr) = node.ended();
    assert_eq!(status.code(), None, "it aborts");
    let because = "a record could not be made durable; the process ends here";
    for words in [
        because,
        "cannot append record ",
        "journal.sqlite: ",
        "make room on that disk",
    ] {
        assert!(stderr.contains(words), "{words} in {stderr}");
    }
    assert!(funded > 3, "{funded}");

    let _room = folder.dev();
    let balance = folder.json(&["ledger", "balance", "user:ada"]);
    assert_eq!(balance["data"][0]["available"], format!("{funded}.00"));
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}
