//! How many transfers a second become durable, one client waiting for each batch, beside the same
//! transfers as rows of SQLite and of PostgreSQL on the same disk; then with many clients, and
//! how fast the journal is read back: `cargo bench -p aigen-journal`.
#![allow(clippy::print_stdout, missing_docs)]

mod journal;
mod rows;
mod work;

use aigen_testkit_postgres::Server;
use std::time::{Duration, Instant};
use work::{Transfer, transfers};

/// Everything is measured this often, in turn, and the best counts: the disk is the machine's own.
const ROUNDS: usize = 3;
const BATCHES: [(usize, usize); 3] = [(1, 1_000), (100, 30_000), (8_189, 400_000)];
const CLIENTS: usize = 64;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start();
    println!("durable transfers/s, best of {ROUNDS}; the ratio says how often as many as rows");
    println!(
        "{:>22} {:>12} {:>12} {:>7}   {:>12} {:>12} {:>7}",
        "batch", "SQLite", "rows", "ratio", "PostgreSQL", "rows", "ratio"
    );
    for (size, count) in BATCHES {
        let mut best = Best::default();
        for round in 0..ROUNDS {
            let name = format!("{size}-{round}");
            let work = transfers(count);
            best.measure(&work, [
                &mut |work| journal::over_sqlite(&folder.path().join(&name), work, size),
                &mut |work| rows::of_sqlite(&folder.path().join(format!("rows-{name}")), work, size),
                &mut |work| journal::over_postgres(&server, work, size),
                &mut |work| rows::of_postgres(&server, work, size),
            ]);
        }
        best.print(&size.to_string());
    }
    many_clients(&folder, &server);
    journal::replay(&folder.path().join("replay"), &transfers(1_000_000));
}

fn many_clients(folder: &tempfile::TempDir, server: &Server) {
    let mut best = Best::default();
    for round in 0..ROUNDS {
        let path = |what: &str| folder.path().join(format!("{what}-clients-{round}"));
        let work = transfers(64 * 200);
        best.measure(&work, [
            &mut |work| journal::over_sqlite_from(&path("journal"), work, CLIENTS),
            &mut |work| rows::of_sqlite(&path("rows"), work, 1),
            &mut |work| journal::over_postgres_from(server, work, CLIENTS),
            &mut |work| rows::of_postgres_from(server, work, CLIENTS / 2),
        ]);
    }
    best.print(&format!("1, from {CLIENTS} clients"));
}

/// Transfers a second: our journal and rows over SQLite, then over PostgreSQL.
#[derive(Default)]
struct Best([f64; 4]);

impl Best {
    fn measure(&mut self, work: &[Transfer], runs: [&mut dyn FnMut(&[Transfer]) -> Duration; 4]) {
        for (best, run) in self.0.iter_mut().zip(runs) {
            *best = best.max(work.len() as f64 / run(work).as_secs_f64());
        }
    }

    fn print(&self, name: &str) {
        let [ours, rows, theirs, their_rows] = self.0;
        println!(
            "{name:>22} {ours:>12.0} {rows:>12.0} {:>7.1}   {theirs:>12.0} {their_rows:>12.0} {:>7.1}",
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
