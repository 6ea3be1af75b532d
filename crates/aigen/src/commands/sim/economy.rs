use crate::context::Context;
use crate::output::Table;
use aigen_testkit::economy::{Mechanism, Options, Row, Strategy, simulate, wash_bound};
use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;

/// See [`super::Other::Economy`].
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Each row is the mean profit of one agent in one epoch, in AIGEN: pay and payout less slashes and what \
the work cost, settled by the very code that settles epochs. Beside it, the same under three mechanisms \
that others use. What the numbers mean, and where they end: docs/concepts/scores.md.

Examples:
  aigen sim economy
  aigen sim economy --seed 7 --seeds 100 --json")]
pub struct Args {
    /// Which world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many worlds, from that seed on
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// Epochs of each
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    epochs: u64,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Line {
    strategy: String,
    /// By mechanism, in nano-AIGEN.
    profit_nano: std::collections::BTreeMap<String, i64>,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let options = Options {
        seed: args.seed,
        seeds: args.seeds,
        epochs: args.epochs,
    };
    let strategies = u64::try_from(Strategy::ALL.len())?;
    let bar = context.output.progress(Some(strategies), "strategies");
    let rows = simulate(options, &mut || bar.inc(1));
    bar.finish_and_clear();
    let lines: Vec<_> = rows.iter().map(line).collect();
    context.output.list(&lines, || table(&rows))
}

fn line(row: &Row) -> Line {
    let mechanisms = Mechanism::ALL.iter().map(ToString::to_string);
    // A profit of one epoch is far below 2^63 nano-AIGEN.
    let profits = row
        .profits
        .iter()
        .map(|nano| i64::try_from(*nano).unwrap_or(i64::MAX));
    Line {
        strategy: row.strategy.to_string(),
        profit_nano: mechanisms.zip(profits).collect(),
    }
}

fn table(rows: &[Row]) -> String {
    let names = Mechanism::ALL.map(|mechanism| mechanism.to_string());
    let heads: Vec<&str> = std::iter::once("profit per epoch")
        .chain(names.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(&heads);
    for row in rows {
        let profits = row.profits.iter().map(|nano| aigen(*nano));
        table.row(std::iter::once(row.strategy.to_string()).chain(profits));
    }
    let bound = aigen(wash_bound());
    format!(
        "{table}\nA wash trader puts {bound} AIGEN per epoch out of its own reach: the protocol's share.\n"
    )
}

/// With three decimals, towards zero.
fn aigen(nano: i128) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let milli = nano.unsigned_abs() / 1_000_000;
    format!("{sign}{}.{:03}", milli / 1_000, milli % 1_000)
}
