//! Models that other servers answer for.

use super::entry;
use crate::config::{HangUpConfig, ModelConfig, RemoteConfig, RemoteControl, UpstreamConfig};
use crate::failure::hinted;
use crate::output::Output;
use aigen_engine_remote::{
    HangUp, Options, RemoteEmbedder, RemoteEngine, Secret, Timeouts, UpstreamOptions,
};
use aigen_node::network::NewModel;
use aigen_node::{ControlLevel, Served, TextEmbedder, TextEngine};
use anyhow::{Context, Result};
use std::env;
use std::sync::Arc;
use std::time::Duration;

/// How long a start waits to learn how closely a model can be steered. Upstreams that are not there
/// yet are asked again later, and no start waits for them.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// Opens a model that has upstreams. They need not answer yet.
///
/// # Errors
/// A key that its variable does not hold.
pub async fn open(model: &ModelConfig, output: &Output) -> Result<(Served, NewModel)> {
    let asked: Vec<_> = model.upstreams.iter().map(|one| &*one.base_url).collect();
    output.say(format!("asking {} for {}", asked.join(", "), model.name));
    if model.remote.as_ref().is_some_and(|remote| remote.vectors) {
        let embedder = RemoteEmbedder::open(options(model)?).context("TLS cannot start")?;
        let info = embedder.info();
        let entry = entry(model, info.digest, info.context_tokens);
        return Ok((Served::RemoteEmbedder(Arc::new(embedder)), entry));
    }
    let engine = RemoteEngine::open(options(model)?).context("TLS cannot start")?;
    engine.probed(PROBE_PATIENCE).await;
    let info = engine.info();
    let entry = entry(model, info.digest, info.context_tokens);
    Ok((Served::Remote(Arc::new(engine)), entry))
}

fn options(model: &ModelConfig) -> Result<Options> {
    let remote = model.remote.clone().unwrap_or_default();
    let upstreams = model.upstreams.iter();
    let upstreams = upstreams.map(|one| upstream(model, one));
    Ok(Options {
        upstreams: upstreams.collect::<Result<_>>()?,
        context_tokens: model.context_tokens.unwrap_or_default(),
        answer_tokens: remote.answer_tokens,
        control: remote.control.map(|control| match control {
            RemoteControl::Schema => ControlLevel::Schema,
            RemoteControl::Text => ControlLevel::Text,
        }),
        tools: remote.tools,
        probabilities: remote.probabilities,
        timeouts: timeouts(&remote),
        hang_up: match remote.hang_up {
            HangUpConfig::Cancel => HangUp::Cancel,
            HangUpConfig::Drain => HangUp::Drain,
        },
        stream: !remote.plain,
    })
}

fn upstream(model: &ModelConfig, config: &UpstreamConfig) -> Result<UpstreamOptions> {
    let named = config.model.clone();
    Ok(UpstreamOptions {
        url: config.base_url.clone(),
        model: named.unwrap_or_else(|| model.name.to_string()),
        key: config.api_key_env.as_deref().map(key).transpose()?,
        weight: config.weight,
    })
}

fn key(variable: &str) -> Result<Secret> {
    match env::var(variable) {
        Ok(key) if !key.is_empty() => Ok(Secret(key)),
        _ => Err(hinted(
            format!("the environment variable {variable} holds no API key"),
            format!("set it before `aigen serve`, or remove `api_key_env = \"{variable}\"`"),
        )),
    }
}

fn timeouts(remote: &RemoteConfig) -> Timeouts {
    let default = Timeouts::default();
    let seconds = |set: Option<u64>, usual| set.map_or(usual, Duration::from_secs);
    Timeouts {
        connect: seconds(remote.connect_seconds, default.connect),
        first_byte: seconds(remote.first_byte_seconds, default.first_byte),
        idle: seconds(remote.idle_seconds, default.idle),
        total: seconds(remote.total_seconds, default.total),
    }
}
