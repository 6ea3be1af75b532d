//! The three apps as their users run them: real nodes, the model that comes with the program.
//!
//! `make test` brings what they need that is not Rust; where it is missing, tests are skipped and
//! say so, and fail under `CI`. The program itself has to be built, as by `cargo test --workspace`.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const EXAMPLES: &str = env!("CARGO_MANIFEST_DIR");

fn root() -> &'static Path {
    Path::new(EXAMPLES).parent().unwrap()
}

/// The folder of the programs under test.
fn programs() -> PathBuf {
    let sentiment = Path::new(env!("CARGO_BIN_EXE_sentiment"));
    let folder = sentiment.parent().unwrap().to_owned();
    let aigen = folder.join("aigen");
    assert!(
        aigen.exists(),
        "there is no {}\nhint: cargo build -p aigen",
        aigen.display()
    );
    folder
}

fn named(variable: &str, made: &str) -> PathBuf {
    std::env::var_os(variable).map_or(root().join("target").join(made), PathBuf::from)
}

fn python() -> PathBuf {
    named("AIGEN_TEST_PYTHON", "python/bin/python")
}

/// Whether Python with pytest and mypy, and Node.js with TypeScript, are there.
fn is_set_up() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let probe = Command::new(python()).args(["-c", "import pytest, mypy"]).output();
        let modules = named("AIGEN_TEST_NODE", "node").join("node_modules/typescript");
        let node = Command::new("node").arg("--version").output();
        let found = probe.is_ok_and(|ran| ran.status.success())
            && node.is_ok_and(|ran| ran.status.success())
            && modules.is_dir();
        if !found {
            let missing = "Python with pytest and mypy, or Node.js with TypeScript, is missing; `make test` installs it";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            let _ = writeln!(std::io::stderr(), "SKIP: {missing}");
        }
        found
    })
}

/// Runs a command in the repository's folder; it must succeed. What it printed.
#[track_caller]
fn ran(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let output = Command::new(program.as_ref())
        .args(arguments)
        .current_dir(root())
        .env("AIGEN_PROGRAMS", programs())
        .env("AIGEN_TEST_NODE", named("AIGEN_TEST_NODE", "node"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MYPYPATH", "sdk/python/src:examples:examples/learning")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{arguments:?}\n{said}\n{complained}"
    );
    said
}

/// Builds the app in TypeScript and tests it without a model; once, since others run it.
fn support_is_built() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let said = ran("node", &["examples/support/test.mjs"]);
        assert!(said.ends_with("all passed\n"), "{said}");
    });
}

#[test]
fn support_knows_languages_and_its_answers() {
    if is_set_up() {
        support_is_built();
    }
}

#[test]
fn learners_are_found_out() {
    if !is_set_up() {
        return;
    }
    let tests = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "examples/learning",
    ];
    let said = ran(python(), &tests);
    assert!(said.contains(" passed"), "{said}");
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    let files = [
        "examples/learning/learn.py",
        "examples/run",
        "examples/measure",
    ];
    let checked = [
        "-m",
        "mypy",
        "--strict",
        "--scripts-are-modules",
        "--cache-dir",
        cache,
    ];
    ran(python(), &[&checked[..], &files].concat());
}

/// Forms hold in every golden case, and the tables in the READMEs are what the apps do.
#[test]
fn pages_say_what_the_apps_do() {
    if !is_set_up() {
        return;
    }
    support_is_built();
    let said = ran(python(), &["examples/measure", "--check"]);
    assert_eq!(said.lines().count(), 3, "{said}");
}

/// One run: what each address has is what it was paid less what it paid, and nobody is left out.
#[test]
fn everyone_is_paid() {
    if !is_set_up() {
        return;
    }
    support_is_built();
    let said = ran(python(), &["examples/run", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["verified"], true);
    let statements = report["statements"].as_object().unwrap();
    let together: i128 = statements
        .values()
        .map(|statement| nano(&statement["nano"]))
        .sum();
    assert_eq!(
        together,
        nano(&report["issued_nano"]),
        "nothing lost, nothing made"
    );
    for (address, reason) in WANTED {
        let statement = &statements[*address];
        let row = row(statement, reason);
        let row = row.unwrap_or_else(|| panic!("{address} has no {reason}: {statement}"));
        assert_ne!(nano(&row["nano"]), 0, "{address}");
    }
    margins_are_a_tenth(&report);
    let scored = report["epoch"]["controllers"].as_array().unwrap();
    assert_eq!(scored.len(), 3, "one of each app's developer");
}

/// Who takes part, and a movement of money that says so.
const WANTED: &[(&str, &str)] = &[
    ("user:ana", "capture"),
    ("user:ben", "capture"),
    ("user:cleo", "capture"),
    ("app:sentiment", "app_margin"),
    ("app:learning", "app_margin"),
    ("app:support", "app_margin"),
    ("provider:aigen", "provider_share"),
    ("provider:babel", "data_share"),
    ("developer:nadia", "payout"),
    ("developer:lena", "payout"),
    ("developer:sofia", "payout"),
    ("validator:vera", "validator_pay"),
    ("validator:viktor", "validator_pay"),
    ("validator:violet", "validator_pay"),
    ("protocol", "protocol_share"),
];

/// A user pays what calls and rows cost and a tenth of it for the app, to the last nano-AIGEN:
/// rounded once for each.
fn margins_are_a_tenth(report: &Value) {
    for (user, app) in [
        ("user:ana", "app:sentiment"),
        ("user:ben", "app:learning"),
        ("user:cleo", "app:support"),
    ] {
        let user = &report["statements"][user];
        let paid = ["capture", "dataset_read"].map(|reason| row(user, reason));
        let paid: Vec<_> = paid.into_iter().flatten().collect();
        let margin = row(&report["statements"][app], "app_margin").unwrap();
        let times = paid.iter().map(|row| nano(&row["times"])).sum::<i128>();
        assert_eq!(times, nano(&margin["times"]), "everything has a margin");
        let paid: i128 = paid.iter().map(|row| -nano(&row["nano"])).sum();
        let margin = nano(&margin["nano"]);
        let exact = (paid - margin) / 10;
        assert!((margin - exact).abs() <= times, "{app}: {margin} of {paid}");
    }
}

fn row<'a>(statement: &'a Value, reason: &str) -> Option<&'a Value> {
    let rows = statement["rows"].as_array()?;
    rows.iter().find(|row| row["for"] == reason)
}

fn nano(value: &Value) -> i128 {
    value.as_i64().unwrap_or_else(|| panic!("{value}")).into()
}
