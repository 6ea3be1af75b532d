use crate::cli::Cli;
use crate::context::Context;
use anyhow::Result;
use clap_complete::Shell;

/// See [`super::Command::Completions`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen completions bash > ~/.local/share/bash-completion/completions/aigen
  aigen completions fish > ~/.config/fish/completions/aigen.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::definition(), "aigen", &mut script);
    context.output.piece(&String::from_utf8(script)?)
}
