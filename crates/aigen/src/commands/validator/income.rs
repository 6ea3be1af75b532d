use super::work::WorkFolder;
use crate::commands::epoch::percent;
use crate::context::Context;
use crate::output::{Table, csv};
use crate::reach::Reach;
use aigen_api::resources::{EpochState, EpochStatement};
use aigen_types::{Amount, Slug};
use anyhow::Result;
use serde::Serialize;
use std::path::PathBuf;

/// See [`super::Command::Income`].
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The validator's name
    name: Slug,
    /// As comma-separated values
    #[arg(long)]
    csv: bool,
    /// Folder of its evidence, which knows what evaluating cost; without it, the one in the data
    /// folder
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

/// One epoch; amounts in AIGEN.
#[derive(Debug, Serialize)]
struct Row {
    epoch: u64,
    paid: String,
    slashed: String,
    cost: String,
    net: String,
    skill_ppm: i64,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let folder = WorkFolder::open(args.work.as_deref(), &context.config.data_dir, &args.name)?;
    let state: EpochState = node.get("/v1/aigen/epochs/current").await?;
    let mut rows = Vec::new();
    for epoch in 0..state.epoch.0 {
        let path = format!("/v1/aigen/epochs/{epoch}/statement");
        let statement: EpochStatement = node.get(&path).await?;
        let own = statement
            .validators
            .into_iter()
            .find(|one| one.id == args.name.as_str());
        if let Some(own) = own {
            let cost = folder.cost(epoch)?;
            rows.push(Row {
                epoch,
                paid: own.pay.to_string(),
                slashed: own.slash.to_string(),
                cost: cost.to_string(),
                net: difference(own.pay, own.slash.saturating_add(cost)),
                skill_ppm: own.skill,
            });
        }
    }
    match args.csv {
        true => context.output.piece(&csv(&rows)?),
        false => context.output.list(&rows, || table(&rows)),
    }
}

/// Signed, as amounts are not.
fn difference(plus: Amount, minus: Amount) -> String {
    match plus.checked_sub(minus) {
        Some(gain) => gain.to_string(),
        None => format!("-{}", minus.saturating_sub(plus)),
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "epoch",
        "paid",
        "slashed",
        "evaluating cost",
        "net",
        "skill",
    ]);
    for row in rows {
        table.row([
            row.epoch.to_string(),
            row.paid.clone(),
            row.slashed.clone(),
            row.cost.clone(),
            row.net.clone(),
            percent(row.skill_ppm),
        ]);
    }
    table.or("No epoch was settled in which it was a validator.")
}
