//! What fifty sessions that behave lose to one tenant who does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aigen_engine_llama::Options;
use aigen_jarvis::{JsonOptions, Program, SessionRequest};
use aigen_jarvis_host::{Host, Settings};
use aigen_testkit_guests::{Guest, HOSTILE};
use serde_json::json;

use crate::bundled::{Bundled, Running};

const NEIGHBOURS: u64 = 50;
const ROUNDS: usize = 8;
/// Tokens of each neighbour, at most.
const SAID: u32 = 32;
/// Whose the hostile sessions are, and how many there are at once.
const STRANGER: u64 = 1_000;
const STRANGERS: u32 = 3;

pub fn measure() {
    let street = Street::open();
    println!(
        "\n{NEIGHBOURS} sessions of {SAID} tokens at most, beside one tenant with {} sessions, {STRANGERS} at a time; fastest of {ROUNDS} rounds",
        street.hostile.len()
    );
    let ways = [
        ("alone", Vec::new()),
        ("beside some of one token", street.polite()),
        ("beside every hostile one", street.hostile.clone()),
    ];
    let mut fastest = [Round::WORST; 3];
    for _ in 0..ROUNDS {
        for ((_, programs), fastest) in ways.iter().zip(&mut fastest) {
            let took = street.round(programs);
            if took.time < fastest.time {
                *fastest = took;
            }
        }
    }
    for (
        (what, _),
        Round {
            time,
            tokens,
            ended,
        },
    ) in ways.iter().zip(fastest)
    {
        println!(
            "  {what:26} {:>6.0} tokens/s, {:>5.1} % less; {ended} sessions ended meanwhile",
            tokens as f64 / time.as_secs_f64(),
            100.0 * (1.0 - fastest[0].time.as_secs_f64() / time.as_secs_f64()),
        );
    }
}

/// How long the neighbours took, and how many sessions of the other tenant ended meanwhile.
#[derive(Clone, Copy)]
struct Round {
    time: Duration,
    tokens: u64,
    ended: u64,
}

impl Round {
    const WORST: Self = Self {
        time: Duration::MAX,
        tokens: 0,
        ended: 0,
    };
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

    /// As many that behave, and are as short.
    fn polite(&self) -> Vec<Program> {
        vec![self.short.clone(); self.hostile.len()]
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
            let began = Instant::now();
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
            let tokens = said.sum();
            over.store(true, Ordering::Release);
            Round {
                time: began.elapsed(),
                tokens,
                ended: ended.load(Ordering::Acquire),
            }
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
