use crate::admission::AdmissionLimits;
use crate::auth::{Caller, hash, public_part, same};
use crate::calls::Calls;
use crate::components::Components;
use crate::datasets::Datasets;
use crate::error::NodeError;
use crate::functions::Functions;
use crate::loading::{Loader, Loads};
use crate::observe::Observer;
use crate::outside::Grant;
use crate::random::random_node_id;
use crate::replays::{Replays, Shelf};
use crate::served::{Models, Served, ServedModels};
use crate::verification::Checker;
use aigen_journal::{Batch, Checkpoint, Journal, Role, Stopped};
use aigen_network::{
    CloseCall, Command, KeyLimits, Minute, Network, Outcome, Refusal, Reply, Scope, Steered,
};
use aigen_types::{CallId, Digest, ModelName, NodeId, Slug, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLockReadGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// How long the journal may take to write what waits when the node ends.
const JOURNAL_STOP_MAX: Duration = Duration::from_secs(10);

/// How a node is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// What the journal knows the node by.
    pub id: NodeId,
    /// Bounds of each of its models.
    pub admission: AdmissionLimits,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            id: random_node_id(),
            admission: AdmissionLimits::default(),
        }
    }
}

/// A running node. Clones share it.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) id: NodeId,
    pub(crate) journal: Journal,
    pub(crate) models: Models,
    pub(crate) functions: Functions,
    pub(crate) observer: OnceLock<Arc<dyn Observer>>,
    /// Lost calls that nobody has been told of.
    untold: Mutex<Vec<CallId>>,
    pub(crate) loader: OnceLock<Arc<dyn Loader>>,
    /// Without them, controllers that are components are neither published nor run.
    pub(crate) components: OnceLock<Components>,
    /// Without it, no controller asks the outside.
    pub(crate) grant: OnceLock<Grant>,
    /// Without them, no dataset is published or read here.
    pub(crate) datasets: OnceLock<Datasets>,
    /// Calls that can be run again.
    pub(crate) replays: Replays,
    /// Without it, they are forgotten with the process.
    pub(crate) shelf: OnceLock<Arc<dyn Shelf>>,
    pub(crate) checker: Checker,
    pub(crate) loads: Loads,
    /// Held by whoever changes the models.
    pub(crate) loading: tokio::sync::Mutex<()>,
    /// A call outlives the connection that asked for it.
    pub(crate) calls: Calls,
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
        Self::start_with(Setup::default(), journal, models).await
    }

    /// As [`Node::start`], set up otherwise than usual.
    ///
    /// # Errors
    /// When the journal has stopped.
    pub async fn start_with(
        setup: Setup,
        journal: Journal,
        models: BTreeMap<ModelName, Served>,
    ) -> Result<Self, Stopped> {
        let node = Self(Arc::new(Inner {
            id: setup.id,
            journal,
            models: Models::new(models, setup.admission),
            functions: Functions::default(),
            observer: OnceLock::new(),
            untold: Mutex::default(),
            loader: OnceLock::new(),
            components: OnceLock::new(),
            grant: OnceLock::new(),
            datasets: OnceLock::new(),
            replays: Replays::default(),
            shelf: OnceLock::new(),
            checker: Checker::default(),
            loads: Loads::default(),
            loading: tokio::sync::Mutex::default(),
            calls: Calls::default(),
            stopping: CancellationToken::new(),
        }));
        let own = node.id();
        match node.0.journal.role() {
            Role::Alone => node.recover(|other| other != own).await?,
            // Other nodes may be at work: whoever leads finds out which are not.
            Role::Leading { .. } | Role::Following { .. } => {
                tokio::spawn(recover_lost(node.clone()));
            }
        }
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
                steered: Steered::default(),
                // Only the node that ran it knew.
                counter: None,
            };
            let committed = self.0.journal.submit(Command::CloseCall(close)).await?;
            tracing::warn!(%call, result = ?committed.result, "closed a call that a stopped node left open");
            self.tell_lost(call);
        }
        Ok(())
    }

    /// The state after the last command applied. It may not be durable yet: an answer made of it
    /// waits for [`Node::durable`] before it leaves. Hold the guard briefly.
    pub fn network(&self) -> RwLockReadGuard<'_, Network> {
        self.0.journal.network()
    }

    /// Waits until everything that [`Node::network`] has shown so far is durable.
    ///
    /// # Errors
    /// When it never will be.
    pub async fn durable(&self) -> Result<(), NodeError> {
        Ok(self.0.journal.durable().await?)
    }

    /// Has [`Node::network`] show whatever any node of the same journal has answered by now: what
    /// was published, granted or revoked there is so here. Where the journal does not answer
    /// within a second, what this node knew has to do.
    pub async fn catch_up(&self) {
        self.0.journal.catch_up().await;
    }

    /// Whether this is what nodes of the same journal show each other.
    #[must_use]
    pub fn is_known(&self, secret: &str) -> bool {
        self.0.journal.knows(secret)
    }

    /// Writes a batch of commands that another node of the same journal forwards, and says in
    /// which record it stands.
    ///
    /// # Errors
    /// When it is no batch, or this node does not lead.
    pub async fn accept_batch(&self, bytes: &[u8]) -> Result<u64, NodeError> {
        let batch = Batch::from_bytes(bytes)
            .map_err(|error| NodeError::BatchUnreadable(error.to_string()))?;
        let accepted = self.0.journal.accept(batch).await;
        accepted.map_err(|_| NodeError::NotLeading)
    }

    /// What this node is in its ledger.
    #[must_use]
    pub fn role(&self) -> Role {
        self.0.journal.role()
    }

    /// The ledger's state at the end of a durable record, to be saved in the journal's store.
    ///
    /// # Errors
    /// When the journal has stopped.
    pub async fn checkpoint(&self) -> Result<Checkpoint, NodeError> {
        Ok(self.0.journal.checkpoint().await?)
    }

    /// Whether a command would be recorded soon.
    ///
    /// # Errors
    /// When the journal's store, or whoever leads, does not answer.
    pub fn reach_journal(&self) -> Result<(), NodeError> {
        if self.0.journal.is_reachable() {
            Ok(())
        } else {
            Err(NodeError::JournalUnreachable)
        }
    }

    /// The journal's last durable record.
    #[must_use]
    pub fn journal_tip(&self) -> aigen_journal::Tip {
        self.0.journal.tip()
    }

    /// The models that this node answers for now.
    #[must_use]
    pub fn models(&self) -> Arc<ServedModels> {
        self.0.models.list()
    }

    /// Bounds what each model has in hand from now on; who was let in stays.
    pub fn limit_admission(&self, limits: AdmissionLimits) {
        self.0.models.limit(limits);
    }

    /// Publishes and runs controllers that are components from now on. The first to run them stays.
    pub fn run_components(&self, components: Components) {
        let _ = self.0.components.set(components);
    }

    /// Tells of every call from now on, and of those that were lost before the start. The first observer
    /// stays.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        let _ = self.0.observer.set(observer);
        let untold = std::mem::take(&mut *self.untold());
        untold.into_iter().for_each(|call| self.tell_lost(call));
    }

    fn tell_lost(&self, call: CallId) {
        let receipt = self.network().receipt(call);
        match (self.0.observer.get(), receipt) {
            (Some(observer), Some(receipt)) => observer.lost(&receipt),
            (None, Some(_)) => self.untold().push(call),
            (_, None) => {}
        }
    }

    fn untold(&self) -> MutexGuard<'_, Vec<CallId>> {
        // No state between two changes of a list is a wrong one.
        self.0.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether new calls are refused because the node is to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.calls.is_closed()
    }

    /// Checks a credential.
    ///
    /// # Errors
    /// [`NodeError::KeyWrong`] whatever is wrong with it; whoever has the secret of a key that has ended
    /// is told so.
    pub fn authenticate(&self, secret: &str) -> Result<Caller, NodeError> {
        let name = public_part(secret).ok_or(NodeError::KeyWrong)?;
        let given = hash(secret);
        let network = self.network();
        let key = network.key(&name).ok_or(NodeError::KeyWrong)?;
        if !same(&key.secret_hash, &given) {
            return Err(NodeError::KeyWrong);
        }
        if key.revoked {
            return Err(Refusal::KeyRevoked.into());
        }
        let limits = network.keyring().limits.get(&name);
        let end = limits.and_then(|limits| limits.expires_at);
        if end.is_some_and(|end| end <= now()) {
            return Err(Refusal::KeyExpired.into());
        }
        Ok(Caller {
            key: name,
            account: key.account.clone(),
            spender: key.spender.clone(),
            role: key.role,
        })
    }

    /// Whether the caller's key may be used for one of these.
    ///
    /// # Errors
    /// [`NodeError::Forbidden`] where it is limited to other things.
    pub fn must_have(&self, caller: &Caller, scopes: &[Scope]) -> Result<(), NodeError> {
        let network = self.network();
        match network.keyring().limits.get(&caller.key) {
            Some(limits)
                if !limits.scopes.is_empty()
                    && !scopes.iter().any(|scope| limits.scopes.contains(scope)) =>
            {
                Err(NodeError::Forbidden(match scopes {
                    [Scope::Complete] => "its scopes do not include `complete`",
                    [Scope::Read] => "its scopes do not include `read`",
                    [Scope::Manage] => "its scopes do not include `manage`",
                    _ => "its scopes include neither `complete` nor `read`",
                }))
            }
            _ => Ok(()),
        }
    }

    /// What a key is limited to, and what it has used of that in this minute.
    #[must_use]
    pub fn key_rates(&self, key: &Slug) -> Option<(KeyLimits, Minute)> {
        let network = self.network();
        let limits = network.keyring().limits.get(key)?.clone();
        Some((limits, network.minute(now(), key)))
    }

    /// Refuses new calls, waits up to `grace` for the running ones, then ends and settles them. What is
    /// being loaded is given up.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.calls.close();
        let _ = tokio::time::timeout(grace, self.0.calls.wait()).await;
        self.0.stopping.cancel();
        self.0.calls.wait().await;
        // Everything is settled; a store that does not answer now keeps nobody waiting for ever.
        let _ = tokio::time::timeout(JOURNAL_STOP_MAX, self.0.journal.stop()).await;
    }

    /// Calls that are running or being settled.
    #[must_use]
    pub fn running_calls(&self) -> usize {
        self.0.calls.len()
    }

    pub(crate) async fn submit(&self, command: Command) -> Result<Reply, NodeError> {
        self.reach_journal()?;
        let committed = self.0.journal.submit(command).await?;
        committed.result.map_err(NodeError::from)
    }
}

/// By this machine's clock, which the ledger's follows.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }))
}

/// While this node leads, closes the running calls of nodes that are not heard of any more.
async fn recover_lost(node: Node) {
    let mut journal = node.0.journal.clone();
    while journal.changed().await.is_ok() {
        let Role::Leading { alive: Some(alive) } = journal.role() else {
            continue;
        };
        if node.recover(|other| !alive.contains(&other)).await.is_err() {
            return;
        }
    }
}

/// What a refused call means to whoever asked for it.
pub(crate) fn call_refused(call: CallId, refusal: Refusal) -> NodeError {
    match refusal {
        Refusal::CallExists => NodeError::CallExists { call, same: true },
        Refusal::CallExistsWithDifferentRequest => NodeError::CallExists { call, same: false },
        other => NodeError::Refused(other),
    }
}
