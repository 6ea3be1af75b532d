use super::money::{Receiver, report};
use crate::context::Context;
use crate::reach::Reach;
use aigen_api::resources::{Fund, Transfer};
use anyhow::Result;

/// See [`super::Command::Fund`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen fund user:ada 5
  aigen fund app:tutor 0.25 --id 000000000000000000000000000000a1   (moves once)

Money is issued by the operator, whose key the data folder keeps.")]
pub struct Args {
    #[command(flatten)]
    to: Receiver,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_operator(context)?;
    let Receiver {
        address,
        amount,
        id,
    } = args.to;
    let fund = Fund {
        to: address,
        amount,
        id,
    };
    let transfer: Transfer = node.post("/v1/aigen/issue", &fund).await?;
    report("issued", &transfer, context)
}
