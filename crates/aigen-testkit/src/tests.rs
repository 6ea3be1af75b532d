use crate::{FORMS, Shelf, check};
use aigen_journal::{PostgresStore, SqliteStore};
use aigen_testkit_postgres::Server;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn files() -> Vec<PathBuf> {
    let paths = fs::read_dir(folder()).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "scn"))
        .collect()
}

/// One test per scenario, so that each is seen to pass by name.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_scenario_runs() {
            let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().replace('-', "_");
            let mut found: Vec<_> = files().iter().map(stem).collect();
            found.sort();
            assert_eq!(found, [$(stringify!($name)),*], "one line each in tests.rs, in order");
        }
    };
}

scenarios! {
    allowance
    an_app_and_its_user
    app_margin
    budget_periods
    budgets_by_level
    chargeback
    datasets
    discarded_tokens
    epoch_pays_by_score
    first_call
    holds_expire
    killed_node
    no_validators
    refusals
    retries
    reversal_and_refund
    silent_validators
    stop_at_the_balance
    the_last_nano
    two_calls_one_account
}

fn run(name: &str) {
    let file = format!("{}.scn", name.replace('_', "-"));
    let text = fs::read_to_string(folder().join(&file)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("journal.sqlite");
    let shelf = Shelf {
        place: "on SQLite",
        open: &|| Ok(Box::new(SqliteStore::open(&path)?)),
    };
    if let Err(failure) = check(&format!("scenarios/{file}"), &text, &[shelf]) {
        panic!("{failure}");
    }
}

/// One server serves them all, one after the other, a database each.
#[test]
fn every_scenario_goes_alike_on_postgresql() {
    let server = Server::start();
    for (number, path) in files().iter().enumerate() {
        server.sql(&format!("CREATE DATABASE scenario{number}"));
        let url = server
            .url()
            .replace("/postgres?", &format!("/scenario{number}?"));
        let shelf = Shelf {
            place: "on PostgreSQL",
            open: &|| Ok(Box::new(PostgresStore::open(&url)?)),
        };
        let text = fs::read_to_string(path).unwrap();
        if let Err(failure) = check(&path.display().to_string(), &text, &[shelf]) {
            panic!("{failure}");
        }
    }
}

#[test]
fn every_form_is_documented_and_used() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let scenarios: String = files()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for form in FORMS {
        assert!(readme.contains(&format!("\n{form}\n")), "{form}");
        let word = form.split_whitespace().next().unwrap();
        let uses = |line: &str| line.split_whitespace().next() == Some(word);
        assert!(scenarios.lines().any(uses), "{form}");
    }
}

/// What a scenario with something wrong in it says.
#[track_caller]
fn says(text: &str, expected: &str) {
    let failure = check("x.scn", text, &[]).expect_err("it is wrong");
    assert_eq!(failure.to_string(), expected);
}

#[test]
fn a_failure_says_where_and_what() {
    says(
        "network test\n\nissue 2 to user:ada\naccount user:ada -> available 3.00 # too much",
        "x.scn:4: account user:ada -> available 3.00\n  \
         expected: available 3.00\n  \
         happened: available 2.00, held 0.00 (in memory)",
    );
    says(
        "network test\nissue 0 to user:ada",
        "x.scn:2: issue 0 to user:ada\n  \
         expected: no refusal\n  \
         happened: refused amount_zero (in memory)",
    );
}

#[test]
fn what_is_not_understood_is_answered_with_its_form() {
    says(
        "issue one to user:ada",
        "x.scn:1: issue one to user:ada\n  \
         expected: issue AMOUNT to ADDRESS\n  \
         happened: \"one\": an amount is digits with at most one point, like 2 or 0.25",
    );
    says(
        "score ada/quiz@1.0.0",
        "x.scn:1: score ada/quiz@1.0.0\n  \
         expected: score CONTROLLER -> SCORE\n  \
         happened: a question without its answer",
    );
    says(
        "close c1 sunk: prompt 1",
        "x.scn:1: close c1 sunk: prompt 1\n  \
         expected: close CALL OUTCOME: USAGE TOKENS, …\n         or: close epoch\n  \
         happened: \"sunk\" is not how a call ends",
    );
}
