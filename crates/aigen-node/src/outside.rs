//! What controllers may ask of the outside: what their manifests ask for and the operator
//! grants, and nothing that a manifest asks for in vain: such a call is refused before it costs
//! anything.

mod completing;
mod reading;

use crate::auth::Caller;
use crate::error::NodeError;
use crate::manifest::{Manifest, Permissions};
use crate::node::Node;
use aigen_jarvis::{Answered, Ask, OutsideError};
use aigen_jarvis_host::{NoOutside, Outside};
use aigen_types::{Address, CallId, ControllerRef, ModelName, Slug};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

/// What an operator grants to controllers that ask for it.
#[derive(Clone)]
pub struct Grant {
    /// To whom, as `owner/name` or `owner/*`: to nobody where it is empty, to everyone who asks
    /// where it is not said.
    pub controllers: Option<Vec<String>>,
    /// Hosts whose pages may be read, as [`World::covers`] understands them.
    pub hosts: Vec<String>,
    /// Tools, by the names that [`World::call`] knows.
    pub tools: BTreeSet<String>,
    /// Models that may be asked.
    pub models: BTreeSet<ModelName>,
    /// Datasets that may be read, as `owner/name` or `owner/*`.
    pub datasets: Vec<String>,
    /// Questions of one request.
    pub calls: u32,
    /// How long each may take.
    pub time: Duration,
    /// Output tokens of one completion, at most.
    pub completion_tokens: u32,
    /// Who is asked for pages and tools.
    pub world: Arc<dyn World>,
}

/// Whoever reaches pages and tools. The composition root knows one.
pub trait World: Send + Sync {
    /// Whether everything within the host `asked` is within the host `granted`.
    fn covers(&self, granted: &str, asked: &str) -> bool;

    /// Reads a page of one of these hosts.
    fn page(&self, url: String, hosts: Vec<String>) -> BoxFuture<'static, Answered>;

    /// Calls a tool.
    fn call(&self, tool: String, arguments: String) -> BoxFuture<'static, Answered>;
}

/// For whom a controller asks.
#[derive(Clone)]
pub(crate) struct Behalf {
    pub caller: Caller,
    pub call: CallId,
    pub end_user: Option<Slug>,
    pub bill_to: Option<Address>,
    pub seed: u64,
}

impl Grant {
    /// What of it is not granted.
    fn lacks(&self, controller: &ControllerRef, asked: &Permissions) -> Option<String> {
        let name = controller.controller().to_string();
        let owner = format!("{}/*", controller.owner);
        let is_named = |granted: &String| *granted == name || *granted == owner;
        let to_all = self.controllers.is_none();
        if !to_all && !self.controllers.iter().flatten().any(is_named) {
            return Some("anything of the outside".to_owned());
        }
        let host = |host: &&String| {
            let covers = |granted: &String| self.world.covers(granted, host);
            !self.hosts.iter().any(covers)
        };
        let tool = |tool: &&String| !self.tools.contains(*tool);
        let model = |model: &&String| {
            let mut granted = self.models.iter();
            !granted.any(|granted| granted.as_str() == **model)
        };
        let dataset = |name: &&String| !self.covers(name);
        let hosts = asked
            .hosts
            .iter()
            .filter(host)
            .map(|host| format!("pages of `{host}`"));
        let tools = asked
            .tools
            .iter()
            .filter(tool)
            .map(|tool| format!("the tool `{tool}`"));
        let models = asked
            .models
            .iter()
            .filter(model)
            .map(|model| format!("the model `{model}`"));
        let datasets = asked.datasets.iter().filter(dataset);
        let datasets = datasets.map(|dataset| format!("the dataset `{dataset}`"));
        let all: Vec<_> = hosts.chain(tools).chain(models).chain(datasets).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

impl Grant {
    /// Whether a dataset is granted: by its name, or by its owner's.
    fn covers(&self, dataset: &str) -> bool {
        let owner = dataset.split('/').next().unwrap_or(dataset);
        let all = format!("{owner}/*");
        let mut granted = self.datasets.iter();
        granted.any(|granted| *granted == dataset || *granted == all)
    }
}

impl Node {
    /// Grants controllers the outside from now on. The first grant stays.
    pub fn grant_outside(&self, grant: Grant) {
        let _ = self.0.grant.set(grant);
    }

    /// Why a controller cannot run here, if what its manifest asks for is not granted.
    #[must_use]
    pub fn outside_refused(&self, controller: &ControllerRef, manifest: &str) -> Option<String> {
        let asked = Manifest::parse(manifest).ok()?.permissions;
        self.lacking(controller, &asked)
    }

    fn lacking(&self, controller: &ControllerRef, asked: &Permissions) -> Option<String> {
        if asked.is_empty() {
            return None;
        }
        let lacking = match self.0.grant.get() {
            Some(grant) => grant.lacks(controller, asked)?,
            None => "anything of the outside".to_owned(),
        };
        Some(format!(
            "its manifest asks for {lacking}, which the operator of this node does not grant it"
        ))
    }

    /// Who answers a controller's questions.
    ///
    /// # Errors
    /// [`NodeError::Steering`] where its manifest asks for more than is granted.
    pub(crate) fn outside(
        &self,
        controller: &ControllerRef,
        asked: &Permissions,
        behalf: Option<Behalf>,
    ) -> Result<Arc<dyn Outside>, NodeError> {
        let Some(behalf) = behalf else {
            return Ok(Arc::new(NoOutside));
        };
        if let Some(refused) = self.lacking(controller, asked) {
            let way_out = "ask the operator to grant it in [outside] of aigen.toml; `aigen controller show` says what is missing";
            let why = format!(
                "the controller `{controller}` cannot run here: {refused}; hint: {way_out}"
            );
            return Err(NodeError::Steering(why));
        }
        let grant = self.0.grant.get().filter(|_| !asked.is_empty());
        let Some(grant) = grant.cloned() else {
            return Ok(Arc::new(NoOutside));
        };
        Ok(Arc::new(Broker {
            asks: Asks {
                node: self.clone(),
                grant,
                permitted: asked.clone(),
                behalf,
            },
            runtime: Handle::current(),
            asked: AtomicU32::new(0),
        }))
    }
}

/// The outside of one request.
struct Broker {
    asks: Asks,
    /// Where answers are waited for: not on the engine's thread, which asks.
    runtime: Handle,
    asked: AtomicU32,
}

/// What it takes to answer.
#[derive(Clone)]
struct Asks {
    node: Node,
    grant: Grant,
    permitted: Permissions,
    behalf: Behalf,
}

impl Outside for Broker {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Answered> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let calls = self.asks.grant.calls;
        if number >= calls {
            let why = format!("the operator grants a request {calls} questions");
            return refuse(OutsideError::Limit(why));
        }
        let time = self.asks.grant.time;
        let asks = self.asks.clone();
        // Whoever asks is on a thread that knows nothing of timers.
        let answer = async move { tokio::time::timeout(time, asks.answer(ask, number)).await };
        // Dropped with the request, and then nobody is asked any longer.
        let answer = AbortOnDropHandle::new(self.runtime.spawn(answer));
        let late = OutsideError::Limit(format!("it takes more than {} s", time.as_secs_f64()));
        async move {
            match answer.await {
                Ok(Ok(answered)) => answered,
                Ok(Err(_)) => Err(late),
                Err(_) => Err(OutsideError::Unavailable("the node is ending".to_owned())),
            }
        }
        .boxed()
    }
}

impl Asks {
    fn answer(self, ask: Ask, number: u32) -> BoxFuture<'static, Answered> {
        match ask {
            Ask::Http { url } => self.grant.world.page(url, self.permitted.hosts.clone()),
            Ask::Tool { name, arguments } => self.call(name, arguments),
            Ask::Complete {
                model,
                messages,
                options,
            } => {
                if !self.permitted.models.contains(&model) {
                    let why = format!("the manifest asks for no model `{model}`");
                    return refuse(OutsideError::Denied(why));
                }
                self.complete(number, model, messages, options).boxed()
            }
            Ask::Dataset {
                dataset,
                query,
                limit,
            } => self.query(dataset, query, limit),
        }
    }

    fn call(self, tool: String, arguments: String) -> BoxFuture<'static, Answered> {
        if !self.permitted.tools.contains(&tool) {
            let why = format!("the manifest asks for no tool `{tool}`");
            return refuse(OutsideError::Denied(why));
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(&arguments) {
            Ok(_) => self.grant.world.call(tool, arguments),
            Err(error) => {
                let why = format!("the arguments are no JSON: {error}");
                refuse(OutsideError::Denied(why))
            }
        }
    }
}

fn refuse(error: OutsideError) -> BoxFuture<'static, Answered> {
    std::future::ready(Err(error)).boxed()
}
