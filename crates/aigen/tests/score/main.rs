//! The score layer with the real binary: settlements anyone can repeat, and whole epochs with
//! processes that work, lie, copy, fall silent and are killed.

#[path = "../support/mod.rs"]
mod support;

mod actors;
mod epochs;
mod governed;
mod inputs;
mod measured;
mod naive;
mod network;
mod page;
mod replay;

use std::process::{Command, Stdio};

/// Feeds a program's standard input.
fn with_input(command: &mut Command, input: &str) -> std::process::Output {
    use std::io::Write;
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
