use super::money::{Receiver, report};
use crate::context::Context;
use crate::reach::Reach;
use aigen_api::resources::{Pay, Transfer};
use anyhow::Result;

/// See [`super::Command::Pay`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen pay user:ada 0.5
  AIGEN_KEY=aigen_ada.… aigen pay developer:ada 2

The money comes from the account of the key.")]
pub struct Args {
    #[command(flatten)]
    to: Receiver,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let Receiver {
        address,
        amount,
        id,
    } = args.to;
    let pay = Pay {
        to: address,
        amount,
        id,
    };
    let transfer: Transfer = node.post("/v1/aigen/transfers", &pay).await?;
    report("paid", &transfer, context)
}
