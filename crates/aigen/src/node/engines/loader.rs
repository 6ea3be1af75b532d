use super::{budget, configured, load_one};
use crate::failure::told;
use crate::node::reload::Effective;
use crate::output::Output;
use aigen_node::network::NewModel;
use aigen_node::{Loader, Loading, Served, ServedModels};
use aigen_types::ModelName;
use anyhow::Result;
use tokio::runtime::Handle;

/// Loads models of the configuration and of the local catalogue, never a file that a request names.
pub struct ModelLoader {
    /// What is configured now.
    pub config: Effective,
    /// Where it says what it does.
    pub output: Output,
}

impl ModelLoader {
    fn load_one(
        &self,
        model: &ModelName,
        others: &ServedModels,
        loading: &Loading,
    ) -> Result<(Served, NewModel)> {
        let config = self.config.get();
        let wanted = configured(model, &config);
        let others: Vec<_> = others.keys().collect();
        budget::check(&wanted, &others, &config)?;
        Handle::current().block_on(load_one(&wanted, &config, &self.output, Some(loading)))
    }
}

impl Loader for ModelLoader {
    fn load(
        &self,
        model: &ModelName,
        others: &ServedModels,
        loading: &Loading,
    ) -> Result<(Served, NewModel), String> {
        self.load_one(model, others, loading).map_err(|error| {
            let (what, hint) = told(&error);
            match hint.is_empty() {
                true => what,
                false => format!("{what} (hint: {hint})"),
            }
        })
    }
}
