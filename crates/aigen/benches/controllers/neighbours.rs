//! What fifty sessions that behave lose to one tenant who does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use aigen_engine_llama::Options;
use aigen_jarvis::{JsonOptions, Program, SessionRequest};
use aigen_jarvis_host::{Host, Settings};
use aigen_testkit_guests::{Guest, HOSTILE};
use serde_json::json;

use crate::bundled::{Bundled, Running};

const NEIGHBOURS: u64 = 50;
const ROUNDS: usize = 3;
/// Tokens of each neighbour, at most.
const SAID: u32 = 32;
/// Whose the hostile sessions are, and how many there are at once.
const STRANGER: u64 = 1_000;
const STRANGERS: u32 = 3;
/// The thread that serves everybody.
const ENGINE: &str = "engine";

/// Beside whom the fifty run: nobody first, who is the measure of the rest.
type Way = (&'static str, Vec<Program>);

pub fn measure() {
    let street = Street::open();
    println!(
        "\n{NEIGHBOURS} sessions of {SAID} tokens at most, beside one tenant with {} sessions, {STRANGERS} at a time; fastest of {ROUNDS} rounds",
        street.hostile.len()
    );
    let ways = street.ways();
    let best = rounds(&street, &ways);
    println!(
        "  {:51} tokens/s    less  engine µs/token    more  sessions that ended meanwhile",
        "beside"
    );
    for ((what, _), round) in ways.iter().zip(&best) {
        println!(
            "  {what:51} {:>8.0} {:>5.1} % {:>14.0} {:>5.1} %  {}",
            1.0 / round.time,
            100.0 * (1.0 - best[0].time / round.time),
            1e6 * round.engine,
            100.0 * (round.engine / best[0].engine - 1.0),
            round.ended,
        );
    }
}

/// Who goes first changes from round to round, so that none is always the one that warms up.
fn rounds(street: &Street, ways: &[Way]) -> Vec<Round> {
    let mut best = vec![Round::WORST; ways.len()];
    for round in 0..=ROUNDS {
        for step in 0..ways.len() {
            let at = (step + round) % ways.len();
            let took = street.round(&ways[at].1);
            // The first is for warming up.
            if round > 0 {
                best[at] = best[at].better(took);
            }
        }
    }
    best
}

/// What one token of the neighbours took, and how many sessions of the other tenant ended
/// meanwhile.
#[derive(Clone, Copy)]
struct Round {
    /// Seconds on the clock.
    time: f64,
    /// Seconds of the engine's thread on a processor, on which everybody waits.
    engine: f64,
    ended: u64,
}

impl Round {
    const WORST: Self = Self {
        time: f64::MAX,
        engine: f64::MAX,
        ended: 0,
    };

    fn better(self, other: Self) -> Self {
        Self {
            time: self.time.min(other.time),
            engine: self.engine.min(other.engine),
            ended: self.ended.max(other.ended),
        }
    }
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
            model,
        }
    }

    /// As many sessions of the stranger's each time.
    fn ways(&self) -> Vec<Way> {
        let only = |program: &Program| vec![program.clone(); self.hostile.len()];
        let mut ways = vec![
            ("nobody", Vec::new()),
            ("sessions of one token", only(&self.short)),
            ("sessions like their own", only(&self.behaved[0])),
            ("every hostile one", self.hostile.clone()),
        ];
        let each = HOSTILE.iter().zip(&self.hostile);
        ways.extend(each.map(|(hostile, program)| (hostile.tries, only(program))));
        ways
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

    fn round(&self, programs: &[Program]) -> Round {
        let (over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
        let ended = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let (began, busy_before) = (Instant::now(), busy(ENGINE));
            let running: Vec<_> = (0..NEIGHBOURS)
                .map(|number| self.neighbour(number))
                .collect();
            for _ in 0..STRANGERS {
                scope.spawn(|| {
                    while let Some(program) = programs.get(begun.fetch_add(1, Ordering::AcqRel)) {
                        if over.load(Ordering::Acquire) {
                            return;
                        }
                        self.stranger(program);
                        ended.fetch_add(1, Ordering::AcqRel);
                    }
                });
            }
            let said = running
                .into_iter()
                .map(|session| session.end().ending.usage.computed());
            let tokens = said.sum::<u64>() as f64;
            let round = Round {
                time: began.elapsed().as_secs_f64() / tokens,
                engine: (busy(ENGINE) - busy_before) / tokens,
                ended: ended.load(Ordering::Acquire),
            };
            over.store(true, Ordering::Release);
            round
        })
    }

    /// With the shortest prompt, so that what it costs others is not what it asks.
    fn stranger(&self, program: &Program) {
        let request = self.request(program.clone(), STRANGER);
        let prompt = request.prompt[..1].to_vec();
        // Those that do not even open are refused.
        if let Ok(session) = self.model.start(SessionRequest { prompt, ..request }) {
            session.end();
        }
    }

    fn neighbour(&self, number: u64) -> Running {
        let program = &self.behaved[number as usize % self.behaved.len()];
        let started = self.model.start(self.request(program.clone(), number));
        started.expect("it starts")
    }
}
