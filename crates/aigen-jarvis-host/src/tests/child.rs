//! Compiling in a process apart.

use std::path::PathBuf;

use aigen_jarvis::Wake;

use super::{Guest, open};
use crate::{CompilerProcess, Host, Images};

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
    let host = Host::start(Some(compiler()), None).unwrap();
    let component = host.compile(&guest.module()).unwrap();
    let mut request = open(&component).unwrap();
    assert!(request.step(0, Wake::Started).1.is_ok());
    // What it says of bytes that are none comes back.
    let refused = host.compile(b"no WebAssembly at all").unwrap_err();
    assert!(refused.to_string().contains("magic"), "{refused}");
}

/// What was compiled is kept for the next process, and a damaged file is not run.
#[test]
fn what_was_compiled_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let guest = Guest::default().module();
    let start = |compiler| Host::start(compiler, Some(Images::within(folder.path()))).unwrap();
    let content = start(None).compile(&guest).unwrap().digest();
    // A host that could not compile has no need to.
    let shell = || CompilerProcess {
        program: PathBuf::from("/bin/false"),
        arguments: Vec::new(),
    };
    assert_eq!(
        start(Some(shell())).known(content).unwrap().digest(),
        content
    );
    assert!(start(Some(shell())).compile(&guest).is_ok());
    let image = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let image = image.unwrap().path();
    let mut bytes = std::fs::read(&image).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&image, bytes).unwrap();
    assert!(start(Some(shell())).known(content).is_none());
    assert!(start(None).compile(&guest).is_ok());
    assert!(start(Some(shell())).known(content).is_some());
}

#[test]
fn a_compiler_that_does_not_start_is_named() {
    let program = PathBuf::from("/nowhere/compiler");
    let arguments = Vec::new();
    let host = Host::start(Some(CompilerProcess { program, arguments }), None).unwrap();
    let refused = host.compile(b"\0asm\x0d\0\x01\0").unwrap_err().to_string();
    assert!(refused.contains("process could not run"), "{refused}");
}

/// A process that is ended by the system's bounds has compiled nothing.
#[test]
fn a_compiler_that_is_ended_says_so() {
    let shell = CompilerProcess {
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".to_owned(), "kill -9 $$".to_owned()],
    };
    let host = Host::start(Some(shell), None).unwrap();
    let refused = host.compile(b"\0asm\x0d\0\x01\0").unwrap_err();
    assert!(refused.to_string().contains("make it smaller"), "{refused}");
}
