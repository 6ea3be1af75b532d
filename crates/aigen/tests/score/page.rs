//! The page about scores says what the program says.

use crate::support::Folder;

const PAGE: &str = include_str!("../../../../docs/concepts/scores.md");

/// The block after the command on the page.
fn printed(command: &str) -> &'static str {
    let begin = format!("```console\n$ {command}\n");
    let (_, block) = PAGE
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no block of {command}"));
    block.split_once("```").unwrap().0
}

fn profit(table: &str, strategy: &str) -> f64 {
    let rows = table.lines().filter_map(|line| line.strip_prefix(strategy));
    let row = rows.into_iter().find(|row| row.starts_with("  "));
    let row = row.unwrap_or_else(|| panic!("no row of {strategy}"));
    row.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn the_table_of_strategies_is_what_the_command_prints() {
    let ran = Folder::new().run(&["sim", "economy"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(printed("aigen sim economy"), ran.stdout);

    // Each sentence of the page, by the numbers beside it.
    let profit = |strategy| profit(&ran.stdout, strategy);
    let honest = profit("honest validator");
    for worse in [
        "noisy validator",
        "copying validator",
        "minority cabal, each",
    ] {
        assert!(profit(worse) < honest, "{worse}");
    }
    for nothing in ["lazy validator", "constant validator", "copying validator"] {
        assert!(profit(nothing) <= 0.0, "{nothing}");
    }
    assert!(profit("majority cabal, no audits, each") > 0.0);
    assert!(profit("majority cabal, 2 % audits, each") < 0.0);
    let share = ran
        .stdout
        .split("puts ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert!(profit("self-dealing: what it adds") <= -share.parse::<f64>().unwrap());
    for worse in ["exit scam", "bad developer", "whitewashing developer"] {
        assert!(profit(worse) < profit("good developer"), "{worse}");
    }
}
