use crate::limits::KEEP_ALIVE;
use crate::metrics::Metrics;
use crate::replies::Replies;
use aigen_node::Node;
use std::sync::Arc;
use std::time::Duration;

/// What a gateway serves, and how.
#[derive(Clone)]
pub struct GatewayState {
    /// The node behind it.
    pub node: Node,
    /// Silence after which a stream carries a comment; 10 seconds unless set.
    pub keep_alive: Duration,
}

impl GatewayState {
    /// A gateway to `node` with the usual settings.
    #[must_use]
    pub fn new(node: Node) -> Self {
        let keep_alive = KEEP_ALIVE;
        Self { node, keep_alive }
    }
}

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub node: Node,
    pub keep_alive: Duration,
    pub replies: Arc<Replies>,
    pub metrics: Arc<Metrics>,
}

impl From<GatewayState> for Gateway {
    fn from(state: GatewayState) -> Self {
        let GatewayState { node, keep_alive } = state;
        let replies = Arc::default();
        let metrics = Arc::new(Metrics::new());
        node.observe(metrics.clone());
        Self {
            node,
            keep_alive,
            replies,
            metrics,
        }
    }
}
