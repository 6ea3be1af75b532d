//! The outside of controllers: pages and tools as the configuration grants them.

use crate::config::OutsideConfig;
use aigen_node::{Answered, Grant, World};
use aigen_outside::{Bounds, Origin, Tool, Web};
use anyhow::Result;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the configuration grants; `None` where that is nothing.
///
/// # Errors
/// A host, address or key that cannot be used.
pub fn granted(config: &OutsideConfig) -> Result<Option<Grant>> {
    if config.is_empty() {
        return Ok(None);
    }
    let bounds = config.bounds();
    let tools = config.tools()?;
    Ok(Some(Grant {
        controllers: config.controllers.clone(),
        hosts: config.hosts.clone(),
        tools: tools.keys().cloned().collect(),
        models: config.models()?.into_iter().collect(),
        datasets: config.datasets.clone(),
        calls: config.calls,
        time: bounds.time,
        completion_tokens: config.completion_tokens,
        world: Arc::new(Internet {
            web: config.web()?,
            granted: config.origins()?,
            tools,
            bounds,
        }),
    }))
}

struct Internet {
    web: Web,
    granted: Vec<Origin>,
    tools: BTreeMap<String, Tool>,
    bounds: Bounds,
}

impl World for Internet {
    fn covers(&self, granted: &str, asked: &str) -> bool {
        let (granted, asked) = (granted.parse::<Origin>(), asked.parse::<Origin>());
        matches!((granted, asked), (Ok(granted), Ok(asked)) if granted.covers(&asked))
    }

    /// A page has to be within what the manifest asks for, and within what is granted: a
    /// redirect may lead from the one to the other.
    fn page(&self, url: String, hosts: Vec<String>) -> BoxFuture<'static, Answered> {
        let asked = hosts.iter().filter_map(|host| host.parse::<Origin>().ok());
        let within = asked.filter(|asked| self.granted.iter().any(|own| own.covers(asked)));
        let (web, within, bounds) = (self.web.clone(), within.collect::<Vec<_>>(), self.bounds);
        async move { web.page(&url, &within, bounds).await }.boxed()
    }

    fn call(&self, tool: String, arguments: String) -> BoxFuture<'static, Answered> {
        let (web, found, bounds) = (
            self.web.clone(),
            self.tools.get(&tool).cloned(),
            self.bounds,
        );
        async move {
            match found {
                Some(found) => web.call(&found, arguments, bounds).await,
                None => Err(aigen_node::OutsideError::Unavailable(format!(
                    "there is no tool `{tool}`"
                ))),
            }
        }
        .boxed()
    }
}
