use super::asking::later_calls;
use crate::extract::Post;
use crate::failure::Failure;
use crate::replies::{OtherRequest, Reply, Sameness};
use crate::state::Gateway;
use aigen_node::FUNCTION_RETRIES_MAX;
use aigen_node::{NodeError, random_call_id};
use aigen_types::CallId;
use axum::response::{IntoResponse, Response};

/// Which call a request is: with an `Idempotency-Key` the same one at every retry.
pub(super) struct Once {
    pub call: CallId,
    /// Whether the caller can ask for the same call again.
    named: bool,
    sameness: Sameness,
}

impl Once {
    pub fn of<T>(post: &Post<T>, route: &'static str) -> Self {
        let key = post.idempotency_key.as_deref();
        let named = key.map(|key| post.caller.call_id(key));
        Self {
            call: named.unwrap_or_else(random_call_id),
            named: named.is_some(),
            sameness: Sameness {
                key: post.caller.key.clone(),
                route,
                body: post.digest,
            },
        }
    }

    /// The reply to the same request, if it was answered before.
    pub fn kept(&self, gateway: &Gateway) -> Result<Option<Reply>, Failure> {
        if !self.named {
            return Ok(None);
        }
        let call = self.call;
        let found = gateway.replies.find(call, &self.sameness);
        found.map_err(|OtherRequest| NodeError::CallExists { call, same: false }.into())
    }

    /// The journal knows the call: its reply is kept, or gone, or still to come.
    pub fn again<T>(&self, gateway: &Gateway, post: &Post<T>) -> Result<Response, Failure> {
        if let Some(reply) = self.kept(gateway)? {
            return Ok(reply.into_response());
        }
        let call = self.call;
        let network = gateway.node.network();
        // Of a request that is asked again the first call is over long before the last.
        let key = post.idempotency_key.as_deref().unwrap_or_default();
        let mut later = later_calls(&post.caller, key, FUNCTION_RETRIES_MAX);
        let runs = later.any(|call| network.call(call).is_some());
        if network.has_receipt(call) && !runs {
            return Err(Failure::reply_gone(call));
        }
        Err(NodeError::CallExists { call, same: true }.into())
    }

    /// Whether a reply will be asked for again.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// For the next time.
    pub fn keep(self, gateway: &Gateway, reply: &Reply) {
        if self.named {
            gateway
                .replies
                .keep(self.call, self.sameness, reply.clone());
        }
    }
}
