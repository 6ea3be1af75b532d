//! What choosing one token costs, beside the exponential of the whole vocabulary by
//! the C library, which is what a sampler that does the plain thing computes:
//! `cargo bench -p aigen-engine`.
#![allow(clippy::print_stdout, missing_docs)]

use aigen_engine::sampler::{Draw, Sampler, Sampling, logprobs};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 200;

fn main() {
    for vocabulary in [4_096, 32_768, 131_072] {
        let logits = logits(vocabulary);
        let plain = timed(|_| libm(&logits));
        println!("{vocabulary} tokens: plain exponentials take {plain:?}; of that time,");
        for (name, sampling) in kinds() {
            let sampler = Sampler::new(sampling);
            let mut row = logits.clone();
            let took = timed(|position| {
                let draw = Draw {
                    position,
                    ..Draw::default()
                };
                sampler.sample(&mut row, draw).map(f64::from).unwrap_or(0.0)
            });
            report(name, took, plain);
        }
        let took = timed(|_| f64::from(logprobs(&logits, 7, 5).0.logprob));
        report("five logprobs", took, plain);
    }
}

fn report(name: &str, took: Duration, plain: Duration) {
    let ratio = took.as_secs_f64() / plain.as_secs_f64();
    println!("  {name:<14} {ratio:.2} ({took:?})");
}

fn kinds() -> [(&'static str, Sampling); 5] {
    let any = Sampling::default;
    let greedy = Sampling::greedy();
    let (top_k, top_p, min_p) = (40, 0.9, 0.05);
    [
        ("greedy", greedy),
        ("temperature", any()),
        ("top-k 40", Sampling { top_k, ..any() }),
        ("top-p 0.9", Sampling { top_p, ..any() }),
        ("min-p 0.05", Sampling { min_p, ..any() }),
    ]
}

/// As flat as an untrained model's: nearly every token may be drawn, which is the worst case.
fn logits(vocabulary: u32) -> Vec<f32> {
    let uniform = |position| Draw {
        position,
        ..Draw::default()
    };
    (0..vocabulary)
        .map(|at| uniform(at).uniform(1) as f32 * 10.0)
        .collect()
}

fn libm(logits: &[f32]) -> f64 {
    logits
        .iter()
        .map(|&logit| f64::from(logit - 10.0).exp())
        .sum()
}

/// The fastest of [`ROUNDS`]: neighbours only ever slow it down.
fn timed(mut work: impl FnMut(u32) -> f64) -> Duration {
    let round = |at| {
        let began = Instant::now();
        black_box(work(at));
        began.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}
