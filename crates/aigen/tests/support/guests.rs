//! Controllers in WebAssembly: the examples, built from their source, and hostile ones by hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const TARGET: &str = "wasm32-unknown-unknown";

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Says that something is missing; in CI that is a failure.
pub fn skip(missing: &str) {
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "SKIP: {missing}");
}

/// The module of an example; `None`, with a word about it, if it cannot be built here.
pub fn example(name: &str) -> Option<PathBuf> {
    static BUILT: LazyLock<Option<PathBuf>> = LazyLock::new(build);
    let built = BUILT
        .as_ref()
        .map(|built| built.join(format!("{}.wasm", name.replace('-', "_"))));
    if built.is_none() {
        skip(&format!("no {TARGET} here; run scripts/setup --tests"));
    }
    built
}

fn build() -> Option<PathBuf> {
    let target = root().join("target/controllers");
    let status = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--target",
            TARGET,
        ])
        .env("CARGO_TARGET_DIR", &target)
        // Set by the cargo that runs the tests, and meant for its own crates.
        .env_remove("RUSTFLAGS")
        .current_dir(root().join("controllers"))
        .status();
    let built = status.is_ok_and(|status| status.success());
    built.then(|| target.join(TARGET).join("release"))
}

/// A controller by hand, whose every step does this.
pub fn by_hand(step: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(root().join("crates/aigen-jarvis-host/src/tests/guest.wat"));
    // What it says in the end lies there too, and has to be JSON.
    let text = text
        .unwrap()
        .replace("name of something", "\\22ame of somethin\\22")
        .replace("    ;;STEP", step);
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let contract = std::fs::read_to_string(root().join("wit/controller.wit")).unwrap();
    let package = resolve.push_str("controller.wit", &contract).unwrap();
    let world = resolve.select_world(&[package], Some("token-controller"));
    let utf8 = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world.unwrap(), utf8).unwrap();
    module
}
