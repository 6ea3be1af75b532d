//! What cargo and git know about this checkout.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The top of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies one folder below the top")
}

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The file its documentation begins in: `src/lib.rs`, or `src/main.rs` of a binary.
    pub root_file: PathBuf,
    /// What it declares to use.
    pub dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The crate used.
    pub name: String,
    /// Whether only tests use it.
    pub dev: bool,
}

/// The crates of the workspace.
pub fn packages() -> Result<Vec<Package>> {
    let json = output("cargo", &["metadata", "--format-version=1", "--no-deps"])?;
    let metadata: Value = serde_json::from_str(&json).context("reading cargo's metadata")?;
    let packages = metadata["packages"].as_array();
    let packages = packages.context("cargo's metadata has no packages")?;
    packages.iter().map(package).collect()
}

fn package(json: &Value) -> Result<Package> {
    let manifest = Path::new(text(&json["manifest_path"])?);
    let folder = manifest.parent().context("a manifest lies in a folder")?;
    let is_root = |target: &&Value| {
        let kinds = target["kind"].as_array().into_iter().flatten();
        kinds.into_iter().any(|kind| {
            kind.as_str()
                .is_some_and(|kind| matches!(kind, "lib" | "bin" | "proc-macro"))
        })
    };
    let targets = json["targets"].as_array().into_iter().flatten();
    let root = targets.into_iter().find(is_root);
    let dependencies = json["dependencies"].as_array().into_iter().flatten();
    Ok(Package {
        name: text(&json["name"])?.to_owned(),
        folder: folder.to_owned(),
        root_file: PathBuf::from(text(&root.context("a crate has a target")?["src_path"])?),
        dependencies: dependencies.map(dependency).collect::<Result<_>>()?,
    })
}

fn dependency(json: &Value) -> Result<Dependency> {
    Ok(Dependency {
        name: text(&json["name"])?.to_owned(),
        dev: json["kind"] == "dev",
    })
}

fn text(json: &Value) -> Result<&str> {
    json.as_str().context("cargo's metadata has another shape")
}

/// Every file that is committed or would be, relative to the top.
pub fn files() -> Result<Vec<PathBuf>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listing = output("git", &arguments)?;
    let files = listing.lines().map(PathBuf::from);
    // A deleted file stays listed until the deletion is committed.
    Ok(files.filter(|file| root().join(file).is_file()).collect())
}

/// What a command prints, run at the top.
fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .with_context(|| format!("running {program}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {errors}");
    String::from_utf8(output.stdout).with_context(|| format!("{program} prints UTF-8"))
}
