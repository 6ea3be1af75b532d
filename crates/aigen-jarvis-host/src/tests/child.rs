//! Compiling in a process apart.

use std::path::PathBuf;

use aigen_jarvis::Wake;

use super::{Guest, open};
use crate::compile::cpu_seconds_max;
use crate::limits::COMPONENT_BYTES_MAX;
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

/// A process that is ended by the system's bounds has compiled nothing, and what is said of
/// it tells its time from its memory.
#[test]
fn a_compiler_that_is_ended_says_so() {
    for (signal, why) in [
        ("XCPU", "more than 25 s of processor time"),
        ("ABRT", "more than 2048 MiB"),
        ("KILL", "more than 2048 MiB"),
    ] {
        let shell = CompilerProcess {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), format!("kill -{signal} $$")],
        };
        let host = Host::start(Some(shell), None).unwrap();
        let refused = host.compile(b"\0asm\x0d\0\x01\0").unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains(why), "{signal}: {refused}");
        assert!(refused.contains("make it smaller"), "{signal}: {refused}");
    }
}

/// An interpreter may take longer than a few functions.
#[test]
fn larger_components_may_take_longer() {
    let rows = [
        (0, 20),
        (1, 25),
        (1 << 20, 25),
        ((1 << 20) + 1, 30),
        (18_357_524, 110),
        (COMPONENT_BYTES_MAX, 180),
    ];
    for (bytes, seconds) in rows {
        assert_eq!(cpu_seconds_max(bytes), seconds, "{bytes} bytes");
    }
}
