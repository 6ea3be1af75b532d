//! What tests need that is not Rust: interpreters, and packages for them. `make test` makes them
//! in `target`; where one is missing its tests are skipped and say so, and under `CI` they fail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter with this package.
pub fn python(package: &str) -> Option<PathBuf> {
    let made = in_target("python/bin/python");
    let python = std::env::var_os("AIGEN_TEST_PYTHON").map_or(made, PathBuf::from);
    let probe = Command::new(&python)
        .args(["-c", &format!("import {package}")])
        .output();
    if probe.is_ok_and(|probe| probe.status.success()) {
        return Some(python);
    }
    skip(&format!("{} has no `{package}` package", python.display()));
    None
}

/// The folder with Node.js packages, this one among them.
pub fn packages(package: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("AIGEN_TEST_NODE").map_or(in_target("node"), PathBuf::from);
    let installed = folder.join("node_modules").join(package).is_dir();
    let runs = Command::new("node").arg("--version").output();
    if installed && runs.is_ok_and(|run| run.status.success()) {
        return Some(folder);
    }
    skip(&format!(
        "no `node`, or {} has no `{package}`",
        folder.display()
    ));
    None
}

fn in_target(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target")
        .join(path)
}

pub fn skip(missing: &str) {
    let missing = format!("{missing}; `make test` installs it");
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "SKIP: {missing}");
}
