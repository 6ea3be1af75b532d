use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{
    AnyReceipt, ChargeLine, CorrectionKind, CountedBy, ReadReceipt, Receipt, Share,
};
use aigen_types::CallId;
use anyhow::Result;

/// See [`super::Command::Receipt`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  aigen receipt 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b

Every answer names its receipt, and `aigen chat` prints it.")]
pub struct Args {
    /// Id of the call or of the read, 32 hex digits
    id: CallId,

    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let path = format!("/v1/aigen/receipts/{}", args.id);
    let receipt: AnyReceipt = node.get(&path).await?;
    context.output.data(&receipt, || match &receipt {
        AnyReceipt::Call(call) => describe(call),
        AnyReceipt::Read(read) => describe_read(read),
    })
}

fn describe_read(receipt: &ReadReceipt) -> String {
    let ReadReceipt {
        id,
        read,
        total,
        payer,
        journal_seq,
        ..
    } = receipt;
    let rows = match read.rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    format!(
        "Read {id}: {rows} of {}, for {}.\n\n{}\nIt cost {total} AIGEN, which {payer} paid to\n\n{}\n\
         Recorded in journal record {journal_seq}.\n",
        read.dataset,
        read.purpose,
        charge(&receipt.lines),
        split(&receipt.split),
    )
}

fn describe(receipt: &Receipt) -> String {
    let Receipt {
        id,
        model,
        total,
        finish,
        journal_seq,
        ..
    } = receipt;
    let margin = match receipt.margin.is_zero() {
        true => String::new(),
        false => format!(" and the app's margin of {} AIGEN", receipt.margin),
    };
    let (payer, spender) = (&receipt.payer, &receipt.spender);
    let attributed = match payer == spender {
        true => String::new(),
        false => format!(" for {spender}"),
    };
    let controller = match &receipt.controller {
        Some(controller) => format!(", steered by {controller}"),
        None => String::new(),
    };
    format!(
        "Call {id}: {model}{controller}; ended with {finish}.{}\n\
         \n{}\nThe call cost {total} AIGEN{margin}, which {payer} paid{attributed} to\n\n{}\n\
         {}{}Recorded in journal record {journal_seq}.\n",
        counted(receipt.counted_by),
        charge(&receipt.lines),
        split(&receipt.split),
        given_back(receipt),
        steered(receipt),
    )
}

/// Who counted, where it was not the node that computed the answer itself.
fn counted(by: Option<CountedBy>) -> &'static str {
    match by {
        None | Some(CountedBy::Engine) => "",
        Some(CountedBy::Upstream) => "\nIts tokens were counted by the server that answered.",
        Some(CountedBy::Estimated) => {
            "\nIts tokens were estimated from its bytes: the server that answered gave no possible count."
        }
    }
}

/// Budgets it counts against, and what was given back since.
fn given_back(receipt: &Receipt) -> String {
    let mut text = String::new();
    if !receipt.budgets.is_empty() {
        text = format!("It counts against {}.\n", receipt.budgets.join(", "));
    }
    for correction in &receipt.corrections {
        let how = match correction.kind {
            CorrectionKind::Reversal => "reversed",
            CorrectionKind::Refund => "refunded",
        };
        let (amount, record) = (correction.amount, correction.journal_seq);
        text += &format!("{amount} AIGEN were {how} in journal record {record}.\n");
    }
    text
}

/// What a published controller did for it.
fn steered(receipt: &Receipt) -> String {
    if receipt.controller_digest.is_none() {
        return String::new();
    }
    let steering = &receipt.steering;
    let mut text = format!(
        "Steering took {} units of fuel and {} µs beside the model; decisions {}.\n",
        steering.fuel, steering.controller_micros, steering.decisions
    );
    text += &asked(receipt);
    if let Some(fault) = &steering.fault {
        text += &format!("The controller was ended: {fault}.\n");
    }
    text
}

/// What its controller asked of the outside; completions were charged apart.
fn asked(receipt: &Receipt) -> String {
    let asked = &receipt.steering.asked;
    if asked.is_nothing() {
        return String::new();
    }
    let mut text = format!(
        "It asked {} tools, {} pages and {} models, and was answered {} bytes.\n",
        asked.tools, asked.pages, asked.completions, asked.bytes
    );
    for call in &receipt.sub_calls {
        text += &format!(
            "{} was asked for {} AIGEN more: receipt {}.\n",
            call.model, call.cost, call.id
        );
    }
    text
}

fn charge(lines: &[ChargeLine]) -> Table {
    let mut table = Table::new(&["what", "how many", "unit price", "amount"]);
    for line in lines {
        table.row([
            line.kind.clone(),
            line.quantity.to_string(),
            line.unit_price.to_string(),
            line.amount.to_string(),
        ]);
    }
    table
}

fn split(shares: &[Share]) -> Table {
    let mut table = Table::new(&["whom", "as", "amount"]);
    for share in shares {
        table.row([
            share.to.to_string(),
            share.role.clone(),
            share.amount.to_string(),
        ]);
    }
    table
}
