//! Pages whose every `console` block is typed, from the first to the last.

use crate::steps;
use crate::terminal::Terminal;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Types a page of `docs`.
#[track_caller]
fn read_along(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let (mut terminal, start) = (Terminal::new(), Instant::now());
    let steps = steps::of(&text);
    for step in &steps {
        if let Err(why) = terminal.run(step) {
            panic!("docs/{page}, {why}");
        }
    }
    assert!(!steps.is_empty(), "docs/{page} has no `console` block");
    let (count, seconds) = (steps.len(), start.elapsed().as_secs_f64());
    // Not `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(
        std::io::stderr(),
        "docs/{page}: {count} commands in {seconds:.1} s"
    );
}

#[test]
fn the_first_fifteen_minutes() {
    read_along("start.md");
}

#[test]
fn an_app_moves_over() {
    read_along("guides/apps.md");
}

#[test]
fn a_controller_is_published_and_yanked() {
    read_along("concepts/controllers.md");
}

#[test]
fn a_function_is_written_tried_and_published() {
    read_along("guides/functions.md");
}

#[test]
fn teams_are_charged_what_they_used() {
    read_along("guides/teams.md");
}

#[test]
fn a_dataset_earns() {
    read_along("guides/datasets.md");
}

#[test]
fn a_node_is_backed_up_and_restored() {
    read_along("guides/operator.md");
}

#[test]
fn a_validator_is_paid() {
    read_along("guides/validator.md");
}

#[test]
fn the_journal_is_read_without_us() {
    read_along("reference/journal.md");
}

#[test]
#[should_panic(expected = "the page shows\nhold: nothing")]
fn a_page_that_shows_something_else_is_found_out() {
    let page = "```console\n$ aigen dict hold\nhold: nothing\n```\n";
    let step = steps::of(page).remove(0);
    panic!("{}", Terminal::new().run(&step).unwrap_err());
}
