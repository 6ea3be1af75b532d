//! What a controller in WebAssembly costs the host: to open, to ask, to fork.
//!
//! `cargo test -p aigen-jarvis-host && cargo bench -p aigen-jarvis-host --bench step`
//! (the tests build the example controllers that are measured)
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{Compiler, Controller, Decision, Opening, Program, Report, Turn, Wake};
use aigen_jarvis_host::{Host, Settings};

const ROUNDS: usize = 20_000;

fn main() {
    let host = Host::start(None, None).expect("this machine runs WebAssembly");
    let vocabulary = Arc::new(Vocabulary::with_words(["yes", "no"]));
    let compiler = Arc::new(Compiler::new(vocabulary.clone()).expect("it has an end token"));
    let program = |name: &str| {
        let component = host.compile(&module(name)).expect("it is a controller");
        let settings = Settings {
            request_fuel: u64::MAX,
            ..Settings::default()
        };
        component.program(Arc::clone(&compiler), settings)
    };
    let open = |program: &Program| {
        let prompt = [1, 2, 3];
        let opening = Opening::new(&prompt, vocabulary.clone());
        program.open(&opening).expect("it opens")
    };
    let budget_aware = program("budget_aware");
    let best_of_three = program("best_of_three");
    report("open, no grammar", ROUNDS / 10, || {
        drop(open(&best_of_three))
    });
    let mut asked = open(&best_of_three);
    let forked = Wake::Forked { index: 1, first: 1 };
    report("step that decides a segment", ROUNDS, || {
        decide(&mut *asked, forked);
    });
    let mut metered = open(&budget_aware);
    report("step that reads the meter and encodes", ROUNDS, || {
        metered
            .step(&Report::new(0, 0, Wake::TokenLimit))
            .expect("it answers");
    });
    report("open, fork into three", ROUNDS / 10, || {
        let mut parent = open(&best_of_three);
        assert!(matches!(
            decide(&mut *parent, Wake::Started),
            Decision::Fork(2)
        ));
        for index in 1..=2 {
            drop(parent.fork(index).expect("it forks"));
        }
    });
}

fn decide(controller: &mut dyn Controller, why: Wake) -> Decision {
    match controller.step(&Report::new(1, 1, why)) {
        Ok(Turn::Ready(decision)) => decision,
        other => panic!("it is quick: {other:?}"),
    }
}

fn module(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("target/controllers/wasm32-unknown-unknown/release");
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn report(what: &str, rounds: usize, mut act: impl FnMut()) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            act();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(rounds - 1) * share / 1000].as_nanos() as f64 / 1000.0;
    println!(
        "{what:40} p50 {:8.2} us   p90 {:8.2} us   p99 {:8.2} us",
        at(500),
        at(900),
        at(990)
    );
}
