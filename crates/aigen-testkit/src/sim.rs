//! The simulator: a world of clients, clocks and disks that fail, all of it decided by a seed.
//!
//! A seed makes the same world on every machine, byte for byte, so that whatever it finds can be
//! watched again: `aigen sim --seed 7 --steps 200 --trace`. What runs in it is what runs in
//! production: the real network, the real journal, the real SQLite, on a [disk](disk) in memory.
//!
//! - **Clients** issue, pay, publish, call, set bounds, give back and settle at random, mostly within reason. What they
//!   say arrives late, in another order, twice, or again because the answer was lost.
//! - **The disk** tears writes at 512 bytes, loses what was not synced in any order, fails to
//!   sync, fills up, stops at any step, and ages by a bit.
//! - **Time** is virtual: it passes in moments or hours, and clocks are set back.
//! - **A cluster** ([`Options::cluster`]) is up to three nodes on one store, real ones in threads
//!   that run in lockstep. Connections are lost in the middle of commits, batches arrive twice or
//!   not at all, leaders are killed, paused and overtaken, and clocks run apart.
//!
//! After every command the invariants of the network hold, the answer, every balance and every cap
//! agree with a naive model that shares no code with it, and answers agree with a network that no
//! disk ever saw. After every crash everything acknowledged is there, at most the one record in
//! doubt came true, and replay leads to the very state there was before. In a cluster there is
//! one history: what any node acknowledged stands in it with that answer, nothing more often than
//! it was asked for, and once all is well everyone is answered and all nodes agree.
//!
//! What it cannot see: scoring has no second model here (a settlement is believed if no money
//! was made or lost and escrows are empty), and a bit that turns over in SQLite's log, which the
//! log's own checksums take for its end.

mod clients;
mod clock;
mod cluster;
pub(crate) mod disk;
mod history;
mod model;
mod node;
pub(crate) mod random;
mod single;
mod trace;

#[cfg(test)]
mod tests;

use aigen_network::Command;
use aigen_types::Digest;
use cluster::Cluster;
use single::World;
use std::fmt;
use std::ops::AddAssign;
use trace::Trace;

/// Which world, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// Things that happen: something is said, something arrives, time passes, a crash.
    pub steps: u64,
    /// Nothing goes wrong but this: the machine stops at this step of its disk, from 1.
    pub stop_at: Option<u64>,
    /// Several nodes on a store that they share, instead of one on a disk of its own.
    pub cluster: bool,
}

/// What happened in one world, or in several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Things that happened.
    pub steps: u64,
    /// Records acknowledged, or found to be there after a crash.
    pub records: u64,
    /// Commands in them.
    pub commands: u64,
    /// Commands that were refused.
    pub refused: u64,
    /// Processes killed and power cuts.
    pub crashes: u64,
    /// Nodes that ended in good order.
    pub stops: u64,
    /// Faults of the disk that struck.
    pub faults: u64,
    /// Pieces of writes that power cuts lost.
    pub lost_pieces: u64,
    /// Bits turned over.
    pub flips: u64,
    /// Those that the journal refused; the others made no difference.
    pub flips_found: u64,
    /// Records and recoveries after which everything was compared.
    pub checks: u64,
    /// Hash of all that happened; of several worlds, of their hashes.
    pub trace: Digest,
}

/// A broken promise, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "seed {}, step {step}: {what}\n  before that:\n    {}\n  hint: watch it with `aigen sim {options} --trace`",
    options.seed,
    tail.join("\n    ")
)]
pub struct Failure {
    /// The world.
    pub options: Options,
    /// Where it stopped, from 1.
    pub step: u64,
    /// The promise.
    pub what: String,
    /// What happened last, oldest first.
    pub tail: Vec<String>,
}

/// A broken promise within a world that does not know its seed.
#[derive(Debug)]
pub(crate) struct Violation {
    what: String,
    tail: Vec<String>,
}

/// Runs one world. `listener` is told every line of what happens.
///
/// # Errors
/// The first promise that was broken.
pub fn run(options: Options, listener: &mut dyn FnMut(&str)) -> Result<Report, Box<Failure>> {
    run_with(options, single::honest, listener)
}

/// Runs one world again and again, with the machine stopping at the first step of its disk, at
/// the second, and so on until a stop comes too late to matter.
///
/// # Errors
/// The first promise that was broken.
pub fn stop_everywhere(
    options: Options,
    listener: &mut dyn FnMut(&str),
) -> Result<Report, Box<Failure>> {
    let mut report = Report::default();
    for stop in 1.. {
        let stop_at = Some(stop);
        let one = run(Options { stop_at, ..options }, listener)?;
        report += one;
        if one.faults == 0 {
            break;
        }
    }
    Ok(report)
}

fn run_with(
    options: Options,
    open: single::Open,
    listener: &mut dyn FnMut(&str),
) -> Result<Report, Box<Failure>> {
    let trace = Trace::new(listener);
    let ran = match options.cluster {
        true => Cluster::new(options, trace).run(options.steps),
        false => World::new(options, open, trace).run(options.steps),
    };
    ran.map_err(|(step, violation)| {
        Box::new(Failure {
            options,
            step,
            what: violation.what,
            tail: violation.tail,
        })
    })
}

/// As the command line takes them.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--seed {} --steps {}", self.seed, self.steps)?;
        if self.cluster {
            f.write_str(" --cluster")?;
        }
        match self.stop_at {
            Some(step) => write!(f, " --stop-at {step}"),
            None => Ok(()),
        }
    }
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.records += other.records;
        self.commands += other.commands;
        self.refused += other.refused;
        self.crashes += other.crashes;
        self.stops += other.stops;
        self.faults += other.faults;
        self.lost_pieces += other.lost_pieces;
        self.flips += other.flips;
        self.flips_found += other.flips_found;
        self.checks += other.checks;
        let both = [self.trace.0, other.trace.0].concat();
        self.trace = Digest(*blake3::hash(&both).as_bytes());
    }
}

/// A command in one word, for traces.
fn name_of(command: &Command) -> String {
    let all = format!("{command:?}");
    let end = all.find(|letter: char| !letter.is_alphanumeric());
    all[..end.unwrap_or(all.len())].to_owned()
}
