mod economy;

use crate::context::Context;
use aigen_testkit::sim::{self, Options, Report};
use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use std::time::Instant;

/// See [`super::Command::Sim`].
#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
A seed decides everything: what clients ask and in which order it arrives, how long it takes, when \
the process dies or the power goes, and what the disk loses. After every command all balances are \
compared with a naive model; after every crash everything acknowledged must be there.

With --cluster, nodes fight over the lead of one ledger: connections are lost in the middle of a \
commit, leaders are paused and overtaken, clocks run apart. There must be one history, in which \
everything acknowledged stands, once.

Exit code 1: a promise was broken. The message says how to watch it.

Examples:
  aigen sim
  aigen sim --seeds 1000
  aigen sim --seeds 1000 --cluster
  aigen sim --seed 7 --steps 1000 --trace
  aigen sim --seed 7 --steps 80 --stop-everywhere"
)]
pub struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// Which world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many worlds, from that seed on
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    seeds: u64,
    /// Things that happen in each: a request, a batch, a while, a crash
    #[arg(long, default_value_t = 200)]
    steps: u64,
    /// Stop the machine at this step of its disk, and let nothing else go wrong
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u64).range(1..))]
    stop_at: Option<u64>,
    /// Run each world again for every step of its disk, stopping the machine there
    #[arg(long, conflicts_with = "stop_at")]
    stop_everywhere: bool,
    /// Several nodes on a store that they share, instead of one on a disk of its own
    #[arg(long, conflicts_with_all = ["stop_at", "stop_everywhere"])]
    cluster: bool,
    /// Print everything that happens
    #[arg(long)]
    trace: bool,
}

/// What else can be simulated.
#[derive(Debug, clap::Subcommand)]
enum Other {
    /// Simulate strategies of validators and developers, and print what each earns
    Economy(economy::Args),
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Summary {
    ok: bool,
    seeds: u64,
    steps: u64,
    records: u64,
    commands: u64,
    refused: u64,
    crashes: u64,
    faults: u64,
    pieces_lost: u64,
    checks: u64,
    trace: String,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    if let Some(Other::Economy(args)) = &args.other {
        return economy::run(args, context);
    }
    let started = Instant::now();
    let bar = context.output.progress(Some(args.seeds), "worlds");
    let mut report = Report::default();
    for seed in (args.seed..).take(usize::try_from(args.seeds)?) {
        report += one(args, seed, context)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let text = || describe(args.seeds, args.cluster, &report, seconds);
    context.output.data(&summary(args.seeds, &report), text)
}

fn one(args: &Args, seed: u64, context: &Context) -> Result<Report> {
    let options = Options {
        seed,
        steps: args.steps,
        stop_at: args.stop_at,
        cluster: args.cluster,
    };
    let mut written = Ok(());
    let mut listen = |line: &str| {
        if args.trace && written.is_ok() {
            written = context.output.piece(&format!("{line}\n"));
        }
    };
    let ran = match args.stop_everywhere {
        true => sim::stop_everywhere(options, &mut listen),
        false => sim::run(options, &mut listen),
    };
    let report = ran?;
    written?;
    Ok(report)
}

fn describe(seeds: u64, cluster: bool, report: &Report, seconds: f64) -> String {
    let Report {
        steps,
        records,
        commands,
        refused,
        crashes,
        stops,
        faults,
        lost_pieces,
        flips,
        flips_found,
        checks,
        ..
    } = report;
    let trace = report.trace.short(16);
    let worlds = match seeds {
        1 => "1 world".to_owned(),
        _ => format!("{seeds} worlds"),
    };
    let turned = match flips {
        1 => "1 bit".to_owned(),
        _ => format!("{flips} bits"),
    };
    let trouble = match cluster {
        true => format!("{faults} connections lost or nodes held up"),
        false => format!(
            "{faults} faults of the disk, {lost_pieces} pieces of writes lost\n\
             \x20 {turned} turned over: {flips_found} refused, the others harmless"
        ),
    };
    format!(
        "Every promise was kept: {worlds}, {steps} steps, {seconds:.1} s.\n\
         \x20 {commands} commands in {records} records, {refused} of them refused as the model expects\n\
         \x20 {crashes} crashes, {stops} stops, {trouble}\n\
         \x20 {checks} times everything was compared: invariants, balances, answers, replay, what was acknowledged\n\
         trace {trace}: the same seeds give the same one"
    )
}

fn summary(seeds: u64, report: &Report) -> Summary {
    Summary {
        ok: true,
        seeds,
        steps: report.steps,
        records: report.records,
        commands: report.commands,
        refused: report.refused,
        crashes: report.crashes,
        faults: report.faults,
        pieces_lost: report.lost_pieces,
        checks: report.checks,
        trace: report.trace.to_string(),
    }
}
