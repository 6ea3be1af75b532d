//! How many transfers a second become durable, beside the same transfers as rows of SQLite and of
//! PostgreSQL on the same disk, and how fast the journal is read back: `cargo bench -p aigen-journal`.
#![allow(clippy::print_stdout, missing_docs)]

mod journal;
mod rows;
mod work;

use aigen_testkit_postgres::Server;
use std::time::{Duration, Instant};
use work::{Transfer, transfers};

/// Everything is measured this often, in turn, and the best counts: the disk is the machine's own.
const ROUNDS: usize = 3;

/// Clients, each waiting for a batch of so many transfers before it sends the next; and how many
/// transfers all of them send.
const LOADS: [(usize, usize, usize); 6] = [
    (1, 1, 1_000),
    (64, 1, 16_000),
    (1, 100, 40_000),
    (4, 100, 160_000),
    (1, 8_189, 500_000),
    (4, 8_189, 500_000),
];

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start();
    println!("durable transfers/s, best of {ROUNDS}; the ratio says how often as many as rows");
    println!(
        "{:>8} {:>6} {:>12} {:>12} {:>7}   {:>12} {:>12} {:>7}",
        "clients", "batch", "SQLite", "rows", "ratio", "PostgreSQL", "rows", "ratio"
    );
    for (clients, size, count) in LOADS {
        let work = transfers(count);
        let mut best = Best::default();
        for round in 0..ROUNDS {
            let path = |what| {
                folder
                    .path()
                    .join(format!("{what}-{clients}-{size}-{round}"))
            };
            best.measure(
                &work,
                [
                    &mut |work| journal::over_sqlite(&path("journal"), work, size, clients),
                    &mut |work| rows::of_sqlite(&path("rows"), work, size),
                    &mut |work| journal::over_postgres(&server, work, size, clients),
                    &mut |work| rows::of_postgres(&server, work, size, clients),
                ],
            );
        }
        best.print(clients, size);
    }
    journal::replay(&folder.path().join("replay"), &transfers(1_000_000));
}

/// Does the work, and says how long that took.
type Run<'a> = &'a mut dyn FnMut(&[Transfer]) -> Duration;

/// Transfers a second: our journal and rows over SQLite, then over PostgreSQL.
#[derive(Default)]
struct Best([f64; 4]);

impl Best {
    fn measure(&mut self, work: &[Transfer], runs: [Run<'_>; 4]) {
        for (best, run) in self.0.iter_mut().zip(runs) {
            *best = best.max(work.len() as f64 / run(work).as_secs_f64());
        }
    }

    fn print(&self, clients: usize, size: usize) {
        let [ours, rows, theirs, their_rows] = self.0;
        println!(
            "{clients:>8} {size:>6} {ours:>12.0} {rows:>12.0} {:>7.1}   {theirs:>12.0} {their_rows:>12.0} {:>7.1}",
            ours / rows,
            theirs / their_rows
        );
    }
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
