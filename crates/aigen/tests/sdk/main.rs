//! OpenAI's own Python library, unmodified, against the real binary.
//!
//! `AIGEN_TEST_PYTHON` names the interpreter that has it (`make test` makes one in
//! `target/python`). Without one these tests are skipped and say so; under `CI` they fail.

#[path = "../support/mod.rs"]
mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Folder;

/// An interpreter with the `openai` package.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/python");
    let python = std::env::var_os("AIGEN_TEST_PYTHON").map_or(made, PathBuf::from);
    let probe = Command::new(&python).args(["-c", "import openai"]).output();
    if probe.is_ok_and(|probe| probe.status.success()) {
        return Some(python);
    }
    let missing = format!(
        "{} has no `openai` package; `make test` installs it",
        python.display()
    );
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "SKIP: {missing}");
    None
}

#[test]
fn openai_sdk() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let node = folder.dev();
    let poor = folder.json(&["key", "create", "user:poor"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/openai_sdk.py");
    let output = Command::new(python)
        .arg(script)
        .env("OPENAI_BASE_URL", format!("{}/v1", node.url()))
        .env("OPENAI_API_KEY", node.key())
        .env("POOR_KEY", poor["key"].as_str().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.ends_with("all passed\n"), "{said}\n{complained}");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(verified["issued"], verified["balances"]);
}

/// What `aigen dev` prints for Python works when it is pasted.
#[test]
fn the_snippet_of_aigen_dev() {
    use std::io::{BufRead, BufReader};
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let mut dev = folder
        .command(&["dev", "--port", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(dev.stdout.take().unwrap()).lines();
    let lines = lines
        .map(Result::unwrap)
        .skip_while(|line| !line.starts_with("from openai"));
    let snippet: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let output = Command::new(python)
        .args(["-c", &snippet.join("\n")])
        .output();
    dev.kill().unwrap();
    dev.wait().unwrap();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{snippet:#?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!output.stdout.is_empty());
}
