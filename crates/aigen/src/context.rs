use crate::cli::Global;
use crate::config::{Config, FILE_NAME};
use crate::output::Output;
use anyhow::Result;
use std::path::PathBuf;

/// What every command is given: how to speak, and the effective configuration.
#[derive(Clone, Debug)]
pub struct Context {
    /// How this run speaks.
    pub output: Output,
    /// Defaults, then the file, then the environment, then the flags.
    pub config: Config,
    global: Global,
}

impl Context {
    /// # Errors
    /// When the configuration is wrong.
    pub fn new(global: &Global) -> Result<Self> {
        let output = Output {
            json: global.json,
            quiet: global.quiet,
        };
        Ok(Self {
            output,
            config: effective(global)?,
            global: global.clone(),
        })
    }

    /// The configuration as file, environment and flags have it now.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn reread(&self) -> Result<Config> {
        effective(&self.global)
    }

    /// The file it is read from, if that is there.
    pub fn file(&self) -> PathBuf {
        let named = self.global.config.clone();
        named.unwrap_or_else(|| FILE_NAME.into())
    }
}

fn effective(global: &Global) -> Result<Config> {
    let mut config = Config::load(global.config.as_deref())?;
    if let Some(data_dir) = &global.data_dir {
        config.data_dir.clone_from(data_dir);
    }
    Ok(config)
}
