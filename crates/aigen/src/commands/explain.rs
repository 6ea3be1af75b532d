//! Why a payout, a score or a skill is what it is: the formula with its numbers.

mod parties;

use crate::commands::ledger;
use crate::context::Context;
use crate::failure::hinted;
use aigen_economy::settlement::settle_explained;
use aigen_network::{Network, PayoutKind, Posting, SettledEpoch};
use aigen_types::Epoch;
use anyhow::Result;
use serde::Serialize;

/// `aigen explain …`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print how a payout follows from its epoch's input
    #[command(after_help = "\
Examples:
  aigen explain payout
  aigen explain payout 1f0c")]
    Payout {
        /// The transfer's id or its first digits; the list of payouts when absent
        id: Option<String>,
        /// The list as comma-separated values
        #[arg(long, conflicts_with = "id")]
        csv: bool,
    },
    /// Print how a controller's score came about, and what it was before
    #[command(after_help = "\
Examples:
  aigen explain score ada/grounded-quiz@1.0.0
  aigen explain score 1f0c --epoch 3")]
    Score {
        /// The controller version, or the first digits of its digest
        id: String,
        /// The epoch; the last settled one when absent
        #[arg(long)]
        epoch: Option<u64>,
    },
    /// Print how a validator's skill, pay and slash came about, and what they were before
    #[command(after_help = "\
Examples:
  aigen explain skill vera
  aigen explain skill vera --epoch 3 --json")]
    Skill {
        /// The validator's name
        id: String,
        /// The epoch; the last settled one when absent
        #[arg(long)]
        epoch: Option<u64>,
    },
}

/// Names for people; `none` for none.
fn joined(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

/// One line of the list.
#[derive(Serialize)]
struct Line {
    id: String,
    epoch: u64,
    kind: &'static str,
    to: String,
    amount: String,
}

/// An explained payout.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    line: Line,
    formula: Vec<String>,
}

/// # Errors
/// When there is no such payout.
pub fn run(command: Command, context: &Context) -> Result<()> {
    let network = ledger::read(context)?;
    match command {
        Command::Payout { id: None, csv } => list(&network, csv, context),
        Command::Payout { id: Some(id), .. } => explain(&network, &id, context),
        Command::Score { id, epoch } => parties::score(&network, &id, epoch, context),
        Command::Skill { id, epoch } => parties::skill(&network, &id, epoch, context),
    }
}

fn list(network: &Network, csv: bool, context: &Context) -> Result<()> {
    let lines: Vec<_> = postings(network)
        .map(|(epoch, _, posting)| line(epoch, posting))
        .collect();
    if csv {
        return context.output.piece(&crate::output::csv(&lines)?);
    }
    context.output.list(&lines, || {
        let mut table = crate::output::Table::new(&["id", "epoch", "why", "to", "amount"]);
        for line in &lines {
            table.row([
                line.id.clone(),
                line.epoch.to_string(),
                line.kind.to_owned(),
                line.to.clone(),
                line.amount.clone(),
            ]);
        }
        table.or("No epoch has paid anything.")
    })
}

fn explain(network: &Network, id: &str, context: &Context) -> Result<()> {
    let mut found = postings(network)
        .filter(|(_, _, posting)| posting.transfer.to_string().starts_with(&id.to_lowercase()));
    let (epoch, settled, posting) = match (found.next(), found.next()) {
        (Some(one), None) => one,
        (Some(_), Some(_)) => {
            return Err(hinted(
                format!("more than one payout begins with {id}"),
                "give more digits",
            ));
        }
        (None, _) => {
            return Err(hinted(
                format!("there is no payout {id}"),
                "list them with `aigen explain payout`",
            ));
        }
    };
    let explained = Explained {
        line: line(epoch, posting),
        formula: formula(settled, posting),
    };
    context.output.data(&explained, || {
        let Line {
            id,
            kind,
            to,
            amount,
            ..
        } = &explained.line;
        format!(
            "{id}: {amount} AIGEN, {kind}, to {to}\n\n{}\n",
            explained.formula.join("\n")
        )
    })
}

/// The largest payout to a developer in the last epoch: who gets it, and its formula.
pub fn largest_payout(network: &Network) -> String {
    let last = network.settled_epochs().last().map(|(epoch, _)| epoch);
    let payouts = postings(network)
        .filter(|(epoch, _, posting)| Some(*epoch) == last && posting.kind == PayoutKind::Payout);
    let largest = payouts.max_by_key(|(_, _, posting)| posting.amount);
    largest.map_or_else(String::new, |(_, settled, posting)| {
        let formula = formula(settled, posting).join("\n");
        format!(
            "{} AIGEN to {}, because\n{formula}\n",
            posting.amount, posting.to
        )
    })
}

fn postings(network: &Network) -> impl Iterator<Item = (Epoch, &SettledEpoch, &Posting)> {
    network.settled_epochs().flat_map(|(epoch, settled)| {
        settled
            .postings
            .iter()
            .map(move |one| (epoch, settled, one))
    })
}

fn line(epoch: Epoch, posting: &Posting) -> Line {
    Line {
        id: posting.transfer.to_string(),
        epoch: epoch.0,
        kind: kind(posting.kind),
        to: posting.to.to_string(),
        amount: posting.amount.to_string(),
    }
}

fn kind(kind: PayoutKind) -> &'static str {
    match kind {
        PayoutKind::Payout => "payout",
        PayoutKind::ValidatorPay => "validator pay",
        PayoutKind::Slash => "slash",
        PayoutKind::Refund => "refund",
        PayoutKind::Treasury => "to the treasury",
        PayoutKind::Burned => "burned",
        PayoutKind::Planted => "planted controller",
    }
}

/// The working of the settlement, for the controller or validator that the posting is about.
fn formula(settled: &SettledEpoch, posting: &Posting) -> Vec<String> {
    let (_, working) = settle_explained(&settled.input);
    let subject = posting.subject.as_str();
    let controller = working
        .controllers
        .iter()
        .find(|working| working.id == subject);
    let validator = working
        .validators
        .iter()
        .find(|working| working.id == subject);
    match (controller, validator) {
        (Some(controller), _) => controller.lines(),
        (None, Some(validator)) => validator.lines(),
        (None, None) => vec![rule(posting.kind).to_owned()],
    }
}

fn rule(kind: PayoutKind) -> &'static str {
    match kind {
        PayoutKind::Refund => "remainder × spent // Σ spent, for each consumer of the controller",
        PayoutKind::Planted => {
            "what calls to planted controllers put aside; nobody earns from them"
        }
        _ => "what is left: remainders, unpaid validator budgets, slashed stake and dust",
    }
}
