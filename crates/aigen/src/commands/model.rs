use crate::context::Context;
use crate::model_store::{Download, Entry, ModelStore, Source, name_of};
use crate::output::{Table, bytes, looking};
use crate::reach::Reach;
use aigen_api::openai::Model;
use aigen_api::resources::NamedModel;
use aigen_client::Client;
use aigen_types::{ModelName, Slug};
use anyhow::Result;
use clap::Subcommand;
use indicatif::ProgressBar;
use serde_json::Value;
use std::path::Path;

/// See [`super::Command::Model`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a GGUF file of this machine, or download one
    #[command(after_help = "\
Examples:
  aigen model add ~/models/acme-8b.Q4_K_M.gguf
  aigen model add https://example.org/acme-8b.gguf --name acme-8b

A file stays where it is; only a note of it is kept.")]
    Add(AddArgs),
    /// Download a model from a hub, or continue an interrupted download
    #[command(after_help = "\
Examples:
  aigen model pull hf:OWNER/REPO/FILE.gguf
  aigen model pull hf:OWNER/REPO/FILE.gguf@REVISION --name acme-8b

The hub is https://huggingface.co; AIGEN_HUB names a mirror.")]
    Pull(PullArgs),
    /// List the models on this machine
    #[command(after_help = "\
Example:
  aigen model list")]
    List,
    /// Let a running node serve a model of its configuration or of its catalogue (operator)
    #[command(after_help = "\
Examples:
  aigen model load acme-8b
  aigen model load acme-8b --url http://127.0.0.1:8000 --key aigen_operator.…

A large file takes a while: all of it is read for its digest. `memory_mib` of the configuration
bounds what all models take together.")]
    Load(ServedArgs),
    /// Let a running node serve a model no longer (operator)
    #[command(after_help = "\
Example:
  aigen model unload acme-8b

What is being answered is answered to its end; then its memory is free.")]
    Unload(ServedArgs),
    /// Forget a model, and delete its file if it was downloaded
    #[command(after_help = "\
Example:
  aigen model remove acme-8b")]
    Remove {
        /// Its name in `aigen model list`
        name: Slug,
    },
}

/// See [`Command::Load`].
#[derive(Debug, clap::Args)]
pub struct ServedArgs {
    /// Its name
    name: ModelName,
    #[command(flatten)]
    reach: Reach,
}

impl ServedArgs {
    fn named(&self) -> NamedModel {
        let model = self.name.clone();
        NamedModel { model }
    }
}

/// See [`Command::Add`].
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The file's path or its address
    place: String,
    #[command(flatten)]
    options: Options,
}

/// See [`Command::Pull`].
#[derive(Debug, clap::Args)]
pub struct PullArgs {
    /// hf:OWNER/REPO/FILE.gguf, or an address that begins with http
    source: Source,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, clap::Args)]
struct Options {
    /// Its name on this machine; made from the file's name when absent
    #[arg(long)]
    name: Option<Slug>,

    /// What the file's SHA-256 must be; for a download the server's own word when absent
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    sha256: Option<String>,
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    let store = ModelStore::open(&context.config.models_dir)?;
    match command {
        Command::Add(args) => match args.place.parse() {
            Ok(source) => pull(source, args.options, &store, context).await,
            Err(_) => add(&args.place, args.options, &store, context),
        },
        Command::Pull(args) => pull(args.source, args.options, &store, context).await,
        Command::List => list(&store, context),
        Command::Load(args) => load(&args, context).await,
        Command::Unload(args) => unload(&args, context).await,
        Command::Remove { name } => {
            let entry = store.remove(&name)?;
            context.output.data(&entry, || format!("removed {name}"))
        }
    }
}

fn add(place: &str, options: Options, store: &ModelStore, context: &Context) -> Result<()> {
    let name = options.name.map_or_else(|| name_of(place), Ok)?;
    let entry = store.add_file(Path::new(place), name, options.sha256)?;
    report(&entry, context)
}

async fn pull(
    source: Source,
    options: Options,
    store: &ModelStore,
    context: &Context,
) -> Result<()> {
    let named = || name_of(source.file_name());
    let name = options.name.map_or_else(named, Ok)?;
    store.must_be_free(&name)?;
    let download = Download {
        source,
        hub: context.config.hub.clone(),
        sha256: options.sha256,
    };
    context
        .output
        .say(format!("downloading {}", download.source));
    let fetched = download.fetch(store, &name, &context.output).await?;
    if !fetched.checked {
        let sha256 = &fetched.sha256;
        context.output.say(format!(
            "the server names no checksum, so nothing was compared; the file's SHA-256 is {sha256}"
        ));
    }
    let entry = store.add_downloaded(&download, name, fetched.sha256)?;
    report(&entry, context)
}

async fn load(args: &ServedArgs, context: &Context) -> Result<()> {
    let node = args.reach.as_operator(context)?;
    let waiting = context.output.waiting(format!("loading {}", args.name));
    let named = args.named();
    let load = node.post("/v1/aigen/models/load", &named);
    let look = async || look(node.client(), &args.name, &waiting).await;
    let loaded = looking(load, look).await;
    waiting.finish_and_clear();
    let model: Model = loaded?;
    context
        .output
        .data(&model, || format!("{} is served", model.id))
}

/// Shows how far a model has come. A node that does not say so is waited for all the same.
async fn look(client: &Client, model: &ModelName, bar: &ProgressBar) {
    let ready = client.get::<Value>("/ready").await.unwrap_or_default();
    if let Some(percent) = ready["loading"][model.as_str()].as_u64() {
        bar.set_message(format!("loading {model}: {percent} %"));
    }
}

async fn unload(args: &ServedArgs, context: &Context) -> Result<()> {
    let node = args.reach.as_operator(context)?;
    let gone: NamedModel = node.post("/v1/aigen/models/unload", &args.named()).await?;
    context
        .output
        .data(&gone, || format!("{} is not served any more", gone.model))
}

fn report(entry: &Entry, context: &Context) -> Result<()> {
    context.output.data(entry, || {
        format!(
            "{} is ready: {}, {}",
            entry.name,
            bytes(entry.bytes),
            entry.file.display()
        )
    })?;
    let name = &entry.name;
    context
        .output
        .say(format!("try it: aigen dev --model {name}"));
    Ok(())
}

fn list(store: &ModelStore, context: &Context) -> Result<()> {
    let entries = store.list()?;
    context.output.list(&entries, || {
        let mut table = Table::new(&["model", "size", "source"]);
        for entry in &entries {
            table.row([
                entry.name.to_string(),
                bytes(entry.bytes),
                entry.source.clone(),
            ]);
        }
        table.to_string()
    })
}

fn sha256(text: &str) -> Result<String, String> {
    let text = text.to_lowercase();
    let is_sha256 = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sha256 {
        Ok(text)
    } else {
        Err("a SHA-256 has 64 hex digits".into())
    }
}
