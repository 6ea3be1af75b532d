//! A node that saves its state by itself, and starts from it.

use crate::support::{Folder, Serving};
use serde_json::Value;

fn node(folder: &Folder) -> Serving {
    let mut dev = folder.command(&["dev", "--port", "0", "--json"]);
    dev.env("AIGEN_SNAPSHOT_COMMANDS", "20");
    Serving::start(dev.env("AIGEN_LOG", "warn,aigen=info"))
}

fn logged(node: &mut Serving, words: &str) -> Value {
    serde_json::from_str(&node.logged(words)).unwrap()
}

/// Killed at once: what it starts from has been synced.
#[test]
fn a_running_node_saves_its_state_and_the_next_starts_from_it() {
    let folder = Folder::new();
    let mut first = node(&folder);
    let recovered = logged(&mut first, "journal recovered");
    assert_eq!(recovered["snapshot"], Value::Null, "{recovered}");
    for _ in 0..8 {
        let ran = folder.run(&["chat", "Hello!"]);
        assert_eq!(ran.code, 0, "{ran}");
    }
    let saved = logged(&mut first, "saved a snapshot");
    let at = saved["record"].as_u64().unwrap();
    folder.json(&["fund", "user:ada", "7"]);
    let state = || {
        [
            folder.json(&["ledger", "balance", "user:ada"]),
            folder.json(&["usage"]),
        ]
    };
    let before = state();
    first.kill();

    let mut second = node(&folder);
    let recovered = logged(&mut second, "journal recovered");
    let snapshot = recovered["snapshot"].as_u64().unwrap();
    assert!(snapshot >= at, "{recovered}");
    let replayed = recovered["replayed"].as_u64().unwrap();
    assert_eq!(recovered["records"], snapshot + replayed, "{recovered}");
    // That of `user:dev` is filled up at each start.
    assert_eq!(state(), before);
    // It replays everything, and compares each snapshot with what it comes to.
    let verified = folder.run(&["ledger", "verify"]);
    assert!(verified.stdout.contains("snapshots   "), "{verified}");
    assert!(!verified.stdout.contains("snapshots   0"), "{verified}");
}
