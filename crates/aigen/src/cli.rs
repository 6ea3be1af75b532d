//! The command line: one definition for parser, help and completions.

use crate::commands::Command;
use aigen_types::CallId;
use clap::builder::StyledStr;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// Language models steered by third-party controllers, with everyone paid.
#[derive(Debug, Parser)]
#[command(
    name = "aigen",
    version,
    arg_required_else_help = true,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Begin here:
  aigen dev                 start a node on this machine and print how to use it
  aigen chat \"Hello!\"       ask it something, from another terminal
  aigen ledger verify       replay the journal and check every promise

What a word means: aigen dict TERM"
)]
pub struct Cli {
    /// For every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads a command line.
    ///
    /// # Errors
    /// Wrong usage; help and version, too.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = Self::definition().try_get_matches_from(arguments)?;
        Self::from_arg_matches(&matches)
    }

    /// Every command, as it is read and as help shows it.
    pub fn definition() -> clap::Command {
        flowing(with_negative_numbers(Self::command()))
    }
}

/// Prose that follows a command's options as whole paragraphs: a terminal breaks lines where it
/// ends, and lines that were broken in the source would be broken twice. Indented lines, which are
/// examples and tables, stay as they are.
fn flowing(command: clap::Command) -> clap::Command {
    let after = command.get_after_help().map(paragraphs);
    let after_long = command.get_after_long_help().map(paragraphs);
    let long_about = command.get_long_about().map(paragraphs);
    let command = match after {
        Some(text) => command.after_help(text),
        None => command,
    };
    let command = match after_long {
        Some(text) => command.after_long_help(text),
        None => command,
    };
    let command = match long_about {
        Some(text) => command.long_about(text),
        None => command,
    };
    command.mut_subcommands(flowing)
}

fn paragraphs(text: &StyledStr) -> String {
    let mut whole = String::new();
    let mut flows = false;
    for line in text.to_string().lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ');
        let between = match (flows && is_prose, whole.is_empty()) {
            (true, _) => " ",
            (false, true) => "",
            (false, false) => "\n",
        };
        whole += between;
        whole += line;
        flows = is_prose;
    }
    whole
}

/// What looks like a number is a value, so that who asks for -1 is told what is wrong with it.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let takes = |arg: clap::Arg| {
        let value = arg.get_action().takes_values();
        arg.allow_negative_numbers(value)
    };
    command
        .mut_args(takes)
        .mut_subcommands(with_negative_numbers)
}

/// Reads the id of a call or of a read.
///
/// # Errors
/// What an id is.
pub fn call_id(text: &str) -> Result<CallId, String> {
    let id = text.parse();
    id.map_err(|_| "an id is 32 hex digits, as answers and `aigen chat` show it".to_owned())
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Print data as JSON, one value per line; errors too
    #[arg(long, global = true)]
    pub json: bool,

    /// Print data and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Configuration file; without it, aigen.toml of the current folder if there is one
    #[arg(long, global = true, value_name = "FILE", env = "AIGEN_CONFIG")]
    pub config: Option<PathBuf>,

    /// Folder of journal and keys; .aigen if nothing else says so
    #[arg(long, global = true, value_name = "FOLDER", env = "AIGEN_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

#[cfg(test)]
mod mentions;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::definition().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        let without: Vec<_> = leaves(Cli::definition(), "aigen")
            .into_iter()
            .filter(|(path, help)| !help.contains(&format!("\n  {path}")))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(without, Vec::<String>::new(), "no example in their help");
    }

    /// On the narrowest terminal that people use, an example, which is copied, stays in one piece;
    /// a command of JSON is one line, however long.
    #[test]
    fn what_is_indented_fits_a_terminal_of_80_columns() {
        let text = |text: Option<&StyledStr>| text.map(ToString::to_string).unwrap_or_default();
        let mut commands = vec![Cli::definition()];
        let mut wide = Vec::new();
        while let Some(command) = commands.pop() {
            let said = [
                command.get_long_about(),
                command.get_after_help(),
                command.get_after_long_help(),
            ];
            for line in said.map(text).iter().flat_map(|said| said.lines()) {
                let json = line.starts_with("  {");
                if line.starts_with(' ') && !json && line.chars().count() > 80 {
                    wide.push(line.to_owned());
                }
            }
            commands.extend(command.get_subcommands().cloned());
        }
        assert_eq!(wide, Vec::<String>::new());
    }

    #[test]
    fn prose_flows_and_examples_stand() {
        let said = "Examples:\n  aigen one \\\n      --two\n  aigen three\n\nA sentence that goes\non here.\n\nAnother.";
        assert_eq!(
            paragraphs(&said.into()),
            "Examples:\n  aigen one \\\n      --two\n  aigen three\n\nA sentence that goes on here.\n\nAnother."
        );
    }

    /// Every command without subcommands: how it is called, and its help.
    fn leaves(command: clap::Command, path: &str) -> Vec<(String, String)> {
        if !command.has_subcommands() {
            let help = command.clone().render_long_help().to_string();
            return vec![(path.to_owned(), help)];
        }
        let children = command.get_subcommands().cloned();
        children
            .flat_map(|child| {
                let path = format!("{path} {}", child.get_name());
                leaves(child, &path)
            })
            .collect()
    }
}
