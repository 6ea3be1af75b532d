use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use crate::{root, skip};

const TARGET: &str = "wasm32-unknown-unknown";

/// The module of an example; `None`, with a word about it, if it cannot be built here.
///
/// # Panics
/// In CI if it cannot be built.
#[must_use]
pub fn example(name: &str) -> Option<PathBuf> {
    static BUILT: LazyLock<Option<PathBuf>> = LazyLock::new(build);
    let file = format!("{}.wasm", name.replace('-', "_"));
    let built = BUILT.as_ref().map(|folder| folder.join(file));
    if built.is_none() {
        skip(&format!(
            "the example controllers were not built for {TARGET}; run scripts/setup --tests"
        ));
    }
    built
}

/// What is in the module of an example, as [`example`] gives it.
///
/// # Panics
/// In CI if it cannot be built, and anywhere if it was built and cannot be read.
#[must_use]
pub fn built(name: &str) -> Option<Vec<u8>> {
    let module = example(name)?;
    let bytes = std::fs::read(&module);
    Some(bytes.unwrap_or_else(|error| panic!("{}: {error}", module.display())))
}

fn build() -> Option<PathBuf> {
    let target = root().join("target/controllers");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet", "--locked", "--release"])
        .args(["--target", TARGET])
        .env("CARGO_TARGET_DIR", &target)
        // Set by the cargo that runs the tests, and meant for its own crates.
        .env_remove("RUSTFLAGS")
        .current_dir(root().join("controllers"));
    let built = cargo.status().is_ok_and(|status| status.success());
    built.then(|| target.join(TARGET).join("release"))
}
