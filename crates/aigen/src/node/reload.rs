//! The configuration, read again on SIGHUP and when its file has changed. It is checked as a whole
//! before anything of it takes effect; while it is not valid, the one before stays.

use super::engines::{self, ModelChanges};
use crate::config::Config;
use crate::failure::{hinted, told};
use crate::logging::Relog;
use crate::output::Output;
use aigen_node::{Caller, Node};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

/// How often the file is looked at. A change counts once two looks agree, so that a file is not
/// read while an editor writes it.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// What takes effect at the next start only.
const FIXED: [&str; 15] = [
    "listen",
    "data_dir",
    "journal",
    "advertise",
    "lease_seconds",
    "network",
    "snapshot_commands",
    "tls",
    "telemetry",
    "cors",
    "outside",
    "datasets",
    "replays",
    "shares",
    "settlement",
];

/// The configuration in effect. Whoever loads a model later looks it up here.
#[derive(Clone)]
pub struct Effective(Arc<Mutex<Config>>);

impl Effective {
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Mutex::new(config)))
    }

    pub fn get(&self) -> Config {
        // Every write leaves it whole.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, config: Config) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// Where a configuration comes from.
pub struct Source {
    /// File, environment and flags, as they are now.
    pub read: Box<dyn Fn() -> Result<Config> + Send + Sync>,
    /// The file that is looked at.
    pub file: PathBuf,
    /// Changes what is logged.
    pub relog: Relog,
}

/// What changes.
pub struct Reload {
    pub source: Source,
    pub node: Node,
    pub operator: Caller,
    pub effective: Effective,
    pub grace: Arc<AtomicU64>,
    pub rejected: Arc<AtomicBool>,
    pub output: Output,
    /// Whether there was a file when the node started.
    pub began_with_file: bool,
}

/// SIGHUP, noticed from the moment this is made on.
///
/// # Errors
/// When the operating system does not let us listen for it.
pub fn hang_ups() -> Result<Signal> {
    signal(SignalKind::hangup()).context("cannot listen for SIGHUP")
}

impl Reload {
    /// Follows the file until the task is aborted.
    pub async fn follow(self, mut hang_ups: Signal) {
        let mut looks = interval(LOOK_PAUSE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut read, mut seen) = (mark(&self.source.file), mark(&self.source.file));
        loop {
            tokio::select! {
                told = hang_ups.recv() => if told.is_none() { return },
                _ = looks.tick() => {
                    let before = std::mem::replace(&mut seen, mark(&self.source.file));
                    if seen == read || seen != before {
                        continue;
                    }
                }
            }
            seen = mark(&self.source.file);
            read = seen;
            self.reload().await;
        }
    }

    async fn reload(&self) {
        let applied = self.apply().await;
        self.rejected.store(applied.is_err(), Ordering::Relaxed);
        match applied {
            Ok(changed) if changed.is_empty() => {
                tracing::info!("the configuration was read again: nothing has changed");
            }
            Ok(changed) => {
                tracing::info!(
                    changed = changed.join(", "),
                    "a new configuration is in effect"
                );
            }
            Err(error) => {
                let (what, hint) = told(&error);
                tracing::error!(hint, "the one before stays in effect: {what}");
            }
        }
    }

    /// What has changed, once it is in effect.
    async fn apply(&self) -> Result<Vec<String>> {
        self.must_be_there()?;
        let (old, new) = (self.effective.get(), (self.source.read)()?);
        let changed = changed(&old, &new)?;
        let filter = crate::logging::filter(&new.log)?;
        let models = engines::changes(&self.node, &old, &new, &self.output).await?;
        self.replace(models).await?;
        // From here on nothing can fail.
        (self.source.relog)(filter);
        self.node.limit_admission(new.admission.into());
        self.grace.store(new.grace_seconds, Ordering::Relaxed);
        self.effective.set(new);
        let first = |key: &&String| key.split('.').next().unwrap_or_default().to_owned();
        let fixed = changed.iter().filter(|key| FIXED.contains(&&*first(key)));
        let fixed: Vec<_> = fixed.map(String::as_str).collect();
        if !fixed.is_empty() {
            let keys = fixed.join(", ");
            tracing::warn!(
                keys,
                "these keys take effect when the node is started again"
            );
        }
        Ok(changed)
    }

    /// A file that is gone or empty says nothing: it would stand for the defaults, and take every model away.
    fn must_be_there(&self) -> Result<()> {
        let says_something = mark(&self.source.file).is_some_and(|(_, length)| length > 0);
        match self.began_with_file && !says_something {
            true => Err(hinted(
                format!("{} is gone, or empty", self.source.file.display()),
                "put it back; without one a node starts with the defaults",
            )),
            false => Ok(()),
        }
    }

    async fn replace(&self, models: ModelChanges) -> Result<()> {
        for entry in models.priced {
            self.node.ensure_model(entry).await?;
        }
        for (served, entry) in models.loaded {
            self.node.turn().await.put(served, entry).await?;
        }
        for name in models.gone {
            // An operator may have unloaded it before.
            if self.node.models().contains_key(&name) {
                self.node.unload_model(&self.operator, &name).await?;
            }
        }
        Ok(())
    }
}

/// The keys of what differs, like `admission.calls` and `model.tiny.price.output`: never a value.
fn changed(old: &Config, new: &Config) -> Result<Vec<String>> {
    let (old, new) = (serde_json::to_value(old)?, serde_json::to_value(new)?);
    let mut keys = Vec::new();
    differences("", &old, &new, &mut keys);
    Ok(keys)
}

fn differences(at: &str, old: &Value, new: &Value, keys: &mut Vec<String>) {
    if old == new {
        return;
    }
    match (parts(old), parts(new)) {
        (Some(old), Some(new)) => {
            let all: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in all {
                let part = |config: &BTreeMap<String, Value>| config.get(key).cloned();
                let at = match at {
                    "" => key.clone(),
                    at => format!("{at}.{key}"),
                };
                let (old, new) = (part(&old), part(&new));
                differences(
                    &at,
                    &old.unwrap_or_default(),
                    &new.unwrap_or_default(),
                    keys,
                );
            }
        }
        _ => keys.push(at.to_owned()),
    }
}

/// What a value is made of: the keys of a table, or tables by their names.
fn parts(value: &Value) -> Option<BTreeMap<String, Value>> {
    let named = |one: &Value| Some((one.get("name")?.as_str()?.to_owned(), one.clone()));
    match value {
        Value::Object(table) => Some(table.clone().into_iter().collect()),
        Value::Array(list) if !list.is_empty() => list.iter().map(named).collect(),
        _ => None,
    }
}

/// What tells one state of a file from another; `None` where there is none.
fn mark(file: &Path) -> Option<(SystemTime, u64)> {
    let known = fs::metadata(file).ok()?;
    Some((known.modified().ok()?, known.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named_and_its_values_are_not() {
        let tiny = |price: u32| json!({"name": "tiny", "price": {"input": 1, "output": price}});
        for (old, new, keys) in [
            (json!({"a": 1}), json!({"a": 1}), ""),
            (json!({"a": 1, "b": 2}), json!({"a": 2, "c": 3}), "a b c"),
            (
                json!({"a": {"b": 1, "c": 2}}),
                json!({"a": {"b": 1, "c": 3}}),
                "a.c",
            ),
            (json!({"a": null}), json!({"a": {"b": 1}}), "a"),
            (
                json!({"model": [tiny(2)]}),
                json!({"model": [tiny(3)]}),
                "model.tiny.price.output",
            ),
            (
                json!({"model": [tiny(2), {"name": "old"}]}),
                json!({"model": [{"name": "new"}, tiny(2)]}),
                "model.new model.old",
            ),
            (json!({"list": [1]}), json!({"list": [2]}), "list"),
        ] {
            let mut found = Vec::new();
            differences("", &old, &new, &mut found);
            assert_eq!(found.join(" "), keys, "{old} {new}");
        }
    }
}
