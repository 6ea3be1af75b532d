//! `aigen.toml`, the environment, and what they amount to.

mod admission;
mod bounds;
mod cors;
mod datasets;
mod economy;
mod model;
mod outside;
mod replays;
mod telemetry;
pub mod text;
mod upstream;

pub use admission::AdmissionConfig;
pub use cors::CorsConfig;
pub use datasets::DatasetsConfig;
pub use economy::SharesConfig;
pub use model::ModelConfig;
pub use outside::OutsideConfig;
pub use replays::ReplaysConfig;
pub use telemetry::TelemetryConfig;
use upstream::is_base_url;
pub use upstream::{HangUpConfig, RemoteConfig, RemoteControl, UpstreamConfig};

use crate::failure::{OrHint, hinted};
use aigen_types::Slug;
use anyhow::{Result, anyhow};
use bounds::{SECONDS_MAX, within, without_passwords};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The documented defaults, as a file to start from.
pub const DEFAULT_FILE: &str = include_str!("config/default.toml");

/// Read when it lies in the current folder and no other file is named.
pub const FILE_NAME: &str = "aigen.toml";

/// The effective configuration. `config/default.toml` says what each field means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the node listens.
    pub listen: SocketAddr,
    /// Journal and keys.
    pub data_dir: PathBuf,
    /// The database that keeps the journal, where several nodes share one.
    pub journal: Option<String>,
    /// Where those nodes reach this one.
    pub advertise: Option<String>,
    /// How long whoever leads them leads without being heard of.
    pub lease_seconds: u64,
    /// Downloaded models.
    pub models_dir: PathBuf,
    /// Where models are downloaded from.
    pub hub: String,
    /// The network's name.
    #[serde(with = "text")]
    pub network: Slug,
    /// Commands after which a snapshot is worth its cost.
    pub snapshot_commands: u64,
    /// How long running calls may finish at shutdown.
    pub grace_seconds: u64,
    /// What is logged.
    pub log: String,
    /// Memory that all models may take together, in MiB; as much as there is when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// What is served.
    #[serde(rename = "model")]
    pub models: Vec<ModelConfig>,
    /// Who is let in.
    pub admission: AdmissionConfig,
    /// What controllers may ask of the outside.
    pub outside: OutsideConfig,
    /// What is kept of datasets.
    pub datasets: DatasetsConfig,
    /// How long what runs calls again is kept.
    pub replays: ReplaysConfig,
    /// What clients are shown, where they are to speak TLS.
    pub tls: Option<TlsConfig>,
    /// Who is told of finished requests.
    pub telemetry: Option<TelemetryConfig>,
    /// Which web pages may ask.
    pub cors: CorsConfig,
    /// How charges are shared.
    pub shares: SharesConfig,
    /// How scores become money.
    pub settlement: aigen_api::settlement::Params,
}

/// A certificate chain and its private key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The node's own certificate first.
    pub certificate: PathBuf,
    /// Readable by the node alone.
    pub key: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            data_dir: PathBuf::from(".aigen"),
            journal: None,
            advertise: None,
            lease_seconds: 5,
            models_dir: default_models_dir(),
            hub: "https://huggingface.co".into(),
            network: "local".parse().expect("a plain word"),
            snapshot_commands: 100_000,
            grace_seconds: 30,
            log: "info".into(),
            memory_mib: None,
            models: vec![ModelConfig::named(
                "aigen-tiny".parse().expect("a plain word"),
            )],
            admission: AdmissionConfig::default(),
            outside: OutsideConfig::default(),
            datasets: DatasetsConfig::default(),
            replays: ReplaysConfig::default(),
            tls: None,
            telemetry: None,
            cors: CorsConfig::default(),
            shares: SharesConfig::default(),
            settlement: aigen_api::settlement::Params::default(),
        }
    }
}

impl Config {
    /// Defaults, then the file, then the environment.
    ///
    /// # Errors
    /// A file that cannot be read, a key that does not exist, a value that does not fit: with
    /// its line.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut config = Self::from_file(file)?;
        config.apply_env(|name| env::var(name).ok())?;
        config.check()?;
        Ok(config)
    }

    fn from_file(file: Option<&Path>) -> Result<Self> {
        let path = file.unwrap_or(Path::new(FILE_NAME));
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).or_hint(
                format!("{} is not a valid configuration", path.display()),
                "`aigen config --default` prints a file with every key and what it means",
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {
                Ok(Self::default())
            }
            Err(error) => Err(error).or_hint(
                format!("cannot read the configuration {}", path.display()),
                "`aigen config --default > aigen.toml` writes one to start from",
            ),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        // The error repeats a line of the file.
        toml::from_str(text).map_err(|error| match without_passwords(&error.to_string()) {
            Cow::Borrowed(_) => error.into(),
            Cow::Owned(said) => anyhow!(said),
        })
    }

    /// `variable` gives the value of an environment variable, if it is set.
    fn apply_env(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<()> {
        for (key, set) in ENVIRONMENT {
            let name = format!("AIGEN_{}", key.to_uppercase());
            if let Some(value) = variable(&name).filter(|value| !value.is_empty()) {
                set(self, &value).or_hint(
                    format!(
                        "{name} has a value that does not fit: {}",
                        without_passwords(&value)
                    ),
                    format!("it means the same as `{key}` in `aigen config --default`"),
                )?;
            }
        }
        Ok(())
    }

    /// Whether it makes sense as a whole.
    ///
    /// # Errors
    /// The first thing that does not, with a way out.
    pub fn check(&self) -> Result<()> {
        if self.models.is_empty() {
            return Err(hinted(
                "the configuration names no model",
                "add a [[model]] section, or remove `model = []` to serve aigen-tiny",
            ));
        }
        self.names_are_distinct()?;
        self.models.iter().try_for_each(ModelConfig::check)?;
        self.admission.check()?;
        self.outside.check()?;
        self.datasets.check()?;
        self.replays.check()?;
        self.telemetry
            .as_ref()
            .map_or(Ok(()), TelemetryConfig::check)?;
        self.cors.check()?;
        within("`snapshot_commands`", self.snapshot_commands, 1..=u64::MAX)?;
        within("`grace_seconds`", self.grace_seconds, 0..=SECONDS_MAX)?;
        self.check_journal()?;
        self.settings().map(|_| ())
    }

    fn check_journal(&self) -> Result<()> {
        let is_postgres =
            |url: &String| url.starts_with("postgres://") || url.starts_with("postgresql://");
        if self.journal.as_ref().is_some_and(|url| !is_postgres(url)) {
            return Err(hinted(
                "`journal` names no database that AiGen knows",
                "it is a URL like postgres://user:password@host:5432/aigen; leave it out to keep the journal in the data folder",
            ));
        }
        if self.journal.is_some() && self.tls.is_some() && self.advertise.is_none() {
            return Err(hinted(
                "nodes of one database reach each other by name where they speak TLS, and this one has none",
                "set `advertise` to a URL with a name of its certificate, like https://node-1.example:8000",
            ));
        }
        if let Some(url) = self.advertise.as_ref().filter(|url| !is_base_url(url)) {
            return Err(hinted(
                format!(
                    "`advertise` is no URL of this node: {}",
                    without_passwords(url)
                ),
                "write it like http://10.0.0.7:8000",
            ));
        }
        within("`lease_seconds`", self.lease_seconds, 1..=SECONDS_MAX)
    }

    fn names_are_distinct(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        match self.models.iter().find(|model| !names.insert(&model.name)) {
            None => Ok(()),
            Some(model) => Err(hinted(
                format!("two [[model]] sections are named `{}`", model.name),
                "give each a name of its own; `file` says which weights it runs",
            )),
        }
    }
}

type Setter = fn(&mut Config, &str) -> Result<()>;

/// Every key that an environment variable can set: `AIGEN_` and the key in capitals.
#[allow(
    clippy::unit_arg,
    reason = "a row per key reads better than two statements per key"
)]
const ENVIRONMENT: [(&str, Setter); 11] = [
    ("listen", |config, value| Ok(config.listen = value.parse()?)),
    ("data_dir", |config, value| {
        Ok(config.data_dir = value.into())
    }),
    ("journal", |config, value| {
        Ok(config.journal = Some(value.into()))
    }),
    ("advertise", |config, value| {
        Ok(config.advertise = Some(value.into()))
    }),
    ("lease_seconds", |config, value| {
        Ok(config.lease_seconds = value.parse()?)
    }),
    ("models_dir", |config, value| {
        Ok(config.models_dir = value.into())
    }),
    ("hub", |config, value| Ok(config.hub = value.into())),
    ("network", |config, value| {
        Ok(config.network = value.parse()?)
    }),
    ("snapshot_commands", |config, value| {
        Ok(config.snapshot_commands = value.parse()?)
    }),
    ("grace_seconds", |config, value| {
        Ok(config.grace_seconds = value.parse()?)
    }),
    ("log", |config, value| Ok(config.log = value.into())),
];

/// The user's cache folder; beside the journal where there is none.
fn default_models_dir() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".cache")));
    match cache {
        Some(cache) => cache.join("aigen").join("models"),
        None => PathBuf::from(".aigen/models"),
    }
}

#[cfg(test)]
mod tests;
