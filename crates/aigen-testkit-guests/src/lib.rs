//! Controllers in WebAssembly for tests and benchmarks: the examples, built from their source, and
//! guests by hand, in text, of which each is ready in milliseconds without a toolchain.

mod by_hand;
mod examples;
mod hostile;

use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use by_hand::{Guest, described};
pub use examples::{built, example};
pub use hostile::{HOSTILE, Hostile};

/// The repository's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Says that something is missing; in CI that is a failure.
///
/// # Panics
/// In CI, where what cannot run must not pass for run.
pub fn skip(missing: &str) {
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "SKIP: {missing}");
}
