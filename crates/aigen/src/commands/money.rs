//! What `fund` and `pay` share.

use crate::context::Context;
use aigen_api::resources::Transfer;
use aigen_types::{Address, Amount, TransferId};
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub struct Receiver {
    /// Who receives, like user:ada
    pub address: Address,

    /// How much, in AIGEN, like 5 or 0.25
    pub amount: Amount,

    /// Id of the transfer, 32 hex digits: the same id moves money once
    #[arg(long, value_name = "HEX")]
    pub id: Option<TransferId>,
}

pub fn report(done: &str, transfer: &Transfer, context: &Context) -> Result<()> {
    let Transfer {
        amount,
        to,
        from,
        id,
        ..
    } = transfer;
    context.output.data(transfer, || {
        format!("{done} {amount} AIGEN from {from} to {to} (transfer {id})")
    })
}
