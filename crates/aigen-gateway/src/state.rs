use crate::limits::KEEP_ALIVE;
use crate::metrics::Metrics;
use crate::replies::Replies;
use crate::trace::Spans;
use aigen_node::Node;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a gateway serves, and how.
#[derive(Clone)]
pub struct GatewayState {
    /// The node behind it.
    pub node: Node,
    /// Silence after which a stream carries a comment; 10 seconds unless set.
    pub keep_alive: Duration,
    /// Who is told of every finished request; nobody unless set.
    pub spans: Option<Arc<dyn Spans>>,
    /// Whether the configuration file says what cannot be, so that what it said before holds.
    pub config_rejected: Arc<AtomicBool>,
    /// Whether the models that the node starts with are still being loaded.
    pub starting: Arc<AtomicBool>,
    /// Origins, like `https://app.example`, whose web pages may ask; none unless set.
    pub origins: Arc<[String]>,
}

impl GatewayState {
    /// A gateway to `node` with the usual settings.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self {
            node,
            keep_alive: KEEP_ALIVE,
            spans: None,
            config_rejected: Arc::default(),
            starting: Arc::default(),
            origins: Arc::default(),
        }
    }
}

/// What every handler can reach: one count to clone it, which a request does some ten times.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Shared>);

pub(crate) struct Shared {
    pub node: Node,
    pub keep_alive: Duration,
    pub spans: Option<Arc<dyn Spans>>,
    pub config_rejected: Arc<AtomicBool>,
    pub starting: Arc<AtomicBool>,
    pub replies: Arc<Replies>,
    pub metrics: Arc<Metrics>,
}

impl From<GatewayState> for Gateway {
    fn from(state: GatewayState) -> Self {
        let GatewayState {
            node,
            keep_alive,
            spans,
            config_rejected,
            starting,
            origins: _,
        } = state;
        let replies = Arc::default();
        let metrics = Arc::new(Metrics::new());
        node.observe(metrics.clone());
        Self(Arc::new(Shared {
            node,
            keep_alive,
            spans,
            config_rejected,
            starting,
            replies,
            metrics,
        }))
    }
}

impl Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
