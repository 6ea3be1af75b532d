use crate::context::Context;
use crate::output::{self, Table};
use crate::reach::Reach;
use aigen_api::resources::{
    AnyReceipt, ChargeLine, Correction, CorrectionKind, CountedBy, DatasetRead, ReadReceipt,
    Receipt, RowRange, Share, Steering,
};
use aigen_types::CallId;
use anyhow::Result;

/// Ranges of rows that a line shows of a read.
const RANGES_SHOWN: usize = 8;

/// See [`super::Command::Receipt`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  aigen receipt 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b

Every answer names its receipt, and `aigen chat` prints it.")]
pub struct Args {
    /// Id of the call or of the read, 32 hex digits
    #[arg(value_parser = crate::cli::call_id)]
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
    let (rows, which) = (output::counted(read.rows, "row"), which(&read.ranges));
    format!(
        "Read {id}: {rows} of {}, for {}{which}.\n\n{}\nIt cost {total} AIGEN, which {payer} paid to\n\n{}\n\
         {}Recorded in journal record {journal_seq}.\n",
        read.dataset,
        read.purpose,
        charge(&receipt.lines),
        split(&receipt.split),
        given_back(&receipt.budgets, &receipt.corrections),
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
         {}{}{}Recorded in journal record {journal_seq}.
",
        counted(receipt.counted_by),
        charge(&receipt.lines),
        split(&receipt.split),
        given_back(&receipt.budgets, &receipt.corrections),
        rows_read(&receipt.reads),
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
fn given_back(budgets: &[String], corrections: &[Correction]) -> String {
    let mut text = String::new();
    if !budgets.is_empty() {
        text = format!("It counts against {}.\n", budgets.join(", "));
    }
    for correction in corrections {
        let how = match correction.kind {
            CorrectionKind::Reversal => "reversed",
            CorrectionKind::Refund => "refunded",
        };
        let (amount, record) = (correction.amount, correction.journal_seq);
        text += &format!("{amount} AIGEN were {how} in journal record {record}.\n");
    }
    text
}

/// What steered it: a published controller, and what ended it, which a form of the request's own may.
fn steered(receipt: &Receipt) -> String {
    let steering = &receipt.steering;
    if receipt.controller_digest.is_none() {
        return unpublished(steering);
    }
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

/// What ended a form that nobody published: a schema, or a built-in controller.
fn unpublished(steering: &Steering) -> String {
    match &steering.fault {
        Some(fault) => format!("What held it to its form was ended: {fault}.\n"),
        None => String::new(),
    }
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
            format!("{} {}", line.unit_price, unit(&line.kind)),
            line.amount.to_string(),
        ]);
    }
    table
}

/// What a unit price is of.
fn unit(kind: &str) -> &'static str {
    match kind {
        "request" => "per request",
        "dataset_rows" => "per row",
        "dataset_hits" => "per hit",
        "dataset_download" => "per download",
        _ => "per million",
    }
}

/// The rows of datasets that went into it, a line for each dataset.
fn rows_read(reads: &[DatasetRead]) -> String {
    let line = |read: &DatasetRead| {
        format!(
            "It read {} of {} for {} AIGEN, for {}{}.\n",
            output::counted(read.rows, "row"),
            read.dataset,
            read.fee,
            read.purpose,
            which(&read.ranges)
        )
    };
    reads.iter().map(line).collect()
}

/// Their numbers, as far as a line takes them.
fn which(ranges: &[RowRange]) -> String {
    let shown = ranges.iter().take(RANGES_SHOWN);
    let shown: Vec<_> = shown
        .map(|range| match range.count {
            1 => range.first.to_string(),
            count => format!("{}–{}", range.first, range.first + count - 1),
        })
        .collect();
    match (ranges.len(), ranges.len().saturating_sub(RANGES_SHOWN)) {
        (0, _) => String::new(),
        (_, 0) => format!(": {}", shown.join(", ")),
        (_, rest) => format!(": {} and {rest} ranges more, see --json", shown.join(", ")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_named_without_a_controller() {
        let ended = Steering {
            fault: Some("grammar_too_costly".into()),
            ..Steering::default()
        };
        let told = "What held it to its form was ended: grammar_too_costly.\n";
        assert_eq!(unpublished(&ended), told);
        assert_eq!(unpublished(&Steering::default()), "");
    }
}
