//! The example controllers, built from their source.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

const TARGET: &str = "wasm32-unknown-unknown";

/// Where the built modules are; `None` if this machine cannot build them.
static BUILT: LazyLock<Option<PathBuf>> = LazyLock::new(build);

/// The module of an example; `None`, with a word about it, if it cannot be built here.
pub fn built(name: &str) -> Option<Vec<u8>> {
    let Some(folder) = &*BUILT else {
        eprintln!("SKIP: no {TARGET} here; run scripts/setup --tests");
        return None;
    };
    let module = folder.join(format!("{}.wasm", name.replace('-', "_")));
    Some(std::fs::read(module).unwrap())
}

fn build() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = root.join("target/controllers");
    let arguments = [
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--target",
        TARGET,
    ];
    let status = Command::new("cargo")
        .args(arguments)
        .env("CARGO_TARGET_DIR", &target)
        // Set by the cargo that runs the tests, and meant for its own crates.
        .env_remove("RUSTFLAGS")
        .current_dir(root.join("controllers"))
        .status();
    match status {
        Ok(status) if status.success() => Some(target.join(TARGET).join("release")),
        _ if std::env::var_os("CI").is_some() => {
            panic!("the example controllers were not built; hint: run scripts/setup --tests")
        }
        _ => None,
    }
}
