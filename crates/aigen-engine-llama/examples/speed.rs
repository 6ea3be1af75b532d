//! How fast a model is here: `cargo run --example speed -- MODEL.gguf [THREADS]`.
//!
//! Prints tokens per second of prefill and of decode, for one sequence and for
//! four at once, first the bare engine and then through the scheduler, whose
//! difference is what scheduling and sampling cost.
#![allow(clippy::print_stdout)] // It is a program.

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use aigen_engine::sampler::{Draw, Sampler, Sampling};
use aigen_engine::{
    Driver, Engine, EngineHandle, Feed, Input, Limits, Sequence, Step, TokenId, start,
};
use aigen_engine_llama::{Options, open};

const SEQUENCES: [u32; 2] = [1, 4];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments
        .next()
        .ok_or("which model? hint: pass the path of a .gguf file")?;
    let mut options = Options::default();
    if let Some(threads) = arguments.next() {
        options.threads = Some(threads.parse()?);
    }
    let mut engine = open(&model, &options)?;
    let info = engine.info().clone();
    println!("{}: {} parameters", info.name, info.parameters);
    let (prefill, decode) = (info.context_tokens / 2, info.context_tokens / 4);
    for sequences in SEQUENCES {
        let (read, said) = bare(&mut engine, sequences, prefill, decode)?;
        report("engine", sequences, prefill, read, decode, said);
    }
    let handle = start(Box::new(engine), Limits::default());
    for sequences in SEQUENCES {
        let (read, said) = scheduled(&handle, sequences, prefill, decode)?;
        report("scheduler", sequences, prefill, read, decode, said);
    }
    handle.shut_down();
    Ok(())
}

fn report(what: &str, sequences: u32, prefill: u32, read: Duration, decode: u32, said: Duration) {
    let rate = |tokens: u32, time: Duration| f64::from(tokens * sequences) / time.as_secs_f64();
    let (prefill, decode) = (rate(prefill, read), rate(decode, said));
    println!(
        "{what:>9}, {sequences} sequences: prefill {prefill:>8.0} tokens/s, decode {decode:>7.0} tokens/s"
    );
}

fn bare(
    engine: &mut dyn Engine,
    sequences: u32,
    prefill: u32,
    decode: u32,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let prompt: Vec<TokenId> = (0..prefill).map(|at| 300 + at % 500).collect();
    let began = Instant::now();
    for sequence in (0..sequences).map(Sequence) {
        for tokens in prompt.chunks(engine.info().batch_tokens_max as usize) {
            engine.forward(&[Feed {
                sequence,
                tokens,
                logits: true,
            }])?;
        }
    }
    let read = began.elapsed();
    let began = Instant::now();
    for at in 0..decode {
        let token = [300 + at % 500];
        let feed = |sequence| Feed {
            sequence: Sequence(sequence),
            tokens: &token,
            logits: true,
        };
        let feeds: Vec<Feed<'_>> = (0..sequences).map(feed).collect();
        engine.forward(&feeds)?;
    }
    let said = began.elapsed();
    (0..sequences).for_each(|sequence| engine.free(Sequence(sequence)));
    Ok((read, said))
}

/// Samples `left` tokens and tells when each came.
struct Clock {
    sampler: Sampler,
    left: u32,
    times: Sender<Instant>,
}

impl Driver for Clock {
    fn next(&mut self, input: Input<'_>) -> Step {
        let Input::Logits(logits) = input else {
            return Step::Done;
        };
        let _ = self.times.send(Instant::now());
        let draw = Draw {
            position: self.left,
            ..Draw::default()
        };
        match (self.left.checked_sub(1), self.sampler.sample(logits, draw)) {
            (Some(left), Ok(token)) => {
                self.left = left;
                Step::Feed(vec![token])
            }
            _ => Step::Done,
        }
    }
}

fn scheduled(
    handle: &EngineHandle,
    sequences: u32,
    prefill: u32,
    decode: u32,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let began = Instant::now();
    let sessions: Vec<Receiver<Instant>> = (0..sequences)
        .map(|_| session(handle, prefill, decode))
        .collect::<Result<_, _>>()?;
    let times: Vec<Vec<Instant>> = sessions
        .iter()
        .map(|times| times.iter().collect())
        .collect();
    let read = times
        .iter()
        .filter_map(|times| times.first())
        .max()
        .ok_or("no token came")?;
    let said = times
        .iter()
        .filter_map(|times| times.last())
        .max()
        .ok_or("no token came")?;
    Ok((*read - began, *said - *read))
}

fn session(
    handle: &EngineHandle,
    prefill: u32,
    decode: u32,
) -> Result<Receiver<Instant>, Box<dyn Error>> {
    let prompt: Vec<TokenId> = (0..prefill).map(|at| 300 + at % 500).collect();
    let (times, seen) = channel();
    let sampler = Sampler::new(Sampling::default());
    handle.submit(
        prompt,
        Box::new(Clock {
            sampler,
            left: decode,
            times,
        }),
    )?;
    Ok(seen)
}
