use super::{budget, configured, load_one};
use crate::config::Config;
use crate::failure::told;
use crate::output::Output;
use aigen_node::network::NewModel;
use aigen_node::{Loader, Served, ServedModels};
use aigen_types::ModelName;
use anyhow::Result;
use tokio::runtime::Handle;

/// Loads models of the configuration and of the local catalogue, never a file that a request names.
pub struct ModelLoader {
    /// What is configured.
    pub config: Config,
    /// Where it says what it does.
    pub output: Output,
}

impl ModelLoader {
    fn load_one(&self, model: &ModelName, others: &ServedModels) -> Result<(Served, NewModel)> {
        let wanted = configured(model, &self.config);
        let others: Vec<_> = others.keys().collect();
        budget::check(&wanted, &others, &self.config)?;
        Handle::current().block_on(load_one(&wanted, &self.config, &self.output))
    }
}

impl Loader for ModelLoader {
    fn load(&self, model: &ModelName, others: &ServedModels) -> Result<(Served, NewModel), String> {
        self.load_one(model, others).map_err(|error| {
            let (what, hint) = told(&error);
            match hint.is_empty() {
                true => what,
                false => format!("{what} (hint: {hint})"),
            }
        })
    }
}
