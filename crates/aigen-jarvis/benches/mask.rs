//! How long the host works per token: mask, advance, forced tokens, and what it
//! costs to compile a grammar and to open a session.
//!
//! `cargo bench -p aigen-jarvis --bench mask`
//!
//! Every grammar is walked 50 times by a model that takes random allowed tokens,
//! on a vocabulary of 4 thousand and on one of 128 thousand made-up tokens.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aigen_engine::{ChatMessage, EngineError, TokenId, Tokenizer};
use aigen_jarvis::{Compiler, JsonOptions, Matcher, Program};
use serde_json::json;

const WALKS: usize = 50;
const TOKENS_MAX: usize = 200;

fn main() {
    println!("times in microseconds; p50/p95/max");
    for size in [4_096, 131_072] {
        let words: Arc<Words> = Arc::new(Words::made_up(size));
        let started = Instant::now();
        let compiler = Compiler::new(words.clone()).expect("the vocabulary has an end");
        println!(
            "\n{size} tokens; compiler ready in {} ms",
            started.elapsed().as_millis()
        );
        println!(
            "{:12} {:>9} {:>7} {:>16} {:>16} {:>6}",
            "grammar", "compile", "open", "mask", "advance+forced", "tokens"
        );
        for (name, compile) in grammars() {
            measure(name, &words, || compile(&compiler));
        }
    }
}

type Compile = Box<dyn Fn(&Compiler) -> Program>;

fn grammars() -> Vec<(&'static str, Compile)> {
    let invoice = json!({
        "type": "object",
        "properties": {
            "customer": {"type": "string", "maxLength": 40},
            "total": {"type": "number", "minimum": 0, "maximum": 10000},
            "currency": {"enum": ["EUR", "USD", "KES"]},
            "lines": {"type": "array", "maxItems": 3, "items": {
                "type": "object",
                "properties": {"item": {"type": "string", "maxLength": 20}, "count": {"type": "integer", "minimum": 1, "maximum": 99}},
                "required": ["item", "count"], "additionalProperties": false}},
            "note": {"anyOf": [{"type": "string", "maxLength": 60}, {"type": "null"}]}
        },
        "required": ["customer", "total", "currency", "lines", "note"],
        "additionalProperties": false
    });
    let lesson = lesson(400);
    let options: Vec<String> = (0..50).map(|n| format!("intent {n}")).collect();
    let compiled = |program: Result<Program, _>| program.expect("the benchmark's grammars compile");
    vec![
        (
            "json-schema",
            Box::new(move |compiler| {
                compiled(compiler.json_schema(&invoice, JsonOptions::default()))
            }),
        ),
        (
            "any json",
            Box::new(move |compiler| {
                compiled(compiler.json_schema(&json!({}), JsonOptions::default()))
            }),
        ),
        (
            "quote",
            Box::new(move |compiler| compiled(compiler.quote(&lesson, None))),
        ),
        (
            "choice",
            Box::new(move |compiler| compiled(compiler.choice(&options))),
        ),
        (
            "regex",
            Box::new(move |compiler| compiled(compiler.regex(r"[A-Z][a-z]+( [a-z]+){2,9}\."))),
        ),
    ]
}

fn measure(name: &str, words: &Arc<Words>, compile: impl Fn() -> Program) {
    let started = Instant::now();
    let program = compile();
    let compile_micros = started.elapsed().as_micros();
    let (mut opens, mut masks, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    let mut chance = Chance(7);
    for _ in 0..WALKS {
        let started = Instant::now();
        let matcher = open(&program);
        opens.push(started.elapsed());
        walk(&matcher, words, &mut chance, &mut masks, &mut moves);
    }
    let open = percentile(&mut opens, 50);
    println!(
        "{name:12} {compile_micros:>9} {open:>7.1} {:>16} {:>16} {:>6}",
        summary(&mut masks),
        summary(&mut moves),
        masks.len()
    );
}

fn open(program: &Program) -> Matcher {
    program.matcher().expect("every program here has a grammar")
}

fn walk(
    matcher: &Matcher,
    words: &Words,
    chance: &mut Chance,
    masks: &mut Vec<Duration>,
    moves: &mut Vec<Duration>,
) {
    for _ in 0..TOKENS_MAX {
        let started = Instant::now();
        let forced = matcher.forced().expect("no fault");
        matcher.advance(&forced).expect("no fault");
        moves.push(started.elapsed());
        if matcher.finished() {
            return;
        }
        let started = Instant::now();
        let mask = matcher.mask().expect("no fault");
        masks.push(started.elapsed());
        let token = words.any(chance, |token| mask.contains(token));
        if token == words.end[0] {
            return;
        }
        let started = Instant::now();
        matcher.advance(&[token]).expect("an allowed token");
        if let (Some(last), false) = (moves.last_mut(), matcher.finished()) {
            *last += started.elapsed();
        }
    }
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort();
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times
        .get(index)
        .map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

fn summary(times: &mut [Duration]) -> String {
    let [p50, p95, max] = [50, 95, 100].map(|percent| percentile(times, percent));
    format!("{p50:.1}/{p95:.0}/{max:.0}")
}

fn lesson(words: usize) -> String {
    let some = [
        "Mount", "Kenya", "is", "the", "highest", "mountain", "of", "its", "country", "and",
        "stands", "alone,",
    ];
    (0..words)
        .map(|n| {
            format!(
                "{}{} ",
                some[(n * 7 + n / 5) % 12],
                if n % 13 == 0 { "." } else { "" }
            )
        })
        .collect()
}

/// SplitMix64; the same walk on every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// All bytes, made-up words of two to ten letters, and an end token.
struct Words {
    tokens: Vec<Vec<u8>>,
    ids: HashMap<Vec<u8>, TokenId>,
    end: [TokenId; 1],
}

impl Words {
    fn made_up(size: usize) -> Self {
        let mut tokens: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
        let mut ids: HashMap<_, _> = tokens.iter().cloned().zip(0..).collect();
        let mut chance = Chance(1);
        while tokens.len() < size - 1 {
            let mut token = Vec::new();
            if chance.next().is_multiple_of(2) {
                token.push(b' ');
            }
            for _ in 0..1 + chance.next() % 9 {
                // The frequent letters are listed more than once.
                let letters = b"eeeetttaaaoooiinnsshrrdlucmfwypvbgkqjxzEKM.,\":{}[]0123456789";
                token.push(letters[(chance.next() % 60) as usize]);
            }
            if !ids.contains_key(&token) {
                ids.insert(token.clone(), tokens.len() as TokenId);
                tokens.push(token);
            }
        }
        tokens.push(Vec::new());
        let end = [(size - 1) as TokenId];
        Self { tokens, ids, end }
    }

    /// A random token for which `allowed` holds.
    fn any(&self, chance: &mut Chance, allowed: impl Fn(TokenId) -> bool) -> TokenId {
        let tried = (0..1_000).map(|_| (chance.next() % self.tokens.len() as u64) as TokenId);
        let found = tried.into_iter().find(|&token| allowed(token));
        let any = || (0..self.tokens.len() as TokenId).find(|&token| allowed(token));
        found.or_else(any).expect("a mask is never empty")
    }
}

impl Tokenizer for Words {
    fn encode(&self, text: &str, _parse_special: bool, _add_bos: bool) -> Vec<TokenId> {
        let (mut tokens, mut rest) = (Vec::new(), text.as_bytes());
        while !rest.is_empty() {
            let length = (1..=rest.len().min(10))
                .rev()
                .find(|&n| self.ids.contains_key(&rest[..n]));
            let (token, tail) = rest.split_at(length.unwrap_or(1));
            tokens.push(self.ids[token]);
            rest = tail;
        }
        tokens
    }

    fn token_bytes(&self, token: TokenId) -> &[u8] {
        self.tokens.get(token as usize).map_or(&[], Vec::as_slice)
    }

    fn is_special(&self, token: TokenId) -> bool {
        self.end.contains(&token)
    }

    fn end_tokens(&self) -> &[TokenId] {
        &self.end
    }

    fn vocab_size(&self) -> u32 {
        self.tokens.len() as u32
    }

    fn chat(&self, _messages: &[ChatMessage]) -> Result<Vec<TokenId>, EngineError> {
        Ok(vec![0])
    }
}
