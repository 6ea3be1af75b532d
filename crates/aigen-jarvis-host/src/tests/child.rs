//! Compiling in a process apart.

use std::path::PathBuf;

use aigen_jarvis::Wake;

use super::{Guest, described, open};
use crate::{CompilerProcess, Host};

/// The example `compiler`, which cargo builds beside the tests.
fn compiler() -> CompilerProcess {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().and_then(|deps| deps.parent()).unwrap();
    CompilerProcess {
        program: built.join("examples/compiler"),
        arguments: Vec::new(),
    }
}

#[test]
fn what_a_child_compiled_runs_here() {
    let guest = Guest {
        step: "(call $stop)",
        ..Guest::default()
    };
    let host = Host::start(Some(compiler())).unwrap();
    let component = host.compile(&described(&guest.text())).unwrap();
    let mut request = open(&component).unwrap();
    assert!(request.step(0, Wake::Started).1.is_ok());
    // What it says of bytes that are none comes back.
    let refused = host.compile(b"no WebAssembly at all").unwrap_err();
    assert!(refused.to_string().contains("magic"), "{refused}");
}

#[test]
fn a_compiler_that_does_not_start_is_named() {
    let program = PathBuf::from("/nowhere/compiler");
    let arguments = Vec::new();
    let host = Host::start(Some(CompilerProcess { program, arguments })).unwrap();
    let refused = host.compile(b"\0asm\x0d\0\x01\0").unwrap_err().to_string();
    assert!(refused.contains("process could not run"), "{refused}");
}

/// A process that is ended by the system's bounds has compiled nothing.
#[test]
fn a_compiler_that_is_ended_says_so() {
    let host = Host::start(Some(CompilerProcess {
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".to_owned(), "kill -9 $$".to_owned()],
    }));
    let refused = host.unwrap().compile(b"\0asm\x0d\0\x01\0").unwrap_err();
    assert!(refused.to_string().contains("make it smaller"), "{refused}");
}
