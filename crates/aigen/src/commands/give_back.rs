//! `aigen refund` and `aigen reverse`.

use crate::context::Context;
use crate::reach::Reach;
use aigen_api::resources::{AnyReceipt, Correction, Refund, RefundReason, Reverse};
use aigen_types::{Amount, CallId, TransferId};
use anyhow::{Context as _, Result};
use clap::ValueEnum;

/// See [`super::Command::Refund`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen refund 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b 0.25 --because quality
  aigen refund 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b 0.25 \\
      --id 00000000000000000000000000000001

The treasury pays; fund it with `aigen fund treasury AMOUNT`.")]
pub struct RefundArgs {
    /// Id of the call, or of the read, 32 hex digits
    #[arg(value_parser = crate::cli::call_id)]
    call: CallId,
    /// How much, in AIGEN; all refunds of it together at most what it cost
    amount: Amount,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    reach: Reach,
}

/// See [`super::Command::Reverse`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  aigen reverse 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b --because duplicate

Everyone who was paid for the call pays back, and budgets forget it. Once its epoch is settled,
refund it instead.")]
pub struct ReverseArgs {
    /// Id of the call, or of the read, 32 hex digits
    #[arg(value_parser = crate::cli::call_id)]
    call: CallId,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
struct Terms {
    /// Why
    #[arg(long, value_name = "REASON", default_value = "other")]
    because: Because,
    /// Id of your choice, 32 hex digits: the same id gives back once
    #[arg(long, value_name = "HEX")]
    id: Option<TransferId>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Because {
    /// The same was charged twice
    Duplicate,
    /// The service did not work
    ServiceFailure,
    /// The answer was of no use
    Quality,
    /// Somebody used what was not theirs
    Fraud,
    /// A kindness
    Goodwill,
    /// Something else
    Other,
}

impl From<Because> for RefundReason {
    fn from(because: Because) -> Self {
        match because {
            Because::Duplicate => Self::Duplicate,
            Because::ServiceFailure => Self::ServiceFailure,
            Because::Quality => Self::Quality,
            Because::Fraud => Self::Fraud,
            Because::Goodwill => Self::Goodwill,
            Because::Other => Self::Other,
        }
    }
}

pub async fn refund(args: RefundArgs, context: &Context) -> Result<()> {
    let refund = Refund {
        amount: args.amount,
        reason: args.terms.because.into(),
        id: args.terms.id,
    };
    let node = args.reach.as_operator(context)?;
    let path = format!("/v1/aigen/receipts/{}/refund", args.call);
    report(&node.post(&path, &refund).await?, context)
}

pub async fn reverse(args: ReverseArgs, context: &Context) -> Result<()> {
    let reverse = Reverse {
        reason: args.terms.because.into(),
        id: args.terms.id,
    };
    let node = args.reach.as_operator(context)?;
    let path = format!("/v1/aigen/receipts/{}/reverse", args.call);
    report(&node.post(&path, &reverse).await?, context)
}

fn report(receipt: &AnyReceipt, context: &Context) -> Result<()> {
    let (what, id, payer, corrections) = match receipt {
        AnyReceipt::Call(call) => ("call", call.id, &call.payer, &call.corrections),
        AnyReceipt::Read(read) => ("read", read.id, &read.payer, &read.corrections),
    };
    let last = corrections.last();
    let last: &Correction = last.context("the receipt does not show what was given back")?;
    context.output.data(receipt, || {
        format!(
            "gave back {} AIGEN of {what} {id} to {payer} (journal record {})",
            last.amount, last.journal_seq
        )
    })
}
