//! One command does what CI does.

use crate::{arrows, book, tidy, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::io::ErrorKind;
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
        ("book", build_book),
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

/// Links, and the book as its readers will see it.
fn build_book() -> Result<Done> {
    book::run()?;
    if !answers("mdbook", &["--version"])? {
        return missing("run `cargo install --locked --no-default-features mdbook`");
    }
    let build = Command::new("mdbook")
        .args(["build", "docs"])
        .current_dir(workspace::root())
        .output()
        .context("running mdbook")?;
    // It goes on after a page that it could not make sense of, and warns.
    let said = String::from_utf8_lossy(&build.stderr);
    let clean = !said.contains("WARN") && !said.contains("ERROR");
    ensure!(
        build.status.success() && clean,
        "mdbook build docs:\n{said}"
    );
    Ok(Done::Passed)
}

/// Licences, doubled crates and sources. Advisories are left out: they need a
/// network, and a check that fails with the weather is soon ignored.
fn deny() -> Result<Done> {
    match answers("cargo", &["deny", "--version"])? {
        true => cargo(&DENY),
        false => missing("run `cargo install --locked cargo-deny`"),
    }
}

/// Whether a tool is installed.
fn answers(program: &str, arguments: &[&str]) -> Result<bool> {
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        status => Ok(status
            .with_context(|| format!("running {program}"))?
            .success()),
    }
}

/// What a step comes to whose tool is missing: in CI nothing may pass that did not run.
fn missing(way_out: &'static str) -> Result<Done> {
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
