//! Compiling, which strangers' code makes as expensive as it can: in a process of its
//! own, with bounds that the system enforces.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use wasmtime::{Config, Engine};

use crate::ComponentError;
use crate::limits::{
    COMPILE_CPU_SECONDS, COMPILE_CPU_SECONDS_PER_MIB, COMPILE_MEMORY_BYTES_MAX,
    COMPONENT_BYTES_MAX, IMAGE_BYTES_MAX, STACK_BYTES_MAX,
};

/// A program that calls [`compile_child`].
#[derive(Clone, Debug)]
pub struct CompilerProcess {
    /// The program.
    pub program: PathBuf,
    /// What makes it call it.
    pub arguments: Vec<String>,
}

/// What compiled code and those who run it must agree on.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(STACK_BYTES_MAX / 2)
        .async_stack_size(STACK_BYTES_MAX);
    config
}

/// Reads a component from the standard input and writes what it is compiled to, or a
/// message, to the standard output. The process that calls it is bounded from then on.
#[must_use]
pub fn compile_child() -> ExitCode {
    let outcome = bounded()
        .map_err(|error| error.to_string())
        .and_then(|bytes| compile(&bytes));
    let (code, bytes) = match outcome {
        Ok(image) => (ExitCode::SUCCESS, image),
        Err(message) => (ExitCode::FAILURE, message.into_bytes()),
    };
    match io::stdout().write_all(&bytes) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What to compile, in a process that is bounded by it from then on.
fn bounded() -> io::Result<Vec<u8>> {
    let at_most = |most| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(Resource::As, at_most(COMPILE_MEMORY_BYTES_MAX))?;
    setrlimit(Resource::Core, at_most(0))?;
    // A hint to the system only.
    let _ = rustix::process::nice(10);
    let bytes = read()?;
    let seconds = cpu_seconds_max(bytes.len());
    let time = Rlimit {
        current: Some(seconds),
        // Where both are one number the system sends a signal that says nothing of time.
        maximum: Some(seconds + 1),
    };
    setrlimit(Resource::Cpu, time)?;
    Ok(bytes)
}

/// Seconds of processor time that compiling so many bytes may take.
pub(crate) fn cpu_seconds_max(bytes: usize) -> u64 {
    let mib = u64::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u64::MAX);
    COMPILE_CPU_SECONDS.saturating_add(COMPILE_CPU_SECONDS_PER_MIB.saturating_mul(mib))
}

fn read() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(COMPONENT_BYTES_MAX).unwrap_or(u64::MAX);
    io::stdin().take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Compiles in this process.
pub(crate) fn compile(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let engine = Engine::new(&config()).map_err(|error| format!("{error:#}"))?;
    let image = engine.precompile_component(bytes);
    image.map_err(|error| format!("{error:#}"))
}

impl CompilerProcess {
    /// Compiles in the child process.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Vec<u8>, ComponentError> {
        let failed = |error: io::Error| {
            ComponentError::new(format!("the compiler's process could not run: {error}"))
        };
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
            unreachable!("both are piped");
        };
        let read = thread::scope(|scope| {
            // A child that dies early leaves the pipe broken; its status says more.
            scope.spawn(move || drop(stdin.write_all(bytes)));
            let mut image = Vec::new();
            let most = u64::try_from(IMAGE_BYTES_MAX).unwrap_or(u64::MAX);
            stdout.take(most).read_to_end(&mut image).map(|_| image)
        });
        let status = child.wait().map_err(failed)?;
        let output = read.map_err(failed)?;
        match status.code() {
            Some(0) => Ok(output),
            Some(1) => Err(ComponentError::new(String::from_utf8_lossy(&output))),
            _ => Err(ended(status, bytes.len())),
        }
    }
}

/// Why a child that said nothing was ended.
fn ended(status: ExitStatus, bytes: usize) -> ComponentError {
    let why = match status.signal() {
        Some(signal) if signal == Signal::XCPU.as_raw() => {
            let most = cpu_seconds_max(bytes);
            format!("it took more than {most} s of processor time to compile")
        }
        _ => {
            let most = COMPILE_MEMORY_BYTES_MAX >> 20;
            format!("it took more than {most} MiB to compile, or broke the compiler ({status})")
        }
    };
    ComponentError::new(why).hint("make it smaller: fewer and shorter functions")
}
