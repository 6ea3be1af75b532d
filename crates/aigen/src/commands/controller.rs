use crate::context::Context;
use crate::failure::OrHint;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{Controller, ControllerKind, List, PublishController};
use aigen_types::ControllerRef;
use anyhow::{Context as _, Result};
use clap::Subcommand;
use std::fs;
use std::path::{Path, PathBuf};

/// See [`super::Command::Controller`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish a version of a controller: a Lark grammar, or a script of fixed answers (.json)
    #[command(after_help = "\
Examples:
  aigen controller publish quiz.lark ada/quiz@1.0.0
  aigen controller publish quiz.lark ada/quiz@1.0.1 --description \"Asks only what the text says\"

A published version never changes; publish a higher version instead. ada is paid at developer:ada.")]
    Publish(PublishArgs),
    /// List published controllers
    #[command(after_help = "\
Example:
  aigen controller list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show one version
    #[command(after_help = "\
Example:
  aigen controller show ada/quiz@1.0.0")]
    Show {
        /// OWNER/NAME@VERSION
        reference: ControllerRef,
        #[command(flatten)]
        reach: Reach,
    },
}

/// See [`Command::Publish`].
#[derive(Debug, clap::Args)]
pub struct PublishArgs {
    /// The source
    file: PathBuf,
    /// OWNER/NAME@VERSION
    reference: ControllerRef,
    /// One line for people
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Leave it out of listings (operator)
    #[arg(long)]
    unlisted: bool,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Publish(args) => publish(args, context).await,
        Command::List { reach } => list(&reach, context).await,
        Command::Show { reference, reach } => show(&reference, &reach, context).await,
    }
}

async fn publish(args: PublishArgs, context: &Context) -> Result<()> {
    let new = PublishController {
        kind: kind_of(&args.file),
        source: read(&args.file)?,
        reference: args.reference,
        listed: !args.unlisted,
        description: args.description,
    };
    let node = args.reach.as_operator(context)?;
    let published = node.post("/v1/aigen/controllers", &new).await;
    let controller: Controller =
        published.with_context(|| format!("{} was not published", args.file.display()))?;
    context.output.data(&controller, || {
        format!(
            "published {}, digest {}",
            controller.reference, controller.digest
        )
    })
}

/// A script is JSON; everything else is a grammar.
fn kind_of(file: &Path) -> ControllerKind {
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        ControllerKind::Script
    } else {
        ControllerKind::Grammar
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).or_hint(
        format!("cannot read the controller {}", file.display()),
        "give the path of a Lark grammar (.lark) or a script (.json)",
    )
}

async fn list(reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let controllers: List<Controller> = node.get("/v1/aigen/controllers").await?;
    context.output.data(&controllers, || {
        let mut table = Table::new(&["controller", "score", "description"]);
        for controller in &controllers.data {
            table.row([
                controller.reference.to_string(),
                score(controller),
                controller.description.clone(),
            ]);
        }
        table.to_string()
    })
}

async fn show(reference: &ControllerRef, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let path = format!("/v1/aigen/controllers/{reference}");
    let controller: Controller = node.get(&path).await?;
    context.output.data(&controller, || describe(&controller))
}

fn describe(controller: &Controller) -> String {
    let Controller {
        reference,
        digest,
        description,
        ..
    } = controller;
    let score = score(controller);
    let mut text =
        format!("controller   {reference}\ndigest       {digest}\nscore        {score}\n");
    if !description.is_empty() {
        text.push_str(&format!("description  {description}\n"));
    }
    if let Some(source) = &controller.source {
        text.push_str(&format!("source:\n{source}"));
    }
    text
}

fn score(controller: &Controller) -> String {
    match controller.score {
        Some(score) => format!("{score} ppm"),
        None => "not scored yet".into(),
    }
}
