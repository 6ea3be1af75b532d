//! The page of the command line, made from its one definition.

use super::Cli;
use clap::Command;
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");

const INTRODUCTION: &str = "\
# Command line

What `aigen COMMAND --help` says, command by command. A test makes this page anew and compares. The global options can be
given to every command, before or after its name.

";

#[test]
fn the_page_says_what_help_says() {
    let page = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/cli.md is not what the program says; UPDATE_GOLDEN=1 cargo test -p aigen --bin aigen reference"
    );
}

/// A heading that is flattened in goes on over whatever is declared behind it.
#[test]
fn only_what_says_which_node_stands_under_it() {
    let misplaced = |command: &Command| {
        let under = command.get_arguments().filter(|arg| {
            arg.get_help_heading() == Some("Which node")
                && !["url", "key"].contains(&arg.get_id().as_str())
        });
        let name = command.get_bin_name().unwrap_or_default().to_owned();
        under
            .map(|arg| format!("{name} {}", arg.get_id()))
            .collect::<Vec<_>>()
    };
    let mut root = Cli::definition();
    root.build();
    assert_eq!(
        each(&root)
            .into_iter()
            .flat_map(misplaced)
            .collect::<Vec<_>>(),
        [""; 0]
    );
}

fn each(command: &Command) -> Vec<&Command> {
    let children = command.get_subcommands().flat_map(each);
    std::iter::once(command).chain(children).collect()
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    section(&mut page, plain(Cli::definition()), 2);
    let mut root = quiet(plain(Cli::definition()));
    root.build();
    sections(&mut page, &root, 2);
    page
}

fn sections(page: &mut String, command: &Command, depth: usize) {
    for child in command.get_subcommands() {
        section(page, child.clone(), depth);
        sections(page, child, depth + 1);
    }
}

fn section(page: &mut String, command: Command, depth: usize) {
    let name = command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let heading = format!("{} {name}", "#".repeat(depth));
    // All have these two; the program's own section shows them.
    let mut command = command.mut_args(|arg| match arg.get_id().as_str() {
        "help" | "version" if name.contains(' ') => arg.hide(true),
        _ => arg,
    });
    let help = command.render_long_help().to_string();
    let lines: String = help
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    // A string takes everything.
    let _ = write!(page, "{heading}\n\n```text\n{}\n```\n\n", lines.trim_end());
}

/// The same on every machine.
fn plain(command: Command) -> Command {
    let command = command
        .term_width(100)
        .disable_help_subcommand(true)
        .mut_args(|arg| arg.hide_env_values(true));
    command.mut_subcommands(plain)
}

/// Without what is said once, at the top.
fn quiet(command: Command) -> Command {
    command.mut_args(|arg| {
        let global = arg.is_global_set();
        arg.hide(global)
    })
}
