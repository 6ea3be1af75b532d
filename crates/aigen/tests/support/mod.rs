//! The real binary, as its users run it: in a folder of its own, with nothing of this machine's
//! configuration.

// Each test binary uses a part of it.
#![allow(dead_code)]

pub mod http;
pub mod hub;
pub mod tools;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than the longest command of these tests takes on a slow, busy machine.
const RUN_TIME_MAX: Duration = Duration::from_secs(300);

/// A folder to run in, removed afterwards.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// `aigen` with these arguments, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aigen"));
        for (name, _) in std::env::vars() {
            if name.starts_with("AIGEN_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .current_dir(self.path())
            .env("AIGEN_MODELS_DIR", self.file("models"))
            .env("AIGEN_LOG", "warn")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.ran(&mut self.command(args))
    }

    /// Runs this to its end; one that does not come to it is killed, and the test fails.
    pub fn ran(&self, command: &mut Command) -> Ran {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (pid, said) = (child.id(), format!("{command:?}"));
        let (ended, output) = mpsc::channel();
        thread::spawn(move || ended.send(child.wait_with_output()));
        match output.recv_timeout(RUN_TIME_MAX) {
            Ok(output) => Ran::new(output.unwrap(), self.path()),
            Err(_) => {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
                panic!("it did not end: {said}");
            }
        }
    }

    /// Runs it and reads what it prints as JSON; it must succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{args:?}\n{ran}");
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
    }

    /// Starts a node here, on a free port.
    pub fn serve(&self, args: &[&str]) -> Serving {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
        Serving::start(&mut self.command(&[&serve, args].concat()))
    }

    /// Starts `aigen dev` here, on a free port.
    pub fn dev(&self) -> Serving {
        Serving::start(&mut self.command(&["dev", "--port", "0", "--json"]))
    }
}

/// What a finished run said, with what differs from run to run replaced.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    folder: String,
}

impl Ran {
    fn new(output: Output, folder: &Path) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            folder: folder.display().to_string(),
        }
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
            folder,
        } = self;
        let text = format!("exit code: {code}\n----- stdout\n{stdout}----- stderr\n{stderr}");
        f.write_str(&text.replace(folder, "[FOLDER]"))
    }
}

/// What differs from run to run, as insta filters.
pub const FILTERS: [(&str, &str); 10] = [
    (
        r"\d+ tokens, the model's context holds \d+",
        "[N] tokens, the model's context holds [N]",
    ),
    (r"0\.000\d+ AIGEN needed", "[AMOUNT] AIGEN needed"),
    (r"user:poor 0\.000\d+", "user:poor [AMOUNT]"),
    (r"\d+ bytes of at least \d+", "[BYTES] of [BYTES]"),
    (r"\d+\.\d\d MiB", "[SIZE]"),
    (r"process \d+", "process [PID]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
    (r"\b[0-9a-f]{32}\b", "[ID]"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "YYYY-MM-DD HH:MM:SS"),
];

/// Compares a run with a snapshot written in the test.
#[macro_export]
macro_rules! check {
    ($ran:expr, @$snapshot:literal) => {
        insta::with_settings!({filters => $crate::support::FILTERS.to_vec()}, {
            insta::assert_snapshot!($ran.to_string(), @$snapshot);
        })
    };
}

/// A running node. It is killed when this is dropped.
pub struct Serving {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// The line that `--json` prints once requests are answered.
    pub ready: Value,
}

/// A node that has not said yet that it is ready. It is killed when this is dropped before.
pub struct Starting(Option<Child>);

impl Starting {
    pub fn begin(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    /// Waits until it has said this on stderr, which nobody reads afterwards.
    pub fn said(&mut self, words: &str) {
        let stderr = self.0.as_mut().unwrap().stderr.as_mut().unwrap();
        // Byte by byte: what follows stays where it is.
        let mut said = String::new();
        while !said.contains(words) {
            let mut byte = [0];
            stderr
                .read_exact(&mut byte)
                .unwrap_or_else(|_| panic!("it ended: {said}"));
            said.push(byte[0].into());
        }
    }

    /// SIGTERM.
    pub fn terminate(&mut self) {
        terminate(self.0.as_ref().unwrap());
    }

    /// Waits for its end by itself.
    pub fn code(mut self) -> i32 {
        let child = self.0.as_mut().unwrap();
        child.wait().unwrap().code().expect("it ended by itself")
    }

    /// Waits until it is ready.
    pub fn ready(mut self) -> Serving {
        Serving::of(self.0.take().unwrap())
    }
}

fn terminate(child: &Child) {
    let told = Command::new("kill").arg(child.id().to_string()).status();
    assert!(told.unwrap().success());
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Serving {
    pub fn start(command: &mut Command) -> Self {
        Starting::begin(command).ready()
    }

    fn of(mut child: Child) -> Self {
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let Ok(ready) = serde_json::from_str(&line) else {
            let mut said = String::new();
            stderr.read_to_string(&mut said).unwrap();
            panic!("the node did not start: {line}\n{said}");
        };
        Self {
            child,
            stderr,
            ready,
        }
    }

    pub fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// The key of `user:dev`, where `aigen dev` runs.
    pub fn key(&self) -> &str {
        self.ready["key"].as_str().unwrap()
    }

    /// Memory that it has in RAM, in KiB.
    pub fn resident_kib(&mut self) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.unwrap()
            .trim()
            .strip_suffix(" kB")
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Waits until it has logged this, and gives back the line.
    pub fn logged(&mut self, words: &str) -> String {
        let mut lines = (&mut self.stderr).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("it ended and never said: {words}"))
    }

    /// SIGKILL: no destructor runs.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and what the process said until it ended.
    pub fn stop(self) -> (i32, String) {
        terminate(&self.child);
        let (status, stderr) = self.ended();
        (status.code().expect("it ended by itself"), stderr)
    }

    /// Waits for its end, and gives back what it said until then.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap(), stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Gone already, where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
