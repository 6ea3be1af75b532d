use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::openai::{Model, ModelInfo, ModelList, Upstreams};
use anyhow::Result;

/// See [`super::Command::Models`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen models
  aigen models --url http://127.0.0.1:8000 --key aigen_ada.…

Model files on this machine: aigen model list")]
pub struct Args {
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: &Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let models: ModelList = node.get("/v1/models").await?;
    context.output.data(&models, || table(&models.data))
}

fn table(models: &[Model]) -> String {
    let mut table = Table::new(&["model", "provider", "context", "control", "engine"]);
    for model in models {
        // A function is computed by a model, and has none of these itself.
        let is_function = model.id.starts_with("fn:");
        let unknown = || if is_function { "" } else { "unknown" }.to_owned();
        let info = model.aigen.as_ref();
        table.row([
            model.id.clone(),
            model.owned_by.clone(),
            info.map_or_else(unknown, |info| format!("{} tokens", info.context_tokens)),
            info.map_or_else(unknown, |info| info.control.clone()),
            info.map_or_else(
                || {
                    if is_function {
                        "a function".to_owned()
                    } else {
                        unknown()
                    }
                },
                engine,
            ),
        ]);
    }
    table.to_string()
}

/// With how many of its servers are asked, where others answer for it.
fn engine(info: &ModelInfo) -> String {
    match info.upstreams {
        Some(Upstreams { total, available }) => {
            format!("{} ({available} of {total} available)", info.engine)
        }
        None => info.engine.clone(),
    }
}
