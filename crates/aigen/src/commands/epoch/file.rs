//! A settlement's input and output as files.

use crate::failure::OrHint;
use aigen_api::settlement as wire;
use aigen_economy::settlement::{Input, settle};
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::path::Path;

/// Settles the input of a file and prints the output: keys sorted, integers only.
///
/// # Errors
/// A malformed input, with the path of the bad field.
pub fn replay(file: &Path) -> Result<()> {
    let settled = settled(&read(file)?).or_hint(
        format!("{} is not a settlement's input", file.display()),
        "nothing was settled; correct the named field",
    )?;
    print(&settled)
}

/// # Errors
/// What is wrong with the input, and the path of the field.
fn settled(text: &[u8]) -> Result<wire::Output> {
    let input = wire::Input::from_json(text)?;
    let input = aigen_gateway::settlement::read_input(&input)?;
    input.check()?;
    Ok(aigen_gateway::settlement::output(&settle(&input)))
}

/// Prints an input for anyone to settle again.
///
/// # Errors
/// When stdout cannot be written to.
pub fn write_input(input: &Input) -> Result<()> {
    print(&aigen_gateway::settlement::input(input))
}

/// Prints what a file should hold.
///
/// # Errors
/// When stdout cannot be written to.
pub(super) fn print(value: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text)?;
        return Ok(text);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests;
