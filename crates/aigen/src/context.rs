use crate::cli::Global;
use crate::config::Config;
use crate::output::Output;
use anyhow::Result;

/// What every command is given: how to speak, and the effective configuration.
#[derive(Clone, Debug)]
pub struct Context {
    /// How this run speaks.
    pub output: Output,
    /// Defaults, then the file, then the environment, then the flags.
    pub config: Config,
}

impl Context {
    /// # Errors
    /// When the configuration is wrong.
    pub fn new(global: &Global) -> Result<Self> {
        let mut config = Config::load(global.config.as_deref())?;
        if let Some(data_dir) = &global.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        let output = Output {
            json: global.json,
            quiet: global.quiet,
        };
        Ok(Self { output, config })
    }
}
