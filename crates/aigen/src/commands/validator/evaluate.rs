use crate::commands::epoch::percent;
use crate::context::Context;
use crate::evaluation::{Evaluation, Evaluator, Evidence, Source, confidence};
use crate::failure::hinted;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::Controller;
use aigen_types::{Amount, ControllerRef, Slug};
use anyhow::Result;
use serde::Serialize;

/// See [`super::Command::Evaluate`].
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The controller version
    controller: ControllerRef,
    /// The suite
    #[arg(long)]
    suite: Slug,
    /// Model to evaluate with; without it, the first that the node serves
    #[arg(long)]
    model: Option<String>,
    /// What makes the transcript: another text, other samples
    #[arg(long, default_value = "1")]
    seed: String,
    #[command(flatten)]
    suites: Source,
    #[command(flatten)]
    reach: Reach,
}

/// One parameter; scores in parts per million.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    parameter: String,
    score: u32,
    low: u32,
    high: u32,
    cases: usize,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let model = match &args.model {
        Some(model) => model.clone(),
        None => super::first_model(&node).await?,
    };
    let library = args.suites.open()?;
    let suite = library.find(&args.suite)?;
    let path = format!("/v1/aigen/controllers/{}", args.controller);
    let controller: Controller = node.get(&path).await?;
    let evidence = Evidence::none();
    let evaluator = Evaluator::new(&node, &model, &evidence, &args.seed).await?;
    let bar = context
        .output
        .progress(Some(suite.cases.len() as u64), "questions");
    let found = evaluator
        .evaluate(suite, controller.digest, || bar.inc(1))
        .await?;
    bar.finish_and_clear();
    let found = found.ok_or_else(|| hinted("the key's account cannot pay for it", "fund it"))?;
    let rows = rows(&found);
    tell(&rows, evidence.spent(), context)
}

/// What was found, and what it cost.
pub(crate) fn tell(rows: &[Row], cost: Amount, context: &Context) -> Result<()> {
    let found = serde_json::json!({ "data": rows, "cost": cost.to_string() });
    let told = || format!("{}cost {cost} AIGEN\n", table(rows));
    context.output.data(&found, told)
}

pub(crate) fn rows(found: &Evaluation) -> Vec<Row> {
    let scores = found.scores.iter();
    let row = |(parameter, score): (&Slug, &u32)| {
        let (low, high) = confidence(*score, found.cases);
        let parameter = parameter.to_string();
        Row {
            parameter,
            score: *score,
            low,
            high,
            cases: found.cases,
        }
    };
    scores.map(row).collect()
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(&["parameter", "score", "95 % sure to be between", "cases"]);
    for row in rows {
        table.row([
            row.parameter.clone(),
            percent(row.score.into()),
            format!(
                "{} and {}",
                percent(row.low.into()),
                percent(row.high.into())
            ),
            row.cases.to_string(),
        ]);
    }
    table.to_string()
}
