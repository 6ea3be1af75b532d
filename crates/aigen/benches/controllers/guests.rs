//! The same controller in Rust, JavaScript and Python: what a step, opening and a session cost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{Compiler, Controller, Opening, Program, Report, Turn, Wake};
use aigen_jarvis_host::{Component, Host, Images, Settings};
use aigen_testkit_guests::{built, root};

use crate::at;

const STEPS: usize = 20_000;
const OPENS: usize = 200;
/// Sessions open at once where their memory is counted.
const SESSIONS: usize = 64;

pub fn measure() {
    println!("\nthe example `yes-no` in three languages; a step decides a segment under a grammar");
    println!("  language     component      step p50, p99          open p50, p99     a session");
    for (language, component) in [
        ("Rust", built("yes-no")),
        (
            "JavaScript",
            interpreted("js", "componentize-qjs", "node/node_modules/.bin"),
        ),
        (
            "Python",
            interpreted("python", "componentize-py", "python/bin"),
        ),
    ] {
        match component {
            Some(bytes) => row(language, &bytes),
            None => {
                println!("  {language:10}  SKIP: its tools are missing; run scripts/setup --tests")
            }
        }
    }
}

/// Kept between runs: an interpreter takes a minute to build and to compile.
fn folder() -> PathBuf {
    let folder = root().join("target/bench-guests");
    fs::create_dir_all(&folder).expect("target can be written to");
    folder
}

/// The example in a language with an interpreter, as `aigen controller build` makes it.
fn interpreted(language: &str, tool: &str, tools: &str) -> Option<Vec<u8>> {
    let project = folder().join(format!("yes-no-{language}"));
    let component = project.join("controller.wasm");
    let tool_path = root()
        .join("target")
        .join(tools)
        .join(tool)
        .canonicalize()
        .ok()?;
    if !component.exists() {
        let _ = fs::remove_dir_all(&project);
        let variable = format!("AIGEN_{}", tool.to_uppercase().replace('-', "_"));
        let aigen = |act: &str, more: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_aigen"));
            command.args(["controller", act]).arg(&project).args(more);
            let said = command.env(&variable, &tool_path).output();
            said.is_ok_and(|said| said.status.success())
        };
        if !(aigen("new", &["--lang", language]) && aigen("build", &[])) {
            return None;
        }
    }
    fs::read(component).ok()
}

fn row(language: &str, bytes: &[u8]) {
    // A host of its own, so that no memory was in use before.
    let host =
        Host::start(None, Some(Images::within(folder()))).expect("this machine runs WebAssembly");
    let component = host.compile(bytes).expect("it is a controller");
    let guest = Guest::new(&component);
    let session = guest.kilobytes();
    let mut opens = timed(OPENS, || drop(guest.open()));
    let mut asked = guest.open();
    let mut steps = timed(STEPS, || start(&mut *asked));
    println!(
        "  {language:10} {:>8} kB   {:>7.2} us {:>8.2} us   {:>8.1} us {:>8.1} us   {session:>6.0} kB",
        bytes.len() / 1000,
        at(&mut steps, 500),
        at(&mut steps, 990),
        at(&mut opens, 500),
        at(&mut opens, 990),
    );
}

struct Guest {
    program: Program,
    vocabulary: Arc<Vocabulary>,
}

impl Guest {
    fn new(component: &Component) -> Self {
        let vocabulary = Arc::new(Vocabulary::with_words(["yes", "no"]));
        let compiler = Compiler::new(vocabulary.clone()).expect("it has an end token");
        let settings = Settings {
            request_fuel: u64::MAX,
            ..Settings::default().interpreter()
        };
        let program = component.program(Arc::new(compiler), settings);
        Self {
            program,
            vocabulary,
        }
    }

    fn open(&self) -> Box<dyn Controller> {
        let prompt = [1, 2, 3];
        let opening = Opening::new(&prompt, self.vocabulary.clone());
        self.program.open(&opening).expect("it opens")
    }

    /// What a session adds to this process that was asked once.
    fn kilobytes(&self) -> f64 {
        // What the first one needs is everybody's.
        start(&mut *self.open());
        let before = resident(Path::new("/proc/self/statm"));
        let sessions: Vec<_> = (0..SESSIONS)
            .map(|_| {
                let mut session = self.open();
                start(&mut *session);
                session
            })
            .collect();
        let pages = resident(Path::new("/proc/self/statm")) - before;
        drop(sessions);
        pages * 4096.0 / 1000.0 / SESSIONS as f64
    }
}

/// A step to its end. An interpreter that collects its garbage may be late, and goes on elsewhere.
fn start(controller: &mut dyn Controller) {
    let mut turn = controller.step(&Report::new(0, 0, Wake::Started));
    while matches!(turn, Ok(Turn::Late | Turn::Outside)) {
        std::thread::yield_now();
        turn = controller.poll();
    }
    assert!(matches!(turn, Ok(Turn::Ready(_))), "it decides: {turn:?}");
}

/// Resident pages of this process.
fn resident(statm: &Path) -> f64 {
    let text = fs::read_to_string(statm).unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(f64::NAN)
}

fn timed(rounds: usize, mut act: impl FnMut()) -> Vec<Duration> {
    let one = |_| {
        let began = Instant::now();
        act();
        began.elapsed()
    };
    (0..rounds).map(one).collect()
}
