//! Several nodes on one store.

use super::options;
use crate::sim::cluster::{Bugs, Cluster};
use crate::sim::trace::Trace;
use crate::sim::{Options, Report, run};

fn cluster(seed: u64, steps: u64) -> Options {
    Options {
        cluster: true,
        ..options(seed, steps)
    }
}

/// 300 worlds take 8 s on one core. Set `AIGEN_SIM_SEEDS` to look further.
#[test]
fn nodes_that_fight_over_the_lead_write_one_history() {
    let count = std::env::var("AIGEN_SIM_SEEDS").ok();
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(300);
    // What makes it hard must happen.
    let hard = [
        "conflict",
        "lost before it is done",
        "Durable, answer lost",
        "lost, and may be done yet",
        "a lost commit: Durable",
        "a lost commit: Conflict",
        "waits no longer",
        "is killed",
        "paused: true",
    ];
    let mut seen = hard.map(|_| 0);
    let mut report = Report::default();
    for seed in 0..count {
        let mut listen = |line: &str| {
            for (seen, hard) in seen.iter_mut().zip(hard) {
                *seen += u64::from(line.contains(hard));
            }
        };
        match run(cluster(seed, 300), &mut listen) {
            Ok(one) => report += one,
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(report.commands > 30 * count, "{report:?}");
    assert!(
        seen.iter().all(|seen| *seen > count / 20),
        "{hard:?}: {seen:?}"
    );
}

#[test]
fn a_seed_is_a_cluster_byte_for_byte() {
    let world = || run(cluster(1, 400), &mut |_| {}).map(|report| report.trace.to_string());
    assert_eq!(world(), world());
}

fn must_be_found(bugs: Bugs, words: &str) {
    let broken = |seed| {
        let mut listener = |_: &str| {};
        let world = Cluster::new(cluster(seed, 300), Trace::new(&mut listener));
        world.with(bugs).run(300).err()
    };
    let (_, violation) = (0..60).find_map(broken).expect("60 worlds miss it");
    assert!(violation.what.contains(words), "{}", violation.what);
}

#[test]
fn a_store_that_says_yes_to_two_leaders() {
    let bugs = Bugs {
        yes_to_both: true,
        ..Bugs::default()
    };
    must_be_found(bugs, "");
}

#[test]
fn a_leader_that_does_not_know_a_batch_again() {
    let bugs = Bugs {
        forgets_whose: true,
        ..Bugs::default()
    };
    must_be_found(bugs, "once too often");
}
