//! What formatting and lints do not see.

mod functions;
mod text;

use crate::workspace;
use anyhow::{Context, Result, ensure};
use functions::Lengths;
use std::fs;
use std::path::Path;

/// Kinds of files that people write by hand.
const WRITTEN: &[&str] = &[
    "c", "css", "h", "html", "js", "lark", "md", "py", "rows", "rs", "scn", "sh", "toml", "ts",
    "wit", "yml",
];

pub fn run() -> Result<()> {
    let mut faults = Vec::new();
    let mut lengths = Lengths::default();
    for file in workspace::files()? {
        let Some(text) = read(&file)? else { continue };
        faults.extend(text::check(&file, &text));
        if is(&file, "rs") {
            lengths.count(&file, &text);
        }
    }
    for package in workspace::packages()? {
        let path = &package.root_file;
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        if !text.starts_with("//!") {
            faults.push(format!("{}: the crate has no doc comment", path.display()));
        }
    }
    println!("{lengths}");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// `None` for what is not written by hand.
fn read(file: &Path) -> Result<Option<String>> {
    let written = WRITTEN.iter().any(|kind| is(file, kind)) || is_script(file);
    if !written {
        return Ok(None);
    }
    let text = fs::read_to_string(workspace::root().join(file));
    text.map(Some).with_context(|| file.display().to_string())
}

fn is(file: &Path, kind: &str) -> bool {
    file.extension().is_some_and(|extension| extension == kind)
}

fn is_script(file: &Path) -> bool {
    file == Path::new(".ci/run") || file == Path::new("scripts/setup")
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_checkout_is_tidy() {
        super::run().unwrap();
    }
}
