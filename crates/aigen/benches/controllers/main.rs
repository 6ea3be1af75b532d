//! What steering costs, each figure as a ratio against a rival in the same run, on the bundled model.
//!
//! `cargo bench --profile dev -p aigen --bench controllers -- [json|forks|guests|neighbours]... [--only=TEXT]`
//! With `--only` of the neighbours' rows those whose name has the text.
//!
//! Rivals: the model unsteered, llama.cpp's own grammar sampler, independent requests, the same
//! sessions without a hostile one among them. Everything takes turns and the fastest round
//! counts, so that a busy machine changes little but the absolute times.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

mod bundled;
#[path = "../../tests/steering/counting.rs"]
mod counting;
mod forks;
mod guests;
mod json;
mod neighbours;
mod rival;

use std::time::Duration;

type Part = (&'static str, fn());

const PARTS: [Part; 4] = [
    ("json", json::measure),
    ("forks", forks::measure),
    ("guests", guests::measure),
    ("neighbours", neighbours::measure),
];

fn main() {
    // Cargo adds `--bench`.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    for (name, measure) in PARTS {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            measure();
        }
    }
}

/// The time that so many of a thousand stay below, in microseconds.
fn at(times: &mut [Duration], permille: usize) -> f64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    let time = times.get(last * permille / 1000).copied();
    time.unwrap_or_default().as_secs_f64() * 1e6
}
