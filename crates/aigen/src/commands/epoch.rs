//! Epochs: assign cells, close, show, export, replay.

mod assign;
mod close;
mod evidence;
mod file;
mod statement;
mod whole;

pub use assign::{Evaluate, assign};
pub use close::close;
pub use statement::{percent, statement};

use crate::commands::ledger;
use crate::context::Context;
use crate::evaluation::Source;
use crate::failure::hinted;
use crate::reach::{Asked, Reach};
use aigen_api::resources::{AppealMade, AppealRequest, Controller, DecideRequest, EpochState};
use aigen_network::{Network, SettledEpoch};
use aigen_types::{CallId, ControllerSelector, Digest, Epoch, Slug, TransferId};
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// `aigen epoch …`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Ask every validator about controllers, among planted ones of known quality (operator)
    #[command(after_help = "\
Example:
  aigen epoch assign --evaluate ada/grounded-quiz@1.0.0=lesson-quiz")]
    Assign {
        /// A controller version and the suite to evaluate it with; may be repeated
        #[arg(long, required = true, value_name = "OWNER/NAME@1.0.0=SUITE")]
        evaluate: Vec<Evaluate>,
        #[command(flatten)]
        suites: Source,
        #[command(flatten)]
        reach: Reach,
    },
    /// Open the hidden truths, settle the epoch and pay everyone (operator)
    #[command(after_help = "\
Examples:
  aigen epoch close
  aigen epoch close --wait 120")]
    Close {
        /// Seconds to wait for validators that have not revealed yet
        #[arg(long, default_value_t = 60)]
        wait: u64,
        #[command(flatten)]
        suites: Source,
        #[command(flatten)]
        reach: Reach,
    },
    /// Print the statement of a settled epoch: who was paid what, and why
    #[command(after_help = "\
Examples:
  aigen epoch show
  aigen epoch show 0 --json
  aigen epoch show 0 --csv > epoch-0.csv")]
    Show {
        /// Its number; the last settled one when absent
        epoch: Option<u64>,
        /// As comma-separated values: one line per controller and validator
        #[arg(long)]
        csv: bool,
    },
    /// Dispute a cell of an epoch that is settled and not paid yet; takes the bond of the rules
    #[command(after_help = "\
Example:
  aigen epoch appeal 3 --controller ada/quiz@1.0.0 --parameter quality \\
      --evidence report.json")]
    Appeal {
        /// The epoch
        epoch: u64,
        /// The controller version, or its digest
        #[arg(long)]
        controller: String,
        /// The parameter
        #[arg(long)]
        parameter: Slug,
        /// A file that shows what is wrong; its hash is recorded
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        #[command(flatten)]
        reach: Reach,
    },
    /// Decide an appeal: with the right score, or without one to reject it (operator)
    #[command(after_help = "\
Examples:
  aigen epoch decide 00000000000000000000000000000005 --truth 900000
  aigen epoch decide 00000000000000000000000000000005")]
    Decide {
        /// The appeal
        id: TransferId,
        /// What evaluating the cell again came to, in parts per million
        #[arg(long)]
        truth: Option<u32>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Print the input of a settled epoch, for anyone to settle again
    #[command(after_help = "\
Example:
  aigen epoch export 0 > epoch-0.json
  aigen epoch export 0 --whole > whole-0.json")]
    Export {
        /// Its number; the last settled one when absent
        epoch: Option<u64>,
        /// Input, output, their hash, and every call that scores were measured by
        #[arg(long)]
        whole: bool,
    },
    /// Check a whole epoch without a journal: settle it again, measure its calls again
    #[command(after_help = "\
Examples:
  aigen epoch verify whole-0.json
  aigen epoch export 0 --whole | aigen epoch verify -")]
    Verify {
        /// The file, or - for standard input
        file: PathBuf,
    },
    /// Print calls that scores were measured by, each with its proof
    #[command(after_help = "\
Examples:
  aigen epoch evidence 0 --sample 5 > calls.json
  aigen epoch evidence 0 --call 00000000000000000000000000000005")]
    Evidence {
        /// The epoch; the last settled one when absent
        epoch: Option<u64>,
        /// This call
        #[arg(long)]
        call: Option<CallId>,
        /// So many calls, which nobody chose
        #[arg(long, default_value_t = 3, conflicts_with = "call")]
        sample: u64,
    },
    /// Check that calls belong to an epoch's telemetry
    #[command(after_help = "\
Examples:
  aigen epoch verify-evidence calls.json
  aigen epoch verify-evidence calls.json --root 1f0c…")]
    VerifyEvidence {
        /// The proofs, or - for standard input
        file: PathBuf,
        /// The root that they must lead to, where you know it; what they claim when absent
        #[arg(long)]
        root: Option<Digest>,
    },
    /// Settle an exported input anywhere: the same bytes come out
    #[command(after_help = "\
Examples:
  aigen epoch replay epoch-0.json
  aigen epoch export 0 | aigen epoch replay -")]
    Replay {
        /// The input file, or - for standard input
        file: PathBuf,
    },
}

/// # Errors
/// When a node refuses, or what was named does not exist.
pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Assign {
            evaluate,
            suites,
            reach,
        } => {
            let node = reach.as_operator(context)?;
            let cells = assign(&node, &evaluate, &suites.open()?).await?;
            context
                .output
                .data(&serde_json::json!({ "cells": cells }), || {
                    format!("{cells} questions are assigned; validators may commit")
                })
        }
        Command::Close {
            wait,
            suites,
            reach,
        } => {
            let node = reach.as_operator(context)?;
            let settled = close(&node, wait, &suites.open()?, context.output).await?;
            context.output.data(&settled, || statement(&settled))
        }
        Command::Show { epoch, csv } => show(epoch, csv, context),
        Command::Appeal {
            epoch,
            controller,
            parameter,
            evidence,
            reach,
        } => {
            let node = reach.as_customer(context)?;
            let evidence = std::fs::read(&evidence)
                .with_context(|| format!("cannot read {}", evidence.display()))?;
            let request = AppealRequest {
                controller: digest(&node, &controller).await?,
                parameter,
                evidence: Digest(*blake3::hash(&evidence).as_bytes()),
            };
            let path = format!("/v1/aigen/epochs/{epoch}/appeals");
            let made: AppealMade = node.post(&path, &request).await?;
            context.output.data(&made, || format!("appeal {}", made.id))
        }
        Command::Decide { id, truth, reach } => {
            let node = reach.as_operator(context)?;
            let path = format!("/v1/aigen/appeals/{id}");
            let state: EpochState = node.post(&path, &DecideRequest { truth }).await?;
            context
                .output
                .data(&state, || format!("appeal {id} is decided"))
        }
        Command::Export { epoch, whole } => export(epoch, whole, context),
        Command::Verify { file } => whole::verify(&file, context.output),
        Command::Evidence {
            epoch,
            call,
            sample,
        } => {
            let network = ledger::read(context)?;
            let (epoch, _) = find(&network, epoch)?;
            evidence::write(&network, epoch, call, sample)
        }
        Command::VerifyEvidence { file, root } => evidence::verify(&file, root, context.output),
        Command::Replay { file } => file::replay(&file),
    }
}

/// Of a controller version that is named by it, or by owner, name and version.
async fn digest(node: &Asked, controller: &str) -> Result<Digest> {
    if let Ok(digest) = controller.parse() {
        return Ok(digest);
    }
    let reference: ControllerSelector = controller.parse()?;
    let path = format!("/v1/aigen/controllers/{reference}");
    let known: Controller = node.get(&path).await?;
    Ok(known.digest)
}

fn show(epoch: Option<u64>, csv: bool, context: &Context) -> Result<()> {
    let network = ledger::read(context)?;
    let (epoch, settled) = find(&network, epoch)?;
    let described = aigen_gateway::statement(&network, epoch, settled);
    if csv {
        return context.output.piece(&statement::rows(&described)?);
    }
    context.output.data(&described, || statement(&described))
}

fn export(epoch: Option<u64>, whole: bool, context: &Context) -> Result<()> {
    let network = ledger::read(context)?;
    let (epoch, settled) = find(&network, epoch)?;
    match whole {
        true => whole::write(&network, epoch, settled),
        false => file::write_input(&settled.input),
    }
}

/// A settled epoch of the journal; the last one when none is named.
pub fn find(network: &Network, epoch: Option<u64>) -> Result<(Epoch, &SettledEpoch)> {
    let found = match epoch {
        Some(number) => network
            .settled(Epoch(number))
            .map(|settled| (Epoch(number), settled)),
        None => network.settled_epochs().last(),
    };
    found.ok_or_else(|| {
        let what = epoch.map_or("no epoch is settled yet".to_owned(), |number| {
            format!("epoch {number} is not settled")
        });
        hinted(
            what,
            "an operator settles the current one with `aigen epoch close`",
        )
    })
}
