//! Characters a second under a JSON Schema, and how long masks take.

use std::time::{Duration, Instant};

use aigen_engine::TokenId;
use aigen_engine_llama::Options;
use aigen_jarvis::{Choice, JsonOptions, Matcher, Program, SessionRequest};
use serde_json::{Value, json};

use crate::at;
use crate::bundled::{Bundled, Ran, file};
use crate::rival::{Checks, Grammar, Rival, Setup};

const ROUNDS: usize = 30;
/// How often the masks of each answer are computed again.
const WALKS: usize = 20;

pub fn measure() {
    let model = Bundled::open(&Options {
        context_tokens: Some(512),
        ..Options::default()
    });
    let cases: Vec<Case> = cases()
        .into_iter()
        .map(|(prompt, schema)| Case::new(&model, prompt, &schema))
        .collect();
    println!("\ncharacters a second, greedy, the prompt read before; fastest of {ROUNDS} rounds");
    let mut rivals = Rivals::open();
    let mut rows: Vec<Row> = Way::ALL.into_iter().map(Row::new).collect();
    for case in &cases {
        for row in &mut rows {
            row.begin();
        }
        for _ in 0..=ROUNDS {
            for row in &mut rows {
                row.add(row.way.run(&model, &mut rivals, case));
            }
        }
    }
    report(&rows);
    passes(&mut rivals);
    masks(&model, &cases);
    hidden(&model, &cases);
}

fn cases() -> Vec<(&'static str, Value)> {
    let text = |most: u32| json!({"type": "string", "maxLength": most});
    let object = |properties: Value| {
        let required: Vec<&String> = properties
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    };
    vec![
        (
            "Extract as JSON: Hello, Wilhelmina Oduya writing about order 73390, it came without the lid.",
            object(json!({"name": text(40), "order": text(16)})),
        ),
        (
            "Extract name, order and city as JSON: I am Fergus O'Dowd of Galway. The order number is 204466.",
            object(
                json!({"name": text(40), "order": {"type": "string", "pattern": "^[0-9]{4,8}$"}, "city": text(24)}),
            ),
        ),
        (
            "Classify the sentiment as JSON: The lamp broke on the first day and nobody answers.",
            object(
                json!({"sentiment": {"enum": ["positive", "negative", "neutral"]}, "urgent": {"type": "boolean"}}),
            ),
        ),
        (
            "Extract the invoice as JSON: Three lamps and a chair for Ngozi Brandt, 240 euros in all.",
            object(json!({
                "customer": text(40),
                "currency": {"enum": ["EUR", "USD", "KES"]},
                "lines": {"type": "array", "minItems": 1, "maxItems": 2, "items":
                    object(json!({"item": text(16), "count": {"type": "integer", "minimum": 1, "maximum": 99}}))},
                "note": {"anyOf": [text(40), {"type": "null"}]},
            })),
        ),
    ]
}

/// One prompt and one schema.
struct Case {
    prompt: Vec<TokenId>,
    steered: Program,
    grammar: Grammar,
}

impl Case {
    fn new(model: &Bundled, prompt: &str, schema: &Value) -> Self {
        let steered = model.compiler.json_schema(schema, JsonOptions::default());
        Self {
            prompt: model.prompt(prompt),
            steered: steered.expect("the schemas of this benchmark can be enforced"),
            grammar: Grammar::of(&schema.to_string()),
        }
    }

    fn ask(&self, model: &Bundled, program: Program) -> Ran {
        model.run(model.request(self.prompt.clone(), program, 0))
    }

    fn short(&self, model: &Bundled) -> Ran {
        let request = model.request(self.prompt.clone(), self.steered.clone(), 0);
        model.run(SessionRequest {
            max_tokens: 100,
            ..request
        })
    }
}

/// llama.cpp in two setups.
struct Rivals {
    ours: Rival,
    own: Rival,
}

impl Rivals {
    fn open() -> Self {
        Self {
            ours: Rival::open(&file(), Setup::Ours),
            own: Rival::open(&file(), Setup::Own),
        }
    }
}

/// A way to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Free,
    Steered,
    /// With so few tokens left that ways out of the grammar are looked for all the time.
    Short,
    Llama(Setup, Option<Checks>),
}

impl Way {
    const ALL: [Self; 8] = [
        Self::Free,
        Self::Steered,
        Self::Short,
        Self::Llama(Setup::Ours, None),
        Self::Llama(Setup::Ours, Some(Checks::Chosen)),
        Self::Llama(Setup::Ours, Some(Checks::All)),
        Self::Llama(Setup::Own, None),
        Self::Llama(Setup::Own, Some(Checks::Chosen)),
    ];

    fn says(self) -> &'static str {
        match self {
            Self::Free => "AiGen, unsteered",
            Self::Steered => "AiGen, JSON Schema",
            Self::Short => "AiGen, JSON Schema, 100 tokens at most",
            Self::Llama(Setup::Ours, None) => "llama.cpp, unsteered",
            Self::Llama(Setup::Ours, Some(Checks::Chosen)) => "llama.cpp, grammar as its server",
            Self::Llama(Setup::Ours, Some(Checks::All)) => "llama.cpp, grammar in a chain",
            Self::Llama(Setup::Own, None) => "llama.cpp, unsteered, flash attention",
            Self::Llama(Setup::Own, Some(_)) => "llama.cpp, grammar, flash attention",
        }
    }

    fn run(self, model: &Bundled, rivals: &mut Rivals, case: &Case) -> Answer {
        let (setup, checks) = match self {
            Self::Free => return Answer::of(&case.ask(model, Program::free())),
            Self::Steered => return Answer::of(&case.ask(model, case.steered.clone())),
            Self::Short => return Answer::of(&case.short(model)),
            Self::Llama(setup, checks) => (setup, checks),
        };
        let rival = match setup {
            Setup::Ours => &mut rivals.ours,
            Setup::Own => &mut rivals.own,
        };
        let grammar = checks.map(|checks| (&case.grammar, checks));
        let said = rival.run(&case.prompt, grammar, 256);
        let tokenizer = model.engine.tokenizer();
        let bytes = said
            .tokens
            .iter()
            .flat_map(|token| tokenizer.token_bytes(*token));
        let bytes: Vec<u8> = bytes.copied().collect();
        Answer {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            tokens: said.tokens.len(),
            forced: 0,
            took: said.took,
        }
    }
}

/// One answer, and how long it took.
struct Answer {
    text: String,
    tokens: usize,
    forced: usize,
    took: Duration,
}

impl Answer {
    fn of(ran: &Ran) -> Self {
        let usage = ran.ending.usage;
        Self {
            text: ran.text.clone(),
            tokens: usage.computed() as usize,
            forced: usage.forced_tokens as usize,
            took: ran.took,
        }
    }
}

/// What one way came to, over all cases.
struct Row {
    way: Way,
    /// The fastest answer to each case.
    fastest: Vec<Answer>,
    fresh: bool,
}

impl Row {
    fn new(way: Way) -> Self {
        let (fastest, fresh) = (Vec::new(), true);
        Self {
            way,
            fastest,
            fresh,
        }
    }

    fn begin(&mut self) {
        self.fresh = true;
    }

    /// The first answer to a case only fills caches.
    fn add(&mut self, answer: Answer) {
        match (self.fresh, self.fastest.last_mut()) {
            (false, Some(best)) if best.took <= answer.took => {}
            (false, Some(best)) => *best = answer,
            _ => self.fastest.push(Answer {
                took: Duration::MAX,
                ..answer
            }),
        }
        self.fresh = false;
    }

    fn sum(&self, of: impl Fn(&Answer) -> usize) -> usize {
        self.fastest.iter().map(of).sum()
    }

    fn seconds(&self) -> f64 {
        let times = self.fastest.iter().map(|answer| answer.took);
        times.sum::<Duration>().as_secs_f64()
    }

    fn rate(&self) -> f64 {
        self.sum(|answer| answer.text.chars().count()) as f64 / self.seconds()
    }
}

fn report(rows: &[Row]) {
    let steered = rows.iter().find(|row| row.way == Way::Steered);
    let steered = steered.map_or(0.0, Row::rate);
    for row in rows {
        println!(
            "  {:40} {:>7.0}/s   {:>5.2} x steered here   {:>4} tokens, {:>3} forced, {:>6.1} us each",
            row.way.says(),
            row.rate(),
            row.rate() / steered,
            row.sum(|answer| answer.tokens),
            row.sum(|answer| answer.forced),
            row.seconds() * 1e6 / row.sum(|answer| answer.tokens) as f64,
        );
    }
    let same = |one: &Row, other: &Row| {
        let pairs = one.fastest.iter().zip(&other.fastest);
        pairs.filter(|(one, other)| one.text == other.text).count()
    };
    println!(
        "  {} of {} texts under the schema are llama.cpp's too",
        same(&rows[1], &rows[4]),
        rows[1].fastest.len()
    );
}

/// What a forced token saves: a pass of several tokens against as many passes.
fn passes(rivals: &mut Rivals) {
    println!("\na pass of n tokens against n passes of one, fastest of 50");
    for (setup, rival) in [
        ("as here", &mut rivals.ours),
        ("flash attention", &mut rivals.own),
    ] {
        let mut fastest = |tokens| {
            let times = (0..50).map(|_| rival.pass(tokens));
            times.min().unwrap_or_default().as_secs_f64() * 1e6
        };
        let one = fastest(1);
        for tokens in [1, 2, 3, 4, 6, 8, 16] {
            let took = fastest(tokens);
            println!(
                "  {setup:16} {tokens:>3}: {took:>7.1} us, {:.2} x",
                took / one / tokens as f64
            );
        }
    }
}

/// The masks of every answer, computed again at the same places: by a matcher of a fresh session,
/// and by one that was there before.
fn masks(model: &Bundled, cases: &[Case]) {
    let (mut fresh, mut again) = (Vec::new(), Vec::new());
    for case in cases {
        let ran = case.ask(model, case.steered.clone());
        let log = ran.ending.replay.expect("a log was asked for");
        for _ in 0..WALKS {
            let matcher = case.steered.matcher().expect("a schema is a grammar");
            walk(&matcher, &log.branches[0], &mut fresh);
            matcher.reset().expect("it can begin anew");
            walk(&matcher, &log.branches[0], &mut again);
        }
    }
    for (what, times) in [
        ("a fresh session's", &mut fresh),
        ("the same again", &mut again),
    ] {
        let [p50, p95, p99] = [500, 950, 990].map(|permille| at(times, permille));
        println!(
            "masks, {what}: p50 {p50:.1} us, p95 {p95:.1} us, p99 {p99:.1} us, of {}",
            times.len()
        );
    }
}

fn walk(matcher: &Matcher, choices: &[Choice], times: &mut Vec<Duration>) {
    for choice in choices {
        let forced = matcher.forced().expect("no fault");
        matcher.advance(&forced).expect("what is forced fits");
        let began = Instant::now();
        let mask = matcher.mask().expect("something may come");
        times.push(began.elapsed());
        let Choice::Sampled { token, .. } = choice else {
            return;
        };
        assert!(mask.contains(*token), "it was sampled under this mask");
        matcher.advance(&[*token]).expect("it may come");
        if matcher.finished() {
            return;
        }
    }
}

/// How many masks were ready when their forward pass ended, of those of sessions one at a time and
/// of four at once.
fn hidden(model: &Bundled, cases: &[Case]) {
    for at_once in [1, 4] {
        let before = model.engine.load();
        let (mut waited, mut took) = (0, Duration::ZERO);
        for _ in 0..ROUNDS {
            for case in cases {
                let start =
                    |_| model.start(model.request(case.prompt.clone(), case.steered.clone(), 0));
                let running: Vec<_> = (0..at_once).map(start).collect();
                for session in running {
                    let ran = session.expect("it starts").end();
                    waited += ran.ending.controller_micros;
                    took += ran.took;
                }
            }
        }
        let after = model.engine.load();
        let prepared = after.prepared - before.prepared;
        let in_time = after.prepared_in_time - before.prepared_in_time;
        println!(
            "masks hidden behind the forward pass, {at_once} at once: {:.1} % of {prepared} (target: at least 95 %); {:.2} % of the sessions' time was steering",
            100.0 * in_time as f64 / prepared as f64,
            100.0 * waited as f64 / took.as_micros() as f64,
        );
    }
}
