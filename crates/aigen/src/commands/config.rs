use crate::config::DEFAULT_FILE;
use crate::context::Context;
use crate::{logging, node};
use anyhow::Result;

/// See [`super::Command::Config`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen config                          what is in effect, wherever it was said
  aigen config --default > aigen.toml   a file to start from, with its keys told")]
pub struct Args {
    /// Print the documented defaults instead
    #[arg(long)]
    default: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    if args.default {
        return context.output.piece(DEFAULT_FILE);
    }
    node::check_options(&context.config)?;
    logging::filter(&context.config.log)?;
    let text = toml::to_string(&context.config)?;
    context.output.data(&context.config, || text)
}
