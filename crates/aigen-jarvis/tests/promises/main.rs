//! Every test that `docs/concepts/jarvis.md` names is there, and every numbered semantic names one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The names of all tests under `crates`.
fn tests() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        for part in ["src", "tests", "benches"] {
            visit(&entry.as_ref().unwrap().path().join(part), &mut names);
        }
    }
    names
}

fn visit(folder: &PathBuf, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.extension() {
            Some(extension) if extension == "rs" => {
                names.extend(named(&std::fs::read_to_string(&path).unwrap()));
            }
            _ => visit(&path, names),
        }
    }
}

/// Functions that an attribute which ends in `test]` or `test(…)]` stands before.
fn named(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut tests = false;
    for line in source.lines().map(str::trim) {
        let begins = line.starts_with("#[") && line.contains("test") && !line.contains("cfg(");
        tests |= begins;
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| tests) {
            names.extend(rest.split('(').next().map(str::to_owned));
            tests = false;
        }
    }
    names
}

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/concepts/jarvis.md");
    std::fs::read_to_string(page).unwrap()
}

/// What a text names like a test: three words or more between backticks.
fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.matches('_').count() >= 2 && word.chars().all(is_name)
    })
}

/// The faults that the page names are no tests.
const FAULTS: [&str; 5] = [
    "grammar_too_costly",
    "branches_too_many",
    "handles_too_many",
    "backtrack_too_far",
    "decision_too_large",
];

#[test]
fn what_the_page_promises_is_tested() {
    let (tests, page) = (tests(), page());
    let missing: Vec<_> = mentioned(&page)
        .filter(|name| !tests.contains(*name) && !FAULTS.contains(name))
        .collect();
    assert!(missing.is_empty(), "no test is called {missing:?}");
}

/// An author who reads a fault's name on a receipt finds it in the guide.
#[test]
fn the_guide_names_every_fault() {
    let own = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(path).unwrap()
    };
    let (source, guide) = (
        own("src/fault.rs"),
        own("../../docs/guides/controller-author.md"),
    );
    let names = source.lines().filter_map(|line| {
        let (_, name) = line.split_once(" => \"")?;
        name.strip_suffix("\",")
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        assert!(guide.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_semantic_names_a_test() {
    let (tests, page) = (tests(), page());
    for number in 1..=11 {
        let begins = format!("| {number} | ");
        let row = page.lines().find(|line| line.starts_with(&begins));
        let row = row.unwrap_or_else(|| panic!("there is no row {number}"));
        let proven = row.split('`').any(|word| tests.contains(word));
        assert!(proven, "{row}");
    }
}

/// What strangers try, one row for each act of the list.
#[test]
fn every_hostile_act_names_a_test() {
    let (tests, page) = (tests(), page());
    let (_, acts) = page
        .split_once("| what a guest tries |")
        .expect("the page lists them");
    let acts: Vec<_> = acts
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(acts.len() >= 12, "{acts:#?}");
    for act in acts {
        assert!(act.split('`').any(|word| tests.contains(word)), "{act}");
    }
}
