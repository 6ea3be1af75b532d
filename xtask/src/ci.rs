//! One command does what CI does.

use crate::{arrows, tidy, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Whether the tests are part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tests {
    /// They are.
    Run,
    /// They are not, because somebody runs them elsewhere.
    Leave,
}

/// How a step ended that did not fail.
enum Done {
    Passed,
    Skipped(&'static str),
}

type Step = fn() -> Result<Done>;

/// Runs every step, also after one has failed, and fails if one did.
pub fn run(tests: Tests) -> Result<()> {
    let mut steps: Vec<(&str, Step)> = vec![
        ("fmt", || cargo(&["fmt", "--all", "--check"])),
        ("arrows", || arrows::run().map(|()| Done::Passed)),
        ("tidy", || tidy::run().map(|()| Done::Passed)),
        ("clippy", || cargo(&CLIPPY)),
        ("deny", deny),
    ];
    if tests == Tests::Run {
        steps.push(("test", || cargo(&["test", "--workspace", "--locked"])));
    }
    let failed: Vec<_> = steps
        .into_iter()
        .filter(|(name, step)| !report(name, *step))
        .map(|(name, _)| name)
        .collect();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

const CLIPPY: [&str; 7] = [
    "clippy",
    "--workspace",
    "--all-targets",
    "--locked",
    "--",
    "-D",
    "warnings",
];

const DENY: [&str; 6] = [
    "deny",
    "check",
    "--hide-inclusion-graph",
    "licenses",
    "bans",
    "sources",
];

fn report(name: &str, step: Step) -> bool {
    println!("== {name}");
    let start = Instant::now();
    let result = step();
    let seconds = start.elapsed().as_secs();
    match &result {
        Ok(Done::Passed) => println!("== {name}: ok ({seconds} s)"),
        Ok(Done::Skipped(why)) => println!("== {name}: SKIP, {why}"),
        Err(error) => println!("== {name}: FAILED ({seconds} s): {error:#}"),
    }
    result.is_ok()
}

/// Licences, doubled crates and sources. Advisories are left out: they need a
/// network, and a check that fails with the weather is soon ignored.
fn deny() -> Result<Done> {
    let installed = Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("running cargo")?;
    if installed.success() {
        return cargo(&DENY);
    }
    let way_out = "run `cargo install --locked cargo-deny`";
    ensure!(std::env::var_os("CI").is_none(), way_out);
    Ok(Done::Skipped(way_out))
}

fn cargo(arguments: &[&str]) -> Result<Done> {
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(workspace::root())
        .status()
        .context("running cargo")?;
    if !status.success() {
        bail!("cargo {}", arguments.join(" "));
    }
    Ok(Done::Passed)
}
