//! What fifty sessions that behave lose to one tenant who does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use aigen_engine_llama::Options;
use aigen_jarvis::{JsonOptions, Program, SessionRequest};
use aigen_jarvis_host::{Host, Settings};
use aigen_testkit_guests::{Guest, HOSTILE};
use serde_json::json;

use crate::bundled::{Bundled, Running};

const NEIGHBOURS: u64 = 50;
/// Rounds of three slices, unless `--rounds=N` says otherwise: beside nobody, beside honest sessions and beside
/// what is tried.
const ROUNDS: usize = 8;
/// Tokens of each neighbour, at most.
const SAID: u32 = 32;
/// Whose the hostile sessions are, and how many there are at once.
const STRANGER: u64 = 1_000;
const STRANGERS: u32 = 3;
/// The thread that serves everybody.
const ENGINE: &str = "engine";

/// Beside whom the fifty run.
struct Way {
    what: &'static str,
    beside: Beside,
}

#[derive(Clone, Default)]
struct Beside {
    programs: Vec<Program>,
    /// A thread that asks for nothing and computes: what two processors and their caches cost the engine
    /// where both are busy, whoever keeps them so.
    computes: bool,
}

impl Beside {
    fn sessions(programs: Vec<Program>) -> Self {
        Self {
            programs,
            computes: false,
        }
    }

    fn thread() -> Self {
        Self {
            programs: Vec::new(),
            computes: true,
        }
    }
}

/// Walks a MiB of its own until it is over.
fn compute(over: &AtomicBool) {
    let mut cells = vec![1_u64; 1 << 17];
    let (mut at, last) = (0, cells.len() - 1);
    while !over.load(Ordering::Acquire) {
        for _ in 0..1_000 {
            cells[at] = cells[at].wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(7) + 1;
            at = (at + (cells[at] as usize & 63) + 1) & last;
        }
    }
    std::hint::black_box(&cells);
}

pub fn measure() {
    let street = Street::open();
    println!(
        "\n{NEIGHBOURS} sessions of {SAID} tokens at most, beside one tenant with {} sessions, {STRANGERS} at a time; \
         engine's thread, % more for each of their tokens, 95 % of {} rounds within ±",
        street.hostile.len(),
        street.rounds
    );
    println!(
        "  {:51} {:>18} {:>22}  sessions, tokens of each, honest ones",
        "beside", "than nobody", "than honest ones"
    );
    for way in street.ways() {
        street.judge(&way);
    }
}

/// What a slice took, and how many sessions of the other tenant ended meanwhile.
#[derive(Clone, Copy, Default)]
struct Slice {
    /// Seconds of the engine's thread on a processor, on which everybody waits, for each token of the
    /// neighbours.
    engine: f64,
    ended: u64,
    /// Tokens that each of them had, those that ended later too.
    tokens_each: u64,
}

/// How much more the second of each pair is than the first in percent, and how far 19 of 20 such
/// means lie from it at most.
fn more(pairs: &[(f64, f64)]) -> (f64, f64) {
    let count = pairs.len() as f64;
    let ratios: Vec<f64> = pairs
        .iter()
        .map(|(less, more)| (more / less).ln())
        .collect();
    let mean = ratios.iter().sum::<f64>() / count;
    let squares: f64 = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum();
    let free = count - 1.0;
    let spread = student(free) * (squares / free / count).sqrt();
    (100.0 * mean.exp_m1(), 100.0 * spread)
}

/// Student's t, two-sided 95 %: to within a hundredth from 6 degrees of freedom on (Cornish and Fisher).
fn student(free: f64) -> f64 {
    1.96 + 2.372 / free + 2.822 / free.powi(2)
}

/// Seconds that threads of this name were on a processor.
fn busy(name: &str) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists a process's threads");
    let of_task = |task: std::io::Result<std::fs::DirEntry>| {
        let task = task.ok()?.path();
        let comm = std::fs::read_to_string(task.join("comm")).ok()?;
        let stat = std::fs::read_to_string(task.join("schedstat")).ok()?;
        let nanos: f64 = stat.split(' ').next()?.parse().ok()?;
        (comm.trim() == name).then_some(nanos / 1e9)
    };
    tasks.filter_map(of_task).sum()
}

struct Street {
    model: Bundled,
    /// A guest that is asked at every token, and a schema.
    behaved: Vec<Program>,
    /// A token and the end.
    short: Program,
    hostile: Vec<Program>,
    rounds: usize,
}

/// What an argument `--name=TEXT` says.
fn argument(name: &str) -> Option<String> {
    let said = |argument: String| {
        let value = argument.strip_prefix(name)?.strip_prefix('=')?;
        Some(value.to_owned())
    };
    std::env::args().find_map(said)
}

impl Street {
    fn open() -> Self {
        let model = Bundled::open(&Options {
            context_tokens: Some(64),
            sequences_max: NEIGHBOURS as u32 + 2 * STRANGERS,
            kept_sequences: 0,
            ..Options::default()
        });
        let host = Host::start(None, None).expect("this machine runs WebAssembly");
        let program = |guest: &Guest<'_>| {
            let component = host.compile(&guest.module()).expect("it is a controller");
            let settings = Settings {
                backtracks: true,
                branches: 2,
                ..Settings::default()
            };
            component.program(Arc::clone(&model.compiler), settings)
        };
        let every_token = program(&Guest::stepping(
            // Until the model ends its turn, of which it would not tire.
            "(if (i32.eq (local.get $why) (i32.const 6))
               (then (call $stop)) (else (call $commit) (call $any (i32.const 1))))",
        ));
        let short = program(&Guest::stepping(
            "(if (local.get $why) (then (call $stop)) (else (call $any (i32.const 1))))",
        ));
        let schema =
            json!({"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 30});
        let schema = model.compiler.json_schema(&schema, JsonOptions::default());
        let hostile = HOSTILE
            .iter()
            .map(|hostile| program(&hostile.guest))
            .collect();
        Self {
            behaved: vec![every_token, schema.expect("it can be enforced")],
            short,
            hostile,
            rounds: argument("--rounds").map_or(ROUNDS, |rounds| rounds.parse().expect("a number")),
            model,
        }
    }

    /// As many sessions of the stranger's each time; with `--only=TEXT` the ways that have it in their names.
    fn ways(&self) -> Vec<Way> {
        let only = |program: &Program| Beside::sessions(vec![program.clone(); self.hostile.len()]);
        let mut ways = vec![
            ("nobody", Beside::default()),
            ("a thread that asks for nothing", Beside::thread()),
            ("sessions of one token", only(&self.short)),
            ("sessions like their own", only(&self.behaved[0])),
            ("every hostile one", Beside::sessions(self.hostile.clone())),
        ];
        let each = HOSTILE.iter().zip(&self.hostile);
        ways.extend(each.map(|(hostile, program)| (hostile.tries, only(program))));
        let wanted = argument("--only");
        ways.retain(|(what, _)| wanted.iter().all(|part| what.contains(part)));
        let ways = ways.into_iter();
        ways.map(|(what, beside)| Way { what, beside }).collect()
    }

    /// Slices of a round follow each other within two seconds, and begin with another each time, so that what
    /// the machine does besides is in all of them alike.
    fn judge(&self, way: &Way) {
        // This warms up, and tells what honest ones have to be like.
        let first = self.slice(&way.beside);
        let honest = vec![self.honest(first.tokens_each); way.beside.programs.len()];
        let slices = [
            Beside::default(),
            Beside::sessions(honest),
            way.beside.clone(),
        ];
        self.slice(&slices[1]);
        let (mut nobody, mut than_honest, mut last) =
            (Vec::new(), Vec::new(), [Slice::default(); 3]);
        for round in 0..self.rounds {
            for step in 0..slices.len() {
                let at = (step + round) % slices.len();
                last[at] = self.slice(&slices[at]);
            }
            nobody.push((last[0].engine, last[2].engine));
            than_honest.push((last[1].engine, last[2].engine));
        }
        let ((alone, alone_within), (beside, beside_within)) = (more(&nobody), more(&than_honest));
        println!(
            "  {:51} {alone:>8.1} ±{alone_within:>5.1} % {beside:>13.1} ±{beside_within:>5.1} %  {} of {}, {} of {}",
            way.what, last[2].ended, last[2].tokens_each, last[1].ended, last[1].tokens_each,
        );
    }

    /// A session that has so many tokens, all but the end at once, of a plain text.
    fn honest(&self, tokens: u64) -> Program {
        let mut text = String::new();
        let tokenizer = self.model.engine.tokenizer();
        let count = |text: &str| tokenizer.encode(text, false, false).len() as u64;
        for word in std::iter::repeat([
            "A", " lake", " is", " water", " with", " land", " all", " round",
        ])
        .flatten()
        {
            if count(&text) + 1 >= tokens {
                break;
            }
            text.push_str(word);
        }
        match text.is_empty() {
            true => self.short.clone(),
            false => {
                let source = format!("start: {}", json!(text));
                self.model.compiler.lark(&source).expect("it is a text")
            }
        }
    }

    fn request(&self, program: Program, tenant: u64) -> SessionRequest {
        SessionRequest {
            max_tokens: SAID,
            log: false,
            ..self
                .model
                .request(self.model.prompt("Tell me about lakes."), program, tenant)
        }
    }

    fn slice(&self, beside: &Beside) -> Slice {
        let programs = &beside.programs;
        let (over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (ended, theirs) = (AtomicU64::new(0), AtomicU64::new(0));
        let (engine, meanwhile) = std::thread::scope(|scope| {
            let busy_before = busy(ENGINE);
            let running: Vec<_> = (0..NEIGHBOURS)
                .map(|number| self.neighbour(number))
                .collect();
            if beside.computes {
                scope.spawn(|| compute(&over));
            }
            for _ in 0..STRANGERS {
                scope.spawn(|| {
                    while let Some(program) = programs.get(begun.fetch_add(1, Ordering::AcqRel)) {
                        if over.load(Ordering::Acquire) {
                            return;
                        }
                        theirs.fetch_add(self.stranger(program), Ordering::AcqRel);
                        ended.fetch_add(1, Ordering::AcqRel);
                    }
                });
            }
            let said = running
                .into_iter()
                .map(|session| session.end().ending.usage.computed());
            let tokens = said.sum::<u64>() as f64;
            let engine = (busy(ENGINE) - busy_before) / tokens;
            over.store(true, Ordering::Release);
            (engine, ended.load(Ordering::Acquire))
        });
        let sessions = ended.into_inner();
        Slice {
            engine,
            ended: meanwhile,
            tokens_each: theirs.into_inner().checked_div(sessions).unwrap_or(0),
        }
    }

    /// With the shortest prompt, so that what it costs others is not what it asks; says how many tokens it had.
    fn stranger(&self, program: &Program) -> u64 {
        let request = self.request(program.clone(), STRANGER);
        let prompt = request.prompt[..1].to_vec();
        // Those that do not even open are refused.
        let session = self.model.start(SessionRequest { prompt, ..request });
        session.map_or(0, |session| session.end().ending.usage.computed())
    }

    fn neighbour(&self, number: u64) -> Running {
        let program = &self.behaved[number as usize % self.behaved.len()];
        let started = self.model.start(self.request(program.clone(), number));
        started.expect("it starts")
    }
}
