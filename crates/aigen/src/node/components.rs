//! What runs controllers that are WebAssembly components.

use super::snapshots::Open;
use crate::data_dir::DataDir;
use aigen_jarvis_host::{CompilerProcess, Host, Images};
use aigen_node::Components;
use anyhow::{Context, Result};

/// What makes this program compile a component from its standard input, and do nothing else.
pub const COMPILE: &str = "__compile-controller";

/// A host whose compilations are kept in the data folder.
///
/// # Errors
/// A machine that runs no WebAssembly.
pub fn open(data_dir: &DataDir, store: Open) -> Result<Components> {
    let images = Images::within(data_dir.compiled()?);
    Ok(Components::new(host(Some(images))?, store))
}

/// A host that compiles in children of this program.
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
