mod golden;
mod starter;
mod target;

use crate::commands::epoch::percent;
use crate::context::Context;
use crate::data_dir::DataDir;
use crate::failure::{OrHint, hinted};
use crate::output::Table;
use crate::reach::Reach;
use crate::signing::{function_manifest, publisher_key, sign};
use aigen_api::resources::{Controller, ControllerKind, Function, List, PublishController};
use aigen_types::{ControllerRef, ControllerSelector};
use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
pub use target::as_named;
use target::{Asking, Target, read};

/// See [`super::Command::Fn`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begin a function: a file with its types and a golden case, to be changed
    #[command(after_help = "\
Example:
  aigen fn new sentiment.toml")]
    New {
        /// The file to make; .toml is added to a name without an ending
        file: PathBuf,
    },
    /// Call a function, from its file or published
    #[command(after_help = "\
Examples:
  aigen fn run sentiment.toml --input '{\"text\": \"Great, it broke again.\"}'
  aigen fn run ada/sentiment --input '{\"text\": \"Great, it broke again.\"}' \\
      --budget 0.01
  aigen fn run ada/sentiment@1.2 --input @message.json --model acme-8b
  jq '{text: .body}' mail.json | aigen fn run ada/sentiment --input -

The value is printed on standard output; what it cost, and who promised its type, on standard error.")]
    Run {
        /// Its input: a JSON object, @FILE with one, or - for standard input
        #[arg(long, value_name = "JSON")]
        input: String,
        #[command(flatten)]
        what: What,
    },
    /// Try a function's golden cases; fails if fewer pass than it asks for
    #[command(after_help = "\
Examples:
  aigen fn test sentiment.toml
  aigen fn test ada/sentiment@1.0.0 --model acme-8b

A case passes if the value holds what is expected: of an object at least those fields, of a list those
very items. A published function's cases are shown to its owner alone.")]
    Test(#[command(flatten)] What),
    /// Score a function's golden cases in the parameters that validators report
    #[command(after_help = "\
Examples:
  aigen fn eval sentiment.toml
  aigen fn eval ada/sentiment@1.0.0 --json
  aigen fn eval sentiment.toml --suite suites/sentiment.toml

With --suite the same questions and checks are written as an evaluation suite, and nothing is asked:
validators score with it by `aigen validator run --suites suites`.")]
    Eval {
        /// Write the evaluation suite instead
        #[arg(long, value_name = "FILE")]
        suite: Option<PathBuf>,
        #[command(flatten)]
        what: What,
    },
    /// Publish a version of a function
    #[command(after_help = "\
Example:
  aigen fn publish sentiment.toml ada/sentiment@1.0.0

It is signed with the data folder's publisher.key, as every controller is. A published version never
changes; publish a higher version instead. ada is paid at developer:ada.")]
    Publish {
        /// Its file
        file: PathBuf,
        /// OWNER/NAME@VERSION
        reference: ControllerRef,
        #[command(flatten)]
        reach: Reach,
    },
    /// Show what a published function takes and gives
    #[command(after_help = "\
Examples:
  aigen fn show ada/sentiment
  aigen fn show ada/sentiment@1.0.0 --json")]
    Show {
        /// OWNER/NAME with or without @VERSION
        function: ControllerSelector,
        #[command(flatten)]
        reach: Reach,
    },
    /// List published functions
    #[command(after_help = "\
Example:
  aigen fn list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
}

/// Which function, computed how.
#[derive(Debug, clap::Args)]
pub struct What {
    /// Its file, or OWNER/NAME with or without @VERSION
    function: String,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(command: Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::New { file } => begin(&file, context)?,
        Command::Run { what, input } => call(&what, &input, context).await?,
        Command::Test(what) => golden::test(&what, context).await?,
        Command::Eval { what, suite } => match suite {
            None => golden::eval(&what, context).await?,
            Some(file) => golden::write_suite(&what, &file, context).await?,
        },
        Command::Publish {
            file,
            reference,
            reach,
        } => publish(&file, reference, &reach, context).await?,
        Command::Show { function, reach } => show(&function, &reach, context).await?,
        Command::List { reach } => list(&reach, context).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn begin(file: &Path, context: &Context) -> Result<()> {
    let named = file.extension().is_some();
    let file = &if named {
        file.to_owned()
    } else {
        file.with_extension("toml")
    };
    ensure!(
        file.extension().is_some_and(|ending| ending == "toml"),
        hinted(
            format!("{} would not be TOML by its name", file.display()),
            format!("name it {}", file.with_extension("toml").display()),
        )
    );
    ensure!(
        !file.exists(),
        hinted(
            format!("{} is there already", file.display()),
            "name another file"
        )
    );
    fs::write(file, starter::SOURCE).or_hint(
        format!("cannot write {}", file.display()),
        "name a file in a folder that you can write to",
    )?;
    let file = file.display().to_string();
    let shown = serde_json::json!({ "file": file });
    context.output.data(&shown, || {
        format!("made {file}\ntry it: aigen fn test {file}")
    })
}

async fn call(what: &What, input: &str, context: &Context) -> Result<()> {
    let input = read_input(input)?;
    let node = what.reach.as_customer(context)?;
    let target = Target::open(&what.function)?;
    let answer = target.ask(&node, &what.asking, &input).await?;
    context.output.say(format!(
        "cost {} AIGEN, type promised by {}, receipt {}",
        answer.cost,
        answer.promise(),
        answer.receipt.as_deref().unwrap_or("none")
    ));
    if answer.closed_early {
        let early = "closed early: max_tokens or the money was about to end, and the value would have gone on";
        context.output.say(early);
    }
    let pretty = serde_json::to_string_pretty(&answer.value)?;
    context.output.data(&answer, || pretty)
}

/// An input as a command names it: JSON, a file of it, or standard input.
pub fn read_input(input: &str) -> Result<Value> {
    let text = match (input, input.strip_prefix('@')) {
        ("-", _) => io::read_to_string(io::stdin()).context("cannot read the input")?,
        (_, None) => input.to_owned(),
        (_, Some(file)) => fs::read_to_string(file).or_hint(
            format!("cannot read the input {file}"),
            "give the path of a file that holds a JSON object",
        )?,
    };
    serde_json::from_str(&text).or_hint(
        "the input is not JSON",
        "give an object, like --input '{\"text\": \"…\"}'",
    )
}

async fn publish(
    file: &Path,
    reference: ControllerRef,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let (source, function) = read(file)?;
    let description = function.description.lines().next().unwrap_or_default();
    let description: String = description.chars().take(200).collect();
    let manifest = function_manifest(&description);
    let new = PublishController {
        kind: ControllerKind::Function,
        source,
        component: None,
        reference,
        listed: true,
        description,
        release: None,
    };
    let data_dir = DataDir::open_or_create(&context.config.data_dir)?;
    let new = sign(new, manifest, &publisher_key(&data_dir)?);
    let node = reach.as_operator(context)?;
    let published = node.post("/v1/aigen/controllers", &new).await;
    let published: Controller =
        published.with_context(|| format!("{} was not published", file.display()))?;
    context.output.data(&published, || {
        let (reference, digest) = (&published.reference, &published.digest);
        let name = reference.controller();
        format!(
            "published {reference}, digest {digest}\ncall it: aigen fn run {name}, or from any client as the model fn:{name}"
        )
    })
}

async fn show(name: &ControllerSelector, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let function: Function = node
        .get(&format!("/v1/functions/{}", as_named(name)))
        .await?;
    let schemas = [&function.input, &function.output].map(serde_json::to_string_pretty);
    let [input, output] = schemas;
    let (input, output) = (input?, output?);
    context.output.data(&function, || {
        format!(
            "function     {}\nscore        {}\nmax tokens   {}\n\n{}\n\ninput\n{input}\n\noutput\n{output}\n",
            function.reference,
            score(&function),
            function.max_tokens,
            function.description.trim_end(),
        )
    })
}

fn score(function: &Function) -> String {
    match function.score {
        Some(score) => percent(score.into()),
        None => "not scored yet".to_owned(),
    }
}

async fn list(reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let functions: List<Function> = node.get("/v1/aigen/functions").await?;
    context.output.data(&functions, || {
        let mut table = Table::new(&["function", "score", "description"]);
        for function in &functions.data {
            let description = function.description.lines().next().unwrap_or_default();
            table.row([
                function.reference.to_string(),
                score(function),
                description.to_owned(),
            ]);
        }
        table.or("No function is published here.")
    })
}
