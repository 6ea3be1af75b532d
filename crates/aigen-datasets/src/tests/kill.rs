//! An import that is killed leaves nothing that looks whole.

use crate::{Format, Library, Source, Stage};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

const FOLDER: &str = "AIGEN_TEST_KILLED_FOLDER";
const STAGE: &str = "AIGEN_TEST_KILLED_STAGE";
const THERE: &str = "the import is there";

/// The child: imports until it reaches a stage, says so, and waits to be killed.
#[test]
fn import_until_killed() {
    let Ok(folder) = env::var(FOLDER).map(PathBuf::from) else {
        return;
    };
    let wanted = env::var(STAGE).expect("a stage");
    let library = Library::open(&folder.join("datasets")).expect("a library");
    let source = Source::new(&folder.join("rows.csv"), Format::Csv);
    let done = library.import(&source, &mut |progress| {
        if format!("{:?}", progress.stage) == wanted {
            eprintln!("{THERE}");
            loop {
                std::thread::park();
            }
        }
    });
    panic!("it came to no stage {wanted}: {done:?}");
}

#[test]
fn nothing_half_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("datasets");
    let table: String = (0..20_000).map(|n| format!("{n},word {n}\n")).collect();
    fs::write(folder.path().join("rows.csv"), format!("n,t\n{table}")).expect("a file");
    for stage in [Stage::Checking, Stage::Reading, Stage::Indexing] {
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "tests::kill::import_until_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(STAGE, format!("{stage:?}"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stderr.take().expect("its messages")).lines();
        assert!(
            lines.map_while(Result::ok).any(|line| line.contains(THERE)),
            "{stage:?}"
        );
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert_eq!(
            fs::read_dir(&root).expect("a folder").count(),
            1,
            "a part is left: {stage:?}"
        );
        let library = Library::open(&root).expect("a library");
        assert!(library.list().is_empty(), "{stage:?}");
        assert_eq!(
            fs::read_dir(&root).expect("a folder").count(),
            0,
            "{stage:?}"
        );
    }
    // What is there then goes in as if nothing had been.
    let library = Library::open(&root).expect("a library");
    let source = Source::new(&folder.path().join("rows.csv"), Format::Csv);
    let manifest = library.import(&source, &mut |_| {}).expect("rows");
    assert_eq!(manifest.rows, 20_000);
}
