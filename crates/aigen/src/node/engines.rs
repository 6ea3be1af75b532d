mod budget;
mod loader;
mod remote;

use crate::config::{Config, ModelConfig};
use crate::failure::hinted;
use crate::model_store::{ModelStore, name_of};
use crate::output::Output;
use crate::pages;
use aigen_engine::{ChatMessage, EngineError, Role};
use aigen_engine_llama::{
    OnProgress, OpenError, Options, makes_vectors, open_embedder, open_telling,
};
use aigen_jarvis::Compiler;
use aigen_node::network::NewModel;
use aigen_node::{Embedded, Embedder as _, Loading, Node, Served};
use aigen_types::{Digest, ModelName};
use anyhow::{Context, Result, ensure};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use loader::ModelLoader;

/// Whether every configured model has a file that looks like one, and all have room together: what can be
/// known without loading any.
///
/// # Errors
/// The first that cannot be served.
pub fn check(config: &Config) -> Result<()> {
    check_options(config)?;
    for model in &config.models {
        let cannot = || format!("cannot serve the model `{}`", model.name);
        if model.upstreams.is_empty() {
            let file = file_of(model, config).with_context(cannot)?;
            let sound = aigen_engine_llama::check_file(&file).map_err(explained);
            sound.with_context(cannot)?;
        }
    }
    have_room(config)
}

/// Whether models that are computed here can be opened so, as far as is known without their files.
///
/// # Errors
/// The first that cannot.
pub fn check_options(config: &Config) -> Result<()> {
    let here = config
        .models
        .iter()
        .filter(|model| model.upstreams.is_empty());
    here.into_iter().try_for_each(|model| {
        let sound = options(model).check().map_err(explained);
        sound.with_context(|| format!("cannot serve the model `{}`", model.name))
    })
}

/// Whether all that are configured have room together.
fn have_room(config: &Config) -> Result<()> {
    let names: Vec<_> = config.models.iter().map(|model| &model.name).collect();
    let mut models = config.models.iter().enumerate();
    models.try_for_each(|(place, model)| {
        let room = budget::check(model, &names[..place], config);
        room.with_context(|| format!("cannot serve the model `{}`", model.name))
    })
}

/// Loads every configured model into a node, which tells meanwhile how far they are.
///
/// # Errors
/// A file that is broken or too large.
pub async fn load(node: &Node, config: &Config, output: &Output) -> Result<()> {
    let turn = node.turn().await;
    let waiting = config.models.iter();
    let waiting: Vec<_> = waiting
        .map(|model| (model, node.begin_loading(model.name.clone())))
        .collect();
    for (model, loading) in waiting {
        let cannot = || format!("cannot serve the model `{}`", model.name);
        let loaded = load_one(model, config, output, Some(&loading)).await;
        let (served, entry) = loaded.with_context(cannot)?;
        turn.put(served, entry).await?;
    }
    Ok(())
}

/// What a new configuration does to the models that are served.
#[derive(Default)]
pub struct ModelChanges {
    /// Entries of the catalogue for models that stay as they are.
    pub priced: Vec<NewModel>,
    /// Models that are new, or other ones than before.
    pub loaded: Vec<(Served, NewModel)>,
    /// Models that are not configured any more.
    pub gone: Vec<ModelName>,
}

/// Loads what is new, beside what there is; nothing is served of it yet.
///
/// # Errors
/// A file that is missing, broken or too large.
pub async fn changes(
    node: &Node,
    old: &Config,
    new: &Config,
    output: &Output,
) -> Result<ModelChanges> {
    if new.memory_mib != old.memory_mib {
        have_room(new)?;
    }
    let mut changes = ModelChanges::default();
    let gone = |model: &&ModelConfig| new.models.iter().all(|kept| kept.name != model.name);
    let gone = old.models.iter().filter(gone);
    changes.gone = gone.map(|model| model.name.clone()).collect();
    for model in &new.models {
        let before = old.models.iter().find(|old| old.name == model.name);
        let Some(before) = before.filter(|before| before.computes_like(model)) else {
            let cannot = || format!("cannot serve the model `{}`", model.name);
            let models = node.models();
            let leaves = |name: &&ModelName| **name == model.name || changes.gone.contains(name);
            let others: Vec<_> = models.keys().filter(|name| !leaves(name)).collect();
            budget::check(model, &others, new).with_context(cannot)?;
            let loading = node.begin_loading(model.name.clone());
            let loaded = load_one(model, new, output, Some(&loading)).await;
            changes.loaded.push(loaded.with_context(cannot)?);
            continue;
        };
        // One that an operator has unloaded stays so.
        if let (true, Some(served)) = (before != model, node.models().get(&model.name)) {
            let info = served.info();
            changes
                .priced
                .push(entry(model, info.digest, info.context_tokens));
        }
    }
    Ok(changes)
}

async fn load_one(
    model: &ModelConfig,
    config: &Config,
    output: &Output,
    loading: Option<&Loading>,
) -> Result<(Served, NewModel)> {
    if !model.upstreams.is_empty() {
        return remote::open(model, output).await;
    }
    let file = file_of(model, config)?;
    if makes_vectors(&file).map_err(explained)? {
        output.say(format!("loading {} from {}", model.name, file.display()));
        let wanted = model.clone();
        return tokio::task::spawn_blocking(move || embedder(&wanted, &file)).await?;
    }
    let embedded = open_here(model, config, output, loading).await?;
    let info = embedded.engine.info();
    let entry = entry(model, info.digest, info.context_tokens);
    Ok((embedded.into(), entry))
}

fn embedder(model: &ModelConfig, file: &Path) -> Result<(Served, NewModel)> {
    pages::for_a_model();
    let embedder = open_embedder(file, &options(model)).map_err(explained)?;
    let info = embedder.info();
    let entry = entry(model, info.digest, info.context_tokens);
    Ok((Served::Embedder(Arc::new(embedder)), entry))
}

/// A model whose tokens are computed in this process.
///
/// # Errors
/// A model that other servers answer for, or a file that cannot be used.
pub async fn embedded(model: &ModelConfig, config: &Config, output: &Output) -> Result<Embedded> {
    open_here(model, config, output, None).await
}

async fn open_here(
    model: &ModelConfig,
    config: &Config,
    output: &Output,
    loading: Option<&Loading>,
) -> Result<Embedded> {
    ensure!(
        model.upstreams.is_empty(),
        hinted(
            format!("other servers answer for {}", model.name),
            "choose a model of this machine with --model"
        )
    );
    let file = file_of(model, config)?;
    output.say(format!("loading {} from {}", model.name, file.display()));
    let wanted = model.clone();
    let says = says(model, output, loading.cloned());
    let opened = tokio::task::spawn_blocking(move || open_embedded(&wanted, &file, says));
    let embedded = opened.await??;
    if let Err(error) = converses(&embedded) {
        output.say(format!("{} refuses conversations: {error}", model.name));
    }
    Ok(embedded)
}

/// Whether it has a chat template that works.
fn converses(model: &Embedded) -> Result<(), EngineError> {
    let hello = ChatMessage::new(Role::User, "Hello!");
    model.engine.tokenizer().chat(&[hello]).map(|_| ())
}

/// Shows how far a model has come: a bar where somebody looks at it, or else a line once a second.
fn says(model: &ModelConfig, output: &Output, loading: Option<Loading>) -> OnProgress {
    let (name, output) = (model.name.clone(), *output);
    let bar = output.progress(Some(100), &format!("% of {name}"));
    let mut said = Instant::now();
    Box::new(move |percent| {
        let flow = loading.as_ref().map(|loading| loading.at(percent));
        bar.set_position(percent.into());
        if percent >= 100 {
            bar.finish_and_clear();
        }
        if bar.is_hidden() && said.elapsed() >= Duration::from_secs(1) {
            said = Instant::now();
            output.say(format!("loading {name}: {percent} %"));
        }
        flow.unwrap_or(ControlFlow::Continue(()))
    })
}

fn open_embedded(model: &ModelConfig, file: &Path, says: OnProgress) -> Result<Embedded> {
    pages::for_a_model();
    let engine = open_telling(file, &options(model), says).map_err(explained)?;
    let limits = aigen_engine::Limits {
        // Who may wait is decided before anything is held, by bounds that may change while this
        // one may not: it is never met.
        waiting_max: u32::MAX,
        ..aigen_engine::Limits::default()
    };
    let engine = aigen_engine::start(Box::new(engine), limits);
    let compiler = Compiler::new(engine.tokenizer())?.into();
    Ok(Embedded {
        engine,
        compiler,
        reasoning: model.reasoning.as_ref().map(Into::into),
    })
}

fn explained(error: OpenError) -> anyhow::Error {
    let hint = error.hint();
    hinted(error, hint)
}

fn entry(model: &ModelConfig, digest: Digest, context_tokens: u32) -> NewModel {
    NewModel {
        name: model.name.clone(),
        provider: model.provider.clone(),
        digest,
        context_tokens,
        price: (&model.price).into(),
    }
}

fn options(model: &ModelConfig) -> Options {
    let defaults = Options::default();
    Options {
        threads: model.threads,
        context_tokens: model.context_tokens,
        sequences_max: model.sequences.unwrap_or(defaults.sequences_max),
        cells: model.cells,
        kept_sequences: model.kept.unwrap_or(defaults.kept_sequences),
        gpu_layers: model.gpu_layers,
        ..defaults
    }
}

fn file_of(model: &ModelConfig, config: &Config) -> Result<PathBuf> {
    match &model.file {
        Some(file) => Ok(file.clone()),
        None => ModelStore::open(&config.models_dir)?.file_of(model.name.as_str()),
    }
}

/// The model of this name in the configuration, else the one of the local catalogue.
fn configured(name: &ModelName, config: &Config) -> ModelConfig {
    let mut models = config.models.iter();
    let found = models.find(|model| model.name == *name).cloned();
    found.unwrap_or_else(|| ModelConfig::named(name.clone()))
}

/// The model that `--model` means: a GGUF file, one of the configuration, or one of the
/// models on this machine.
///
/// # Errors
/// When the name or file name is no name for a model.
pub fn chosen_model(chosen: &str, config: &Config) -> Result<ModelConfig> {
    if chosen.ends_with(".gguf") || chosen.contains('/') {
        let name: ModelName = name_of(chosen)?.as_str().parse()?;
        return Ok(ModelConfig {
            file: Some(chosen.into()),
            ..ModelConfig::named(name)
        });
    }
    let name = chosen
        .parse()
        .context("--model takes a name or a GGUF file")?;
    Ok(configured(&name, config))
}
