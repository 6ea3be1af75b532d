use super::{Writer, child, witness::Witness};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

const ROUNDS: u64 = 200;

const SIGKILL: i32 = 9;

/// Two hundred processes, each killed after some number of answers; now and then before the
/// first. What any of them acknowledged is there, as it was answered, whatever came after.
#[test]
fn two_hundred_killed_processes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(0x5149);
    let mut witness = Witness::default();
    for round in 1..=ROUNDS {
        let lines = match random.u32(0..10) {
            // Before and while it recovers, or sets the stage.
            0 => random.usize(1..4),
            _ => random.usize(4..180),
        };
        let said = killed(folder.path(), round, lines);
        let before = witness.tip.seq;
        witness.check(folder.path(), &said);
        let recovered = format!("recovered {before}");
        assert!(said.len() < 2 || said[1] == recovered, "{:?}", &said[..2]);
        // The next process recovers in any case; to compare takes longer than to kill.
        if round % 10 == 0 {
            witness.check_state(folder.path());
        }
    }
    assert!(witness.acknowledged > 10_000, "{}", witness.acknowledged);
    let receipts = witness.network().receipts().count();
    assert!(receipts > 500, "{receipts}");

    let mut last = Writer::start(folder.path(), ROUNDS + 1, |mut command| {
        command.env(child::STOP, "1");
        command
    });
    let said: Vec<_> = std::iter::from_fn(|| last.next()).collect();
    assert!(last.process.wait().unwrap().success());
    assert_eq!(said.last().unwrap(), "stopped");
    witness.check(folder.path(), &said);
    witness.check_state(folder.path());
    assert_eq!(witness.network().calls().count(), 0);
}

/// Everything that a process says until it is killed, at the line of this number.
fn killed(folder: &Path, round: u64, lines: usize) -> Vec<String> {
    let mut writer = Writer::start(folder, round, |command| command);
    let mut said = Vec::new();
    while said.len() < lines {
        said.push(writer.next().expect("it does not end by itself"));
    }
    writer.process.kill().unwrap();
    // What is in the pipe was said.
    said.extend(std::iter::from_fn(|| writer.next()));
    let status = writer.process.wait().unwrap();
    assert_eq!(status.signal(), Some(SIGKILL), "{status}");
    said
}
