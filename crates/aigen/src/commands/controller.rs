mod project;
mod traces;
mod trial;
mod watch;

use crate::commands::epoch::percent;
use crate::context::Context;
use crate::data_dir::{DataDir, KeyFile};
use crate::failure::{OrHint, hinted};
use crate::output::{self, Table};
use crate::reach::Reach;
use crate::signing::{plain_manifest, public, publisher_key, sign};
use aigen_api::resources::{
    Controller, ControllerKind, List, PublishController, Replay, SetStanding, Signed, Standing,
    TagController,
};
use aigen_network::limits::CONTENT_BYTES_MAX;
use aigen_types::{CallId, ControllerName, ControllerRef, ControllerSelector, Slug};
use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use project::{Language, Project};
use std::fs;
use std::path::{Path, PathBuf};
use trial::TestArgs;

/// See [`super::Command::Controller`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish a version of a controller: a Lark grammar, a script of fixed answers (.json), or a
    /// WebAssembly component (.wasm)
    #[command(after_help = "\
Examples:
  aigen controller publish quiz.lark ada/quiz@1.0.0
  aigen controller publish quiz.lark ada/quiz@1.0.1 \\
      --description \"Asks only what the text says\"
  aigen controller publish quiz.lark ada/quiz@1.1.0 --manifest quiz.toml
  aigen controller publish yes_no.wasm ada/yes-no@1.0.0 --manifest yes-no.toml
  aigen controller publish yes-no ada/yes-no@1.0.0   # a project is built first

It is signed with the data folder's publisher.key (see `aigen controller key`); the first release
binds that key to ada, and later ones must be signed with it. A published version never changes;
publish a higher version instead. ada is paid at developer:ada.")]
    Publish(PublishArgs),
    /// Begin a project: a controller that answers yes or no, to be changed
    #[command(after_help = "\
Examples:
  aigen controller new yes-no --lang rust
  aigen controller new yes-no --lang python
  aigen controller new yes-no --lang js
  aigen controller new yes-no --lang c

The folder holds the source, a manifest (controller.toml), traces, and a copy of the SDK.")]
    New {
        /// The folder to make; its name is the controller's
        folder: PathBuf,
        /// What it is written in
        #[arg(long = "lang", value_enum, default_value_t = Language::Rust)]
        language: Language,
    },
    /// Build a project's component
    #[command(after_help = "\
Examples:
  aigen controller build
  aigen controller build yes-no

It makes controller.wasm. Rust needs the target wasm32-unknown-unknown, Python componentize-py,
JavaScript componentize-qjs, C clang and lld; what is missing is named.")]
    Build {
        /// The project's folder
        #[arg(default_value = ".", hide_default_value = true)]
        folder: PathBuf,
    },
    /// Try a controller: its traces, and a question to a model of this machine
    #[command(after_help = "\
Examples:
  aigen controller test
  aigen controller test yes-no --prompt \"Is 7 prime?\"
  aigen controller test yes_no.wasm --prompt \"Is 7 prime?\" --model acme-8b \\
      --params '{\"strict\": true}'

The table has a row for every call to the controller: where in the answer, why, tokens that the
model chose and that were put in since the call before, tokens taken back, tokens of the
vocabulary that may not come next, time in microseconds and fuel. Below it stands what the
controller logged in it.")]
    Test(TestArgs),
    /// Run a call again without the model, and compare its decisions with the receipt
    #[command(after_help = "\
Example:
  aigen chat \"Is 7 prime?\" --controller ada/yes-no --replay
  aigen controller replay 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b
  aigen controller replay 5f0c4e1b2a3d4f5e6a7b8c9d0e1f2a3b --times 100

The node that answered keeps the calls that asked for it in its data folder, for as long as [replays] of
its configuration says: the last 256 MiB of 30 days.")]
    Replay {
        /// Id of the call, 32 hex digits
        #[arg(value_parser = crate::cli::call_id)]
        receipt: CallId,
        /// How often
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        times: u32,
        #[command(flatten)]
        reach: Reach,
    },
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
Examples:
  aigen controller show ada/quiz@1.0.0
  aigen controller show ada/quiz@1.0     # the highest patch of 1.0
  aigen controller show ada/quiz         # the latest")]
    Show {
        /// OWNER/NAME@VERSION; the version may be 1.2, 1 or a tag
        reference: ControllerSelector,
        #[command(flatten)]
        reach: Reach,
    },
    /// List the versions of a controller
    #[command(after_help = "\
Example:
  aigen controller versions ada/quiz")]
    Versions {
        /// OWNER/NAME
        controller: ControllerName,
        #[command(flatten)]
        reach: Reach,
    },
    /// Show the public key that signs what is published from here; it is made on first use
    #[command(after_help = "\
Example:
  aigen controller key")]
    Key,
    /// Say that a version works and another is better
    #[command(after_help = "\
Example:
  aigen controller deprecate ada/quiz@1.2.0 --reason \"1.3 quotes better\"")]
    Deprecate(StandingArgs),
    /// Let no new call use a version; running calls finish
    #[command(after_help = "\
Example:
  aigen controller yank ada/quiz@1.2.1 --reason \"invents names\"")]
    Yank(StandingArgs),
    /// Take a deprecation or a yank back
    #[command(after_help = "\
Example:
  aigen controller restore ada/quiz@1.2.1")]
    Restore(StandingArgs),
    /// Name a version
    #[command(after_help = "\
Examples:
  aigen controller tag ada/quiz@1.2.0 stable
  aigen controller tag ada/quiz@1.2.0 stable --remove")]
    Tag {
        /// OWNER/NAME@VERSION
        reference: ControllerRef,
        /// The name: a word that begins with a letter
        tag: Slug,
        /// Take the name away instead
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        reach: Reach,
    },
}

/// See [`Command::Publish`].
#[derive(Debug, clap::Args)]
pub struct PublishArgs {
    /// The source, the component, or the folder of a project
    file: PathBuf,
    /// OWNER/NAME@VERSION
    reference: ControllerRef,
    /// One line for people; without it, the manifest's
    #[arg(long)]
    description: Option<String>,
    /// The manifest (TOML); without it, the project's, or one that asks for nothing
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Leave it out of listings (operator)
    #[arg(long)]
    unlisted: bool,
    #[command(flatten)]
    reach: Reach,
}

/// See [`Command::Yank`].
#[derive(Debug, clap::Args)]
pub struct StandingArgs {
    /// OWNER/NAME@VERSION
    reference: ControllerRef,
    /// Why, in one line
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::New { folder, language } => begin(&folder, language, context),
        Command::Build { folder } => build(&folder, context),
        Command::Test(args) => trial::test(args, context).await,
        Command::Replay {
            receipt,
            times,
            reach,
        } => replay(receipt, times, &reach, context).await,
        Command::Publish(args) => publish(args, context).await,
        Command::List { reach } => list(&reach, context).await,
        Command::Show { reference, reach } => show(&reference, &reach, context).await,
        Command::Versions { controller, reach } => versions(&controller, &reach, context).await,
        Command::Key => key(context),
        Command::Deprecate(args) => state(args, Standing::Deprecated, context).await,
        Command::Yank(args) => state(args, Standing::Yanked, context).await,
        Command::Restore(args) => state(args, Standing::Current, context).await,
        Command::Tag {
            reference,
            tag,
            remove,
            reach,
        } => {
            let tag = TagController {
                controller: reference.controller(),
                tag,
                version: (!remove).then_some(reference),
            };
            name(&tag, &reach, context).await
        }
    }
}

fn begin(folder: &Path, language: Language, context: &Context) -> Result<()> {
    Project::create(folder, language)?;
    let folder = folder.display().to_string();
    context
        .output
        .data(&serde_json::json!({ "folder": folder }), || {
            format!(
                "made {folder}\ntry it: aigen controller test {folder} --prompt \"Is 7 prime?\""
            )
        })
}

fn build(folder: &Path, context: &Context) -> Result<()> {
    let built = Project::open(folder)?.build(&context.output)?;
    let bytes = fs::metadata(&built)?.len();
    let file = built.display().to_string();
    let shown = serde_json::json!({ "file": file, "bytes": bytes });
    context
        .output
        .data(&shown, || format!("built {file}, {}", output::bytes(bytes)))
}

async fn publish(mut args: PublishArgs, context: &Context) -> Result<()> {
    if args.file.is_dir() {
        let project = Project::open(&args.file)?;
        args.manifest = args.manifest.or(project.manifest());
        args.file = project.build(&context.output)?;
    }
    let manifest = args.manifest.as_deref().map(read_manifest).transpose()?;
    let description = match (args.description, &manifest) {
        (Some(description), _) => description,
        (None, Some(manifest)) => described(manifest)?,
        (None, None) => String::new(),
    };
    let manifest = manifest.unwrap_or_else(|| plain_manifest(&description));
    let (source, component) = read(&args.file)?;
    let new = PublishController {
        kind: kind_of(&args.file),
        source,
        component,
        reference: args.reference,
        listed: !args.unlisted,
        description,
        release: None,
    };
    let data_dir = DataDir::open_or_create(&context.config.data_dir)?;
    let new = sign(new, manifest, &publisher_key(&data_dir)?);
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

fn read_manifest(file: &Path) -> Result<String> {
    fs::read_to_string(file).or_hint(
        format!("cannot read the manifest {}", file.display()),
        "give the path of a TOML file with at least `description` and `licence`",
    )
}

fn described(manifest: &str) -> Result<String> {
    let read: toml::Table = toml::from_str(manifest).or_hint(
        "the manifest is not TOML",
        "correct it and publish again; nothing was published",
    )?;
    let description = read.get("description").and_then(toml::Value::as_str);
    Ok(description.unwrap_or_default().to_owned())
}

fn key(context: &Context) -> Result<()> {
    let data_dir = DataDir::open_or_create(&context.config.data_dir)?;
    let key = public(&publisher_key(&data_dir)?);
    let shown = serde_json::json!({ "publisher": key.to_string() });
    context.output.data(&shown, || {
        format!(
            "publisher  {key}\nkeep {} safe: releases that it signed get successors from it alone",
            KeyFile::Publisher.name()
        )
    })
}

async fn replay(receipt: CallId, times: u32, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let path = format!("/v1/aigen/receipts/{receipt}/replay");
    let mut replayed: Replay = node.post(&path, &serde_json::json!({})).await?;
    for _ in 1..times {
        if replayed.same {
            replayed = node.post(&path, &serde_json::json!({})).await?;
        }
    }
    let Replay {
        decisions, fuel, ..
    } = &replayed;
    ensure!(
        replayed.same,
        hinted(
            format!("the call decides otherwise now: {decisions}, with {fuel} fuel"),
            format!("aigen receipt {receipt} shows what was recorded; tell the operator"),
        )
    );
    context.output.data(&replayed, || {
        let often = match times {
            1 => String::new(),
            times => format!(" {times} times"),
        };
        format!("the same decisions{often}: {decisions}, with {fuel} fuel")
    })
}

async fn state(args: StandingArgs, standing: Standing, context: &Context) -> Result<()> {
    let set = SetStanding {
        reference: args.reference,
        standing,
        reason: args.reason,
    };
    let node = args.reach.as_operator(context)?;
    let path = "/v1/aigen/controllers/standing";
    let controller: Controller = node.post(path, &set).await?;
    context.output.data(&controller, || {
        format!("{} is {}", controller.reference, standing_of(&controller))
    })
}

async fn name(tag: &TagController, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let tag: TagController = node.post("/v1/aigen/controllers/tags", tag).await?;
    context.output.data(&tag, || match &tag.version {
        Some(version) => format!("{}@{} is {version}", tag.controller, tag.tag),
        None => format!("{}@{} is nothing now", tag.controller, tag.tag),
    })
}

async fn versions(controller: &ControllerName, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let path = format!("/v1/aigen/controllers/{controller}/versions");
    let versions: List<Controller> = node.get(&path).await?;
    context.output.data(&versions, || {
        let mut table = Table::new(&["version", "standing", "tags", "score", "digest"]);
        for version in &versions.data {
            table.row([
                version.reference.to_string(),
                standing_of(version),
                version.tags.join(" "),
                score(version),
                version.digest.short(12),
            ]);
        }
        table.to_string()
    })
}

fn standing_of(controller: &Controller) -> String {
    let standing = match controller.standing {
        Standing::Current => "current",
        Standing::Deprecated => "deprecated",
        Standing::Yanked => "yanked",
    };
    match controller.reason.as_str() {
        "" => standing.to_owned(),
        reason => format!("{standing}: {}", output::line(reason)),
    }
}

/// A script is JSON, a component WebAssembly; everything else is a grammar.
fn kind_of(file: &Path) -> ControllerKind {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => ControllerKind::Script,
        Some("wasm") => ControllerKind::Wasm,
        _ => ControllerKind::Grammar,
    }
}

/// The source, or the component.
fn read(file: &Path) -> Result<(String, Option<Vec<u8>>)> {
    let kinds = "give the path of a Lark grammar (.lark), a script (.json) or a component (.wasm)";
    let bytes = fs::read(file).or_hint(
        format!("cannot read the controller {}", file.display()),
        kinds,
    )?;
    let ending = file.extension().and_then(|ending| ending.to_str());
    ensure!(
        matches!(ending, Some("lark" | "json" | "wasm")),
        hinted(
            format!("the name of {} does not say what it is", file.display()),
            kinds
        )
    );
    if kind_of(file) == ControllerKind::Wasm {
        // A node stops reading there, in the middle of what is sent.
        ensure!(
            bytes.len() as u64 <= CONTENT_BYTES_MAX,
            hinted(
                format!(
                    "{} has {}, and a component may have {}",
                    file.display(),
                    output::bytes(bytes.len() as u64),
                    output::bytes(CONTENT_BYTES_MAX)
                ),
                "build it without debug information: `strip = true`, `opt-level = \"s\"`",
            )
        );
        return Ok((String::new(), Some(bytes)));
    }
    let text = String::from_utf8(bytes).or_hint(
        format!("{} is not text", file.display()),
        "a component's name ends in .wasm",
    )?;
    Ok((text, None))
}

async fn list(reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let path = "/v1/aigen/controllers?sort=score";
    let controllers: List<Controller> = node.get(path).await?;
    context
        .output
        .data(&controllers, || listed(&controllers.data))
}

fn listed(controllers: &[Controller]) -> String {
    let mut table = Table::new(&["controller", "kind", "standing", "score", "description"]);
    for controller in controllers {
        table.row([
            controller.reference.to_string(),
            kind(controller).to_owned(),
            standing_of(controller),
            score(controller),
            controller.description.clone(),
        ]);
    }
    let untold = controllers.iter().any(|one| one.kind.is_none());
    let told = if untold {
        "A kind that is - is told to the controller's owner and to operators alone.\n"
    } else {
        ""
    };
    let table = table.or("No controller is published here.");
    format!("{table}{told}")
}

fn kind(controller: &Controller) -> &'static str {
    match controller.kind {
        Some(ControllerKind::Grammar) => "grammar",
        Some(ControllerKind::Script) => "script",
        Some(ControllerKind::Wasm) => "guest",
        Some(ControllerKind::Function) => "function",
        None => "-",
    }
}

async fn show(reference: &ControllerSelector, reach: &Reach, context: &Context) -> Result<()> {
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
        let description = output::line(description);
        text.push_str(&format!("description  {description}\n"));
    }
    if controller.standing != Standing::Current {
        text.push_str(&format!("standing     {}\n", standing_of(controller)));
    }
    if let Some(refused) = &controller.refused {
        text.push_str(&format!("refused      {}\n", output::line(refused)));
    }
    if !controller.tags.is_empty() {
        text.push_str(&format!("tags         {}\n", controller.tags.join(" ")));
    }
    if let (Some(content), Some(release)) = (&controller.content, &controller.release) {
        let Signed {
            publisher,
            manifest,
            ..
        } = release;
        let manifest = output::lines(manifest);
        text.push_str(&format!(
            "content      {content}\npublisher    {publisher}\nmanifest:\n{manifest}"
        ));
    }
    if let Some(source) = &controller.source {
        text.push_str(&format!("source:\n{}", output::lines(source)));
    }
    text
}

fn score(controller: &Controller) -> String {
    match controller.score {
        Some(score) => percent(score.into()),
        None => "not scored yet".into(),
    }
}
