use super::{Options, Report, run};

fn seeds(seeds: std::ops::Range<u64>, steps: u64) -> Report {
    let mut report = Report::default();
    for seed in seeds {
        match run(Options { seed, steps }, &mut |_| {}) {
            Ok(one) => report += one,
            Err(failure) => panic!("{failure}"),
        }
    }
    report
}

#[test]
fn thousands_of_worlds_keep_every_promise() {
    let count: u64 = std::env::var("SEEDS").map_or(2_000, |n| n.parse().unwrap());
    let report = seeds(0..count, 100);
    println!("{report:?}");
}
