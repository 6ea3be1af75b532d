//! What exact money costs a call in time: its hold before the first token and its capture after
//! the last, at 64 calls at once, beside the same two writes as rows of SQLite on the same disk:
//! `cargo bench -p aigen-node`.
#![allow(clippy::print_stdout, missing_docs)]

mod node;
mod rows;

use std::time::Duration;

/// Calls at once; each client begins the next when one has ended.
const CLIENTS: usize = 64;

/// Calls of each client.
const CALLS: usize = 100;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name| folder.path().join(name);
    println!("{CLIENTS} clients, {CALLS} calls each; milliseconds; the ratio is to rows of SQLite");
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "hold p50", "hold p99", "capt. p50", "capt. p99", "p99 ratio"
    );
    let rows = rows::over_sqlite(&path("rows"));
    let kinds = [
        ("rows of SQLite", &rows),
        ("journal in SQLite", &node::over_sqlite(&path("journal"))),
        ("journal in memory", &node::in_memory()),
    ];
    for (name, times) in kinds {
        times.print(name, &rows);
    }
}

/// How long each call waited.
#[derive(Default)]
struct Times {
    hold: Vec<Duration>,
    capture: Vec<Duration>,
}

impl Times {
    fn join(all: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for one in all {
            joined.hold.extend(one.hold);
            joined.capture.extend(one.capture);
        }
        joined.hold.sort();
        joined.capture.sort();
        joined
    }

    fn print(&self, name: &str, rows: &Self) {
        let whole = |times: &Self| at(&times.hold, 99) + at(&times.capture, 99);
        println!(
            "{name:<28} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.2}",
            at(&self.hold, 50),
            at(&self.hold, 99),
            at(&self.capture, 50),
            at(&self.capture, 99),
            whole(rows) / whole(self)
        );
    }
}

/// A percentile in milliseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3
}
