//! Which crate may use which, and what each of them leaves to others.

use crate::workspace::{self, Package};
use anyhow::{Context, Result, ensure};
use std::fs;

/// A crate and the crates of this workspace it may use.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
}

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use }
}

/// The whole house. A new crate gets a line here first.
const ROOMS: &[Room] = &[
    room("aigen-types", &[]),
    room("aigen-ledger", &["aigen-types"]),
    room("aigen-economy", &["aigen-types"]),
    room(
        "aigen-network",
        &["aigen-types", "aigen-ledger", "aigen-economy"],
    ),
    room(
        "aigen-journal",
        &[
            "aigen-types",
            "aigen-ledger",
            "aigen-economy",
            "aigen-network",
        ],
    ),
    room("aigen-engine", &["aigen-types"]),
    room("aigen-engine-llama", &["aigen-types", "aigen-engine"]),
    room("aigen-engine-remote", &["aigen-types", "aigen-engine"]),
    room("aigen-jarvis", &["aigen-types", "aigen-engine"]),
    room(
        "aigen-jarvis-host",
        &["aigen-types", "aigen-engine", "aigen-jarvis"],
    ),
    room("aigen-functions", &["aigen-types"]),
    room("aigen-datasets", &["aigen-types"]),
    room(
        "aigen-node",
        &[
            "aigen-types",
            "aigen-ledger",
            "aigen-economy",
            "aigen-network",
            "aigen-journal",
            "aigen-engine",
            "aigen-jarvis",
            "aigen-jarvis-host",
            "aigen-datasets",
            "aigen-functions",
        ],
    ),
    room("aigen-outside", &["aigen-jarvis"]),
    room("aigen-api", &["aigen-types"]),
    room("aigen-gateway", &["aigen-types", "aigen-api", "aigen-node"]),
    room("aigen-mcp", &["aigen-types", "aigen-api"]),
    room("aigen-dashboard", &["aigen-types", "aigen-api"]),
    room("aigen-client", &["aigen-types", "aigen-api"]),
    room("aigen-marvin-macros", &[]),
    room(
        "aigen-marvin",
        &[
            "aigen-types",
            "aigen-api",
            "aigen-client",
            "aigen-marvin-macros",
            "aigen-engine",
            "aigen-jarvis",
        ],
    ),
    room(
        "aigen-testkit",
        &[
            "aigen-types",
            "aigen-ledger",
            "aigen-economy",
            "aigen-network",
            "aigen-journal",
        ],
    ),
    room(
        "aigen",
        &[
            "aigen-marvin",
            "aigen-types",
            "aigen-ledger",
            "aigen-economy",
            "aigen-network",
            "aigen-journal",
            "aigen-engine",
            "aigen-engine-llama",
            "aigen-engine-remote",
            "aigen-jarvis",
            "aigen-jarvis-host",
            "aigen-api",
            "aigen-client",
            "aigen-node",
            "aigen-outside",
            "aigen-gateway",
            "aigen-dashboard",
            "aigen-datasets",
            "aigen-functions",
            "aigen-mcp",
            "aigen-testkit",
        ],
    ),
    room("examples", &["aigen-types", "aigen-client", "aigen-marvin"]),
    room("aigen-testkit-guests", &[]),
    room("aigen-testkit-postgres", &[]),
    room("xtask", &[]),
];

/// Crates from outside that only some rooms may name outside their tests, and why.
const RESERVED: &[(&str, &[&str], &str)] = &[
    (
        "axum",
        &["aigen-gateway", "aigen-dashboard", "aigen-mcp"],
        "only the gateway, the pages and the tools before it speak HTTP",
    ),
    (
        "reqwest",
        &[
            "aigen-client",
            "aigen-engine-remote",
            "aigen-outside",
            "aigen",
        ],
        "only the client, remote engines, what controllers are granted and the binary's downloads call over HTTP",
    ),
    (
        "wasmtime",
        &["aigen-jarvis-host"],
        "only Jarvis runs guest programs",
    ),
    (
        "llama-cpp-2",
        &["aigen-engine-llama"],
        "one crate per engine",
    ),
    (
        "llama-cpp-sys-2",
        &["aigen-engine-llama"],
        "one crate per engine",
    ),
    ("rusqlite", &["aigen-journal"], "only the journal stores"),
    ("postgres", &["aigen-journal"], "only the journal stores"),
];

/// Concrete engines: tests do not name them either, so that they run without weights.
const CONCRETE_ENGINES: &[&str] = &["aigen-engine-llama", "aigen-engine-remote"];

/// Rooms that have no world in them, so that anyone can recompute what they say.
const PURE: &[&str] = &[
    "aigen-types",
    "aigen-ledger",
    "aigen-economy",
    "aigen-network",
];

/// All that pure rooms may use from outside: hashes, signatures and hex digits. Above all no
/// serde: serialised forms belong to `aigen-api` and `aigen-journal`.
const PURE_MAY_USE: &[&str] = &["blake3", "ed25519-dalek", "hex", "hmac", "sha2"];

/// What the first file of a pure room says about itself.
const PURE_SAYS: &[&str] = &[
    "#![no_std]",
    "clippy::float_arithmetic",
    "clippy::arithmetic_side_effects",
    "clippy::as_conversions",
];

pub fn run() -> Result<()> {
    let packages = workspace::packages()?;
    let mut faults = check(&packages);
    for package in packages.iter().filter(|package| is_pure(package)) {
        let path = &package.root_file;
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        faults.extend(check_pure_text(&package.name, &text));
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} crates keep their arrows", packages.len());
    Ok(())
}

fn is_pure(package: &Package) -> bool {
    PURE.contains(&package.name.as_str())
}

fn check(packages: &[Package]) -> Vec<String> {
    let mut faults: Vec<String> = packages.iter().flat_map(check_package).collect();
    let missing = ROOMS
        .iter()
        .filter(|room| !packages.iter().any(|package| package.name == room.name));
    faults.extend(
        missing.map(|room| format!("{}: in the table but not in the workspace", room.name)),
    );
    faults
}

fn check_package(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!(
            "{name}: unknown crate; give it a line in xtask/src/arrows.rs"
        )];
    };
    let mut faults = Vec::new();
    if !package.folder.ends_with(name) {
        faults.push(format!("{name}: its folder has another name"));
    }
    for dependency in &package.dependencies {
        let used = dependency.name.as_str();
        let why = if dependency.dev {
            why_not_in_tests(room, used)
        } else {
            why_not(room, used)
        };
        faults.extend(why.map(|why| format!("{name} -> {used}: {why}")));
    }
    faults
}

/// Why a room may not use a crate; `None` when it may.
fn why_not(room: &Room, used: &str) -> Option<&'static str> {
    if ROOMS.iter().any(|room| room.name == used) {
        return (!room.may_use.contains(&used)).then_some("the table allows no such arrow");
    }
    if PURE.contains(&room.name) && !PURE_MAY_USE.contains(&used) {
        return Some("a pure room uses only hashes and signatures from outside");
    }
    let (_, rooms, why) = RESERVED.iter().find(|(name, ..)| *name == used)?;
    (!rooms.contains(&room.name)).then_some(why)
}

fn why_not_in_tests(room: &Room, used: &str) -> Option<&'static str> {
    let concrete = CONCRETE_ENGINES.contains(&used) && !room.may_use.contains(&used);
    concrete.then_some("only the binary names a concrete engine")
}

fn check_pure_text(name: &str, text: &str) -> Vec<String> {
    let missing = PURE_SAYS.iter().filter(|phrase| !text.contains(**phrase));
    missing
        .map(|phrase| format!("{name}: a pure room, but its first file does not say `{phrase}`"))
        .collect()
}

#[cfg(test)]
mod tests;
