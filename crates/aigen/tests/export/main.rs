//! `aigen ledger export`: what it writes, and what the tools that read it make of it.
//!
//! `AIGEN_TEST_PYTHON` names an interpreter with Beancount and `ledger` is looked for on the path
//! (`make test` installs both). Where one is missing its test is skipped and says so; under `CI` it
//! fails.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Folder;

/// Some money, some names that tools could trip over, and a call.
fn traded() -> Folder {
    let folder = Folder::new();
    let _node = folder.dev();
    for (address, amount) in [
        ("user:a_b.c/d@e-f", "3.000000001"),
        ("@sum:2", "12345.678"),
        ("-2", "0.5"),
    ] {
        let ran = folder.run(&["fund", "--", address, amount]);
        assert_eq!(ran.code, 0, "{ran}");
    }
    let ran = folder.run(&["chat", "Hello!"]);
    assert_eq!(ran.code, 0, "{ran}");
    folder
}

fn export(folder: &Folder, args: &[&str]) -> String {
    let ran = folder.run(&[&["ledger", "export"], args].concat());
    assert_eq!(ran.code, 0, "{ran}");
    ran.stdout
}

/// What `aigen ledger balance` says of each address, in nano-AIGEN.
fn balances(folder: &Folder) -> BTreeMap<String, i128> {
    let accounts = folder.json(&["ledger", "balance"]);
    let accounts = accounts["data"].as_array().unwrap().iter();
    let text = |field: &serde_json::Value| field.as_str().unwrap().to_owned();
    accounts
        .map(|account| {
            (
                text(&account["address"]),
                text(&account["posted_nano"]).parse().unwrap(),
            )
        })
        .collect()
}

/// Lines of an address and a balance, as a tool prints them. Issuance owes what the others have.
fn assert_balances(folder: &Folder, said: &str, nano: impl Fn(&str) -> i128) {
    let lines = said.lines().map(|line| line.split_once(' ').unwrap());
    let mut sums: BTreeMap<_, _> = lines
        .map(|(address, sum)| (address.to_owned(), nano(sum)))
        .collect();
    let expected = balances(folder);
    assert_eq!(
        sums.remove("issuance"),
        Some(-expected.values().sum::<i128>())
    );
    assert_eq!(sums, expected);
}

/// Says that a tool is missing; where nothing may be skipped, it fails.
fn skip(missing: &str) {
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "SKIP: {missing}");
}

#[test]
fn beancount_computes_the_same_balances() {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/python");
    let python = std::env::var_os("AIGEN_TEST_PYTHON").map_or(made, PathBuf::from);
    let probe = Command::new(&python)
        .args(["-c", "import beancount"])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        let python = python.display();
        return skip(&format!(
            "{python} has no `beancount` package; `make test` installs it"
        ));
    }
    let folder = traded();
    export(&folder, &["--format", "beancount", "aigen.beancount"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/beancount_balances.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.file("aigen.beancount"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert_balances(&folder, &said, |sum| sum.parse().unwrap());
}

#[test]
fn ledger_computes_the_same_balances() {
    if Command::new("ledger").arg("--version").output().is_err() {
        return skip("`ledger` is not on the path; `scripts/setup --tests` installs it");
    }
    let folder = traded();
    export(&folder, &["--format", "ledger", "aigen.ledger"]);
    let format = "%(account) %(quantity(display_total))\\n";
    let output = Command::new("ledger")
        .args(["--args-only", "-f"])
        .arg(folder.file("aigen.ledger"))
        .args([
            "balance",
            "--flat",
            "--empty",
            "--no-total",
            "--format",
            format,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert_balances(&folder, &said, |sum| {
        let amount: aigen_types::Amount = sum.trim_start_matches('-').parse().unwrap();
        let nano = i128::try_from(amount.nano()).unwrap();
        if sum.starts_with('-') { -nano } else { nano }
    });
}

#[test]
fn the_tables_add_up_to_the_balances() {
    let folder = traded();
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    let lines = export(&folder, &["--format", "jsonl"]);
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let nano: i128 = row["amount_nano"].as_str().unwrap().parse().unwrap();
        let address = |field: &str| row[field].as_str().unwrap().to_owned();
        *sums.entry(address("from")).or_default() -= nano;
        *sums.entry(address("to")).or_default() += nano;
    }
    let issued = sums.remove("issuance").unwrap();
    let expected = balances(&folder);
    assert_eq!(sums, expected);
    assert_eq!(-issued, expected.values().sum::<i128>());
    // `--json` means the same form.
    assert_eq!(export(&folder, &["--json"]), lines);
    // As CSV the same rows, in the same order.
    let csv = export(&folder, &[]);
    let (heading, rows) = csv.split_once('\n').unwrap();
    assert!(heading.starts_with("time,transfer,reason,from,to,amount,amount_nano,"));
    assert_eq!(rows.lines().count(), lines.lines().count());
    for (row, line) in rows.lines().zip(lines.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let cells: Vec<_> = row.split(',').collect();
        let field = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(cells[1..3], [field("transfer"), field("reason")]);
        assert_eq!(
            cells[5..8],
            [field("amount"), field("amount_nano"), field("call")]
        );
    }
    // What a spreadsheet could run is text.
    assert!(csv.contains(",issuance,'@sum:2,12345.678,"), "{csv}");
    assert!(csv.contains(",issuance,'-2,0.50,"), "{csv}");
}

#[test]
fn the_books_of_a_payment() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    folder.json(&["fund", "user:ada", "2"]);
    let filters = [
        (r"\b[0-9a-f]{32}\b", "[ID]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", "[TIME]"),
        (r"\d{4}-\d\d-\d\d", "[DAY]"),
    ];
    let shown = ["csv", "jsonl", "beancount", "ledger"]
        .map(|format| export(&folder, &["--format", format]));
    insta::with_settings!({filters => filters.to_vec()}, {
        insta::assert_snapshot!(shown.join("=====\n"), @r#"
    time,transfer,reason,from,to,amount,amount_nano,call,ends_hold,hold_state
    [TIME],[ID],issue,issuance,user:ada,2.00,2000000000,,,
    =====
    {"time":"[TIME]","transfer":"[ID]","reason":"issue","from":"issuance","to":"user:ada","amount":"2.00","amount_nano":"2000000000","call":null,"ends_hold":null,"hold_state":null}
    =====
    option "title" "AiGen"
    option "operating_currency" "AIGEN"
    option "display_precision" "AIGEN:0.000000001"

    [DAY] open Assets:User:Ada AIGEN
    [DAY] open Equity:Issuance AIGEN

    [DAY] * "issue"
      time: "[TIME]"
      transfer: "[ID]"
      from: "issuance"
      to: "user:ada"
      Equity:Issuance -2.00 AIGEN
      Assets:User:Ada 2.00 AIGEN
    =====
    [DAY] * issue
        ; time: [TIME]
        ; transfer: [ID]
        ; from: issuance
        ; to: user:ada
        issuance  -2.00 AIGEN
        user:ada  2.00 AIGEN
    "#);
    });
}

#[test]
fn a_part_of_it() {
    let folder = traded();
    let rows = |args: &[&str]| {
        export(&folder, &[&["--format", "jsonl"], args].concat())
            .lines()
            .count()
    };
    let all = rows(&[]);
    // Issued to one and to four, and the call's capture and shares.
    assert!(all >= 6, "{all}");
    assert_eq!(rows(&["--account", "@sum:2"]), 1);
    assert_eq!(rows(&["--account", "issuance"]), 4);
    assert_eq!(rows(&["--from", "2020-01-01"]), all);
    assert_eq!(rows(&["--to", "2020-01-01"]), 0);
    assert_eq!(rows(&["--from", "2200-01-01"]), 0);
    // From a row's time on it is there, up to its time it is not: periods that meet share no row.
    let lines = export(&folder, &["--format", "jsonl"]);
    let row: serde_json::Value = serde_json::from_str(lines.lines().nth(2).unwrap()).unwrap();
    let time = row["time"].as_str().unwrap();
    assert_eq!(
        (rows(&["--to", time]), rows(&["--from", time])),
        (2, all - 2)
    );
    let with_holds = export(&folder, &["--holds"]);
    let is_hold = |row: &str| row.contains(",hold,user:dev,clearing:calls,");
    let mut holds = with_holds.lines().filter(|row| is_hold(row));
    assert!(holds.any(|row| row.ends_with(",captured")), "{with_holds}");
    assert!(!export(&folder, &[]).contains(",hold,"));
}

#[test]
fn what_cannot_be_exported() {
    let folder = Folder::new();
    check!(folder.run(&["ledger", "export"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is no AiGen data in .aigen
    hint: start a node with `aigen dev`, or name its folder with --data-dir
    ");
    let _ = folder.serve(&[]).stop();
    check!(folder.run(&["ledger", "export", "--holds", "--format", "beancount"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: --holds: a hold moves no money, so there is no such entry in double-entry books
    hint: leave --holds out, or choose --format csv or --format jsonl
    ");
    check!(folder.run(&["ledger", "export", "--account", "user:nobody"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: user:nobody has no account: nothing was ever paid to it
    hint: `aigen ledger balance` lists every address
    ");
    check!(folder.run(&["ledger", "export", "--from", "yesterday"]), @r"
    exit code: 2
    ----- stdout
    ----- stderr
    error: invalid value 'yesterday' for '--from <TIME>': write a date like 2026-01-31 or a time like 2026-01-31T23:59:59Z

    For more information, try '--help'.
    ");
    check!(folder.run(&["ledger", "export", "missing/out.csv"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot write missing/out.csv: there is no folder missing
    hint: name a file in a folder that you can write to
    ");
    // Nothing is still a table.
    assert_eq!(export(&folder, &[]).lines().count(), 1);
}
