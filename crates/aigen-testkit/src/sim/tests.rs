//! Worlds that keep every promise, and bugs that no world must miss.

mod bugs;
mod clusters;
mod rules;

use super::{Options, Report, run, stop_everywhere};

fn options(seed: u64, steps: u64) -> Options {
    Options {
        seed,
        steps,
        stop_at: None,
        cluster: false,
    }
}

/// Runs every seed, or says what went wrong in the first that breaks a promise.
fn seeds(seeds: std::ops::Range<u64>, steps: u64) -> Report {
    let mut report = Report::default();
    for seed in seeds {
        match run(options(seed, steps), &mut |_| {}) {
            Ok(one) => report += one,
            Err(failure) => panic!("{failure}"),
        }
    }
    report
}

/// 15 s on one core. Set `AIGEN_SIM_SEEDS` to look further.
#[test]
fn thousands_of_worlds_keep_every_promise() {
    let count = std::env::var("AIGEN_SIM_SEEDS").ok();
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(2_000);
    let report = seeds(0..count, 100);
    // A simulator in which nothing happens finds nothing.
    assert!(report.commands > 50 * count, "{report:?}");
    assert!(report.crashes > 5 * count, "{report:?}");
    assert!(report.faults > count, "{report:?}");
    assert!(report.lost_pieces > count, "{report:?}");
    assert!(report.refused < report.commands * 2 / 3, "{report:?}");
    assert!(report.flips_found > count / 20, "{report:?}");
}

#[test]
fn worlds_of_every_kind_of_command_grow_old() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..10 {
        let mut listen = |line: &str| {
            let said = line.split_once(": ").map(|(_, said)| said);
            if let Some((name, answer)) = said.and_then(|said| said.split_once(" -> ")) {
                let first = answer.split(' ').next().unwrap_or_default();
                let refused = first == "refused";
                seen.insert(format!("{name} {}", if refused { answer } else { first }));
            }
        };
        run(options(seed, 2_000), &mut listen).unwrap_or_else(|failure| panic!("{failure}"));
    }
    for done in [
        "AssignEpoch ok",
        "CloseCall charged",
        "CloseEpoch settled",
        "CommitScores ok",
        "CreateKey ok",
        "CreateKey refused spender_invalid",
        "ExtendCall covers",
        "ExtendCall refused allowance_ended",
        "Found ok",
        "FreezeCommits ok",
        "GrantAllowance ok",
        "GrantDataset ok",
        "Issue ok",
        "OpenCall covers",
        "OpenCall refused allowance_ended",
        "OpenCall refused allowance_unknown",
        "OpenCall refused budget_exhausted",
        "OpenCall refused column_not_granted",
        "OpenCall refused dataset_not_granted",
        "OpenCall refused dataset_withdrawn",
        "OpenCall refused in_flight_budget_exhausted",
        "OpenCall refused spender_invalid",
        "Pay ok",
        "PriceDataset ok",
        "ProgressCall ok",
        "PublishController ok",
        "PublishDataset ok",
        "PublishModel ok",
        "ReadDataset charged",
        "ReadDataset refused budget_exhausted",
        "ReadDataset refused dataset_use_not_allowed",
        "ReadDataset refused dataset_withdrawn",
        "ReadWithin covers",
        "ReadWithin refused dataset_not_granted",
        "RefundCall gave",
        "RefundCall refused refund_too_large",
        "RegisterValidator ok",
        "RevealScores ok",
        "ReverseCall gave",
        "ReverseCall refused call_refunded",
        "ReverseCall refused epoch_settled",
        "RevokeAllowance ok",
        "RevokeDataset ok",
        "RevokeKey ok",
        "SetBudget ok",
        "WithdrawDataset ok",
    ] {
        assert!(seen.contains(done), "{done:?} never happened: {seen:?}");
    }
}

#[test]
fn whatever_step_the_machine_stops_at_it_comes_back() {
    let report = stop_everywhere(options(1, 80), &mut |_| {});
    let report = report.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.faults > 100, "{report:?}");
}

#[test]
fn a_seed_is_a_world_byte_for_byte() {
    let world = || run(options(1, 200), &mut |_| {}).map(|report| report.trace.to_string());
    assert_eq!(world(), world());
    // Another one whenever commands, records or clients change on purpose: then take it over.
    let golden = include_str!("tests/seed-1.trace").trim_end();
    assert_eq!(world().as_deref(), Ok(golden));
}
