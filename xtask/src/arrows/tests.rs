use super::*;
use crate::workspace::Dependency;

/// The faults of one crate that uses `used`.
fn faults(name: &str, used: &str, dev: bool) -> Vec<String> {
    let dependency = Dependency {
        name: used.to_owned(),
        dev,
    };
    check_package(&Package {
        name: name.to_owned(),
        folder: format!("crates/{name}").into(),
        root_file: "src/lib.rs".into(),
        dependencies: vec![dependency],
    })
}

#[test]
fn this_workspace_keeps_its_arrows() {
    run().unwrap();
}

#[test]
fn arrows_are_refused_and_allowed() {
    for (name, used, allowed) in [
        ("aigen-ledger", "aigen-types", true),
        ("aigen-ledger", "aigen-gateway", false),
        ("aigen-types", "aigen-ledger", false),
        ("aigen-gateway", "aigen-engine-llama", false),
        ("aigen", "aigen-engine-llama", true),
        ("aigen-gateway", "axum", true),
        ("aigen-node", "axum", false),
        ("aigen-jarvis-host", "wasmtime", true),
        ("aigen-jarvis", "wasmtime", false),
        ("aigen", "wasmtime", false),
        ("aigen-node", "rusqlite", false),
        ("aigen-economy", "serde", false),
        ("aigen-network", "blake3", true),
        ("aigen-api", "serde", true),
        ("aigen-core", "serde", false),
    ] {
        let faults = faults(name, used, false);
        assert_eq!(faults.is_empty(), allowed, "{name} -> {used}: {faults:?}");
    }
}

#[test]
fn tests_may_use_more_but_no_concrete_engine() {
    assert!(faults("aigen-client", "axum", true).is_empty());
    assert!(faults("aigen-ledger", "proptest", true).is_empty());
    assert!(!faults("aigen-node", "aigen-engine-llama", true).is_empty());
}

#[test]
fn every_room_of_the_table_is_there() {
    assert!(check(&[])[0].contains("not in the workspace"));
}

#[test]
fn arrows_have_no_circle() {
    // Every room may use only rooms above it, but for the API, which is its own root.
    for (at, room) in ROOMS.iter().enumerate() {
        for used in room.may_use {
            let place = ROOMS.iter().position(|room| room.name == *used);
            assert!(
                place.is_some_and(|place| place < at),
                "{} -> {used}",
                room.name
            );
        }
    }
}

#[test]
fn a_pure_room_says_so() {
    let text = "#![no_std]\n#![deny(clippy::float_arithmetic, clippy::as_conversions)]";
    let faults = check_pure_text("aigen-types", text);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("arithmetic_side_effects"));
}
