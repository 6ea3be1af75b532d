//! What runs controllers that are WebAssembly components.

use aigen_jarvis_host::{CompilerProcess, Host, Images};
use anyhow::{Context, Result};

/// What makes this program compile a component from its standard input, and do nothing else.
pub const COMPILE: &str = "__compile-controller";

/// A host that compiles in children of this program, and keeps what they make in `images`.
///
/// # Errors
/// A machine that runs no WebAssembly.
pub fn host(images: Option<Images>) -> Result<Host> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let compiler = CompilerProcess {
        program,
        arguments: vec![COMPILE.to_owned()],
    };
    Ok(Host::start(Some(compiler), images)?)
}
