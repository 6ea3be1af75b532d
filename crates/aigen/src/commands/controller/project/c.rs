//! Projects in C: clang makes a core module of them, together with bindings that are made of the contract.

use super::{BUILT, Project, tool};
use crate::failure::OrHint;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use wit_bindgen_core::Files;
use wit_parser::Resolve;

/// How it is compiled: for editors, which read this file, and for the build. No C library: one that is written for WASI
/// would import that, which controllers do not have.
pub(super) const FLAGS: &str = "--target=wasm32-unknown-unknown\n-std=c11\n-Os\n-Wall\n-ffreestanding\n-fno-builtin\n\
    -isystem\nsdk/controller-c/libc\n-Isdk/controller-c\n-isystem\nbindings\n";

/// How it is linked. A stack that overflows meets the end of memory, and not what lies there.
const LINK: [&str; 6] = [
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,--gc-sections",
    "-Wl,--strip-debug",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=65536",
];

/// With the outside: what is not called is not imported.
const WORLD: &str = "token-controller";
/// What the bindings' files are called, and what their names begin with.
const NAME: &str = "aigen";

impl Project {
    pub(super) fn build_c(&self) -> Result<()> {
        self.write_bindings()?;
        let mut clang = Command::new(tool("AIGEN_CLANG", "clang", &self.folder));
        clang.args(FLAGS.lines()).args(LINK).args(["-o", BUILT]);
        clang.args(self.sources()?);
        clang.args([
            "sdk/controller-c/aigen_controller.c",
            "sdk/controller-c/libc/libc.c",
            "bindings/aigen.c",
            // It says which contract this is.
            "bindings/aigen_component_type.o",
        ]);
        self.run(clang, "apt-get install clang lld").map(drop)
    }

    /// The author's own files: all of C that lie in the folder, in the order of their names.
    fn sources(&self) -> Result<Vec<PathBuf>> {
        let listed = fs::read_dir(&self.folder)
            .with_context(|| format!("{} cannot be read", self.folder.display()))?;
        let names = listed.filter_map(|file| Some(PathBuf::from(file.ok()?.file_name())));
        let is_source = |name: &PathBuf| name.extension().is_some_and(|extension| extension == "c");
        let mut sources: Vec<_> = names.filter(is_source).collect();
        sources.sort();
        Ok(sources)
    }

    /// Makes the bindings of what the project's copy of the contract says.
    pub(super) fn write_bindings(&self) -> Result<()> {
        let files = self.bindings().or_hint(
            "no bindings can be made of wit/",
            "take wit/controller.wit from a new project: `aigen controller new NAME --lang c`",
        )?;
        let folder = self.folder.join("bindings");
        let written = fs::create_dir_all(&folder).and_then(|()| {
            let mut files = files.iter();
            files.try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
        });
        written.with_context(|| format!("{} cannot be written", folder.display()))
    }

    fn bindings(&self) -> Result<Files> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(self.folder.join("wit"))?;
        let world = resolve.select_world(&[package], Some(WORLD))?;
        let options = wit_bindgen_c::Opts {
            rename_world: Some(NAME.to_owned()),
            ..wit_bindgen_c::Opts::default()
        };
        let mut files = Files::default();
        options.build().generate(&mut resolve, world, &mut files)?;
        Ok(files)
    }
}
