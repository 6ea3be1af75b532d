use super::{Writer, child, witness::Witness};
use std::io::Read;
use std::path::Path;
use std::process::{Command as Process, Stdio};

/// Lets files grow to so many KiB, and no further: what is written beyond fails, as on a disk
/// without room. Needs no privilege, where a disk of that size would.
fn with_room(kib: u64, command: &Process) -> Process {
    // The signal of it stays ignored in the program that the shell becomes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    let mut limited = Process::new("sh");
    limited.args(["-c", &script]).arg(command.get_program());
    limited.args(command.get_args());
    limited.stderr(Stdio::piped());
    limited
}

/// What a process says that has so much room, and its last words.
fn filled(folder: &Path, round: u64, kib: u64) -> (Vec<String>, String) {
    let mut writer = Writer::start(folder, round, |command| with_room(kib, &command));
    let said = std::iter::from_fn(|| writer.next()).collect();
    let mut last_words = String::new();
    let mut stderr = writer.process.stderr.take().unwrap();
    stderr.read_to_string(&mut last_words).unwrap();
    assert!(!writer.process.wait().unwrap().success());
    (said, last_words)
}

/// The log grows to some 4 MiB before it is written back into the file: both of them fill up.
#[test]
fn a_full_disk_ends_the_process_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut witness = Witness::default();
    for (round, kib) in [(1, 256), (2, 600), (3, 5_000), (4, 5_000)] {
        let (said, last_words) = filled(folder.path(), round, kib);
        let before = witness.acknowledged;
        witness.check(folder.path(), &said);
        witness.check_state(folder.path());
        // The last may find no room to begin with, for what the one before had in its log.
        let wrote = witness.acknowledged > before;
        assert!(wrote || round == 4, "{last_words}");
        let journal = folder.path().join(child::FILE);
        let appends = format!("to {}: there is no room", journal.display());
        for words in match wrote {
            true => [
                "storage failed: cannot append record",
                &appends,
                "hint: make room",
            ],
            false => ["storage failed: ", "there is no room", "hint: make room"],
        } {
            assert!(last_words.contains(words), "{words:?} in {last_words}");
        }
    }
    // Room again: it goes on as if nothing had been.
    let mut writer = Writer::start(folder.path(), 5, |mut command| {
        command.env(child::STOP, "1");
        command
    });
    let said: Vec<_> = std::iter::from_fn(|| writer.next()).collect();
    assert!(writer.process.wait().unwrap().success());
    assert_eq!(said.last().unwrap(), "stopped");
    witness.check(folder.path(), &said);
    witness.check_state(folder.path());
}
