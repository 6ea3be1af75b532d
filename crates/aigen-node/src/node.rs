use crate::auth::{Caller, hash, public_part, same};
use crate::error::NodeError;
use crate::random::random_node_id;
use aigen_engine::EngineHandle;
use aigen_jarvis::Compiler;
use aigen_journal::{Journal, Stopped};
use aigen_network::{CloseCall, Command, Network, Outcome, Refusal, Reply};
use aigen_types::{Digest, ModelName, NodeId};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLockReadGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A model that this node runs.
pub struct Served {
    /// Where its tokens are computed.
    pub engine: EngineHandle,
    /// Compiles controllers for its vocabulary.
    pub compiler: Compiler,
}

/// A running node. Clones share it.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) id: NodeId,
    pub(crate) journal: Journal,
    pub(crate) models: BTreeMap<ModelName, Served>,
    /// Every call's own task; a call outlives the connection that asked for it.
    pub(crate) calls: TaskTracker,
    /// Told to every call when the node will wait no longer.
    pub(crate) stopping: CancellationToken,
}

impl Node {
    /// A node over its journal and its models. Calls that an earlier process left open are
    /// closed first: charged for what they had reported, the rest of their holds released.
    ///
    /// # Errors
    /// When the journal has stopped.
    pub async fn start(
        journal: Journal,
        models: BTreeMap<ModelName, Served>,
    ) -> Result<Self, Stopped> {
        let node = Self(Arc::new(Inner {
            id: random_node_id(),
            journal,
            models,
            calls: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }));
        let own = node.id();
        node.recover(|other| other != own).await?;
        Ok(node)
    }

    /// What the calls that it runs are marked with: drawn when it started.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.0.id
    }

    /// Closes the running calls of every node that is `lost`: charged for what they had
    /// reported, the rest of their holds released. A node on its own has lost every other one.
    ///
    /// # Errors
    /// When the journal has stopped.
    pub async fn recover(&self, lost: impl Fn(NodeId) -> bool) -> Result<(), Stopped> {
        let open: Vec<_> = self
            .network()
            .calls()
            .filter(|(_, call)| lost(call.node))
            .map(|(id, call)| (id, call.used))
            .collect();
        for (call, used) in open {
            let close = CloseCall {
                call,
                used,
                outcome: Outcome::Recovered,
                controller_micros: 0,
                decisions: Digest::ZERO,
            };
            let committed = self.0.journal.submit(Command::CloseCall(close)).await?;
            tracing::warn!(%call, result = ?committed.result, "closed a call that a stopped node left open");
        }
        Ok(())
    }

    /// The state after the last durable record. Hold the guard briefly.
    pub fn network(&self) -> RwLockReadGuard<'_, Network> {
        self.0.journal.network()
    }

    /// The journal's last durable record.
    #[must_use]
    pub fn journal_tip(&self) -> aigen_journal::Tip {
        self.0.journal.tip()
    }

    /// The models this node runs.
    #[must_use]
    pub fn models(&self) -> &BTreeMap<ModelName, Served> {
        &self.0.models
    }

    /// Checks a credential.
    ///
    /// # Errors
    /// [`NodeError::KeyWrong`] whatever is wrong with it.
    pub fn authenticate(&self, secret: &str) -> Result<Caller, NodeError> {
        let name = public_part(secret).ok_or(NodeError::KeyWrong)?;
        let given = hash(secret);
        let network = self.network();
        let key = network.key(&name).ok_or(NodeError::KeyWrong)?;
        if !same(&key.secret_hash, &given) || key.revoked {
            return Err(NodeError::KeyWrong);
        }
        Ok(Caller {
            key: name,
            account: key.account.clone(),
            spender: key.spender.clone(),
            role: key.role,
        })
    }

    /// Refuses new calls, waits up to `grace` for the running ones, then ends and settles them.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.calls.close();
        if tokio::time::timeout(grace, self.0.calls.wait())
            .await
            .is_err()
        {
            self.0.stopping.cancel();
            self.0.calls.wait().await;
        }
    }

    /// Calls that are running or being settled.
    #[must_use]
    pub fn running_calls(&self) -> usize {
        self.0.calls.len()
    }

    pub(crate) async fn submit(&self, command: Command) -> Result<Reply, NodeError> {
        let committed = self.0.journal.submit(command).await?;
        committed.result.map_err(NodeError::from)
    }
}

impl Inner {
    pub(crate) fn served(&self, model: &ModelName) -> Result<&Served, NodeError> {
        self.models.get(model).ok_or_else(|| {
            let names: Vec<_> = self.models.keys().map(ModelName::as_str).collect();
            NodeError::ModelUnknown {
                model: model.clone(),
                available: names.join(", "),
            }
        })
    }
}

/// What a refused call means to whoever asked for it.
pub(crate) fn call_refused(call: aigen_types::CallId, refusal: Refusal) -> NodeError {
    match refusal {
        Refusal::CallExists => NodeError::CallExists { call, same: true },
        Refusal::CallExistsWithDifferentRequest => NodeError::CallExists { call, same: false },
        other => NodeError::Refused(other),
    }
}
