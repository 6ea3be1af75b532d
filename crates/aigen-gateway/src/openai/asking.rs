//! The call that answers a request, or several: a function on a model that nobody holds to its type is
//! asked again where the answer is of another. Each is a call with a hold and a receipt of its own.

use super::parting::Parting;
use crate::access::Access;
use crate::extract::Post;
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_node::{
    CallEvent, Caller, CompletionRequest, Correction, Ended, EngineError, Fault, Finish, Node,
    NodeError, Queued, Running, Served, Steering, TextFault, random_call_id,
};
use aigen_types::{Amount, CallId};
use futures::future::BoxFuture;
use std::collections::VecDeque;

/// Calls of a request that were charged and gave no value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    pub calls: Vec<CallId>,
    pub cost: Amount,
}

impl Before {
    /// A failure of a later call says which were before it.
    pub fn named_in(&self, failure: Failure) -> Failure {
        if self.calls.is_empty() {
            return failure;
        }
        let calls = self.calls.iter().map(CallId::to_string);
        failure
            .metadata("asked_before", calls.collect::<Vec<_>>())
            .retry(false)
    }

    /// A refusal to ask again says what was charged all the same.
    pub fn charged_in(&self, failure: Failure) -> Failure {
        let failure = self.named_in(failure);
        match self.calls.is_empty() {
            true => failure,
            false => failure.metadata("cost", self.cost.to_string()),
        }
    }
}

/// A request on its way to the end of its last call. Dropping it ends the call that runs.
pub(crate) struct Asking {
    queued: Queued,
    stage: Stage,
    /// Heard and not yet told.
    heard: VecDeque<CallEvent>,
    /// `None`: whatever comes is the answer, and told as it comes.
    again: Option<Box<Again>>,
    parting: Parting,
}

enum Stage {
    /// In the line, until its hold is durable and it has its turn.
    Line,
    /// An answer that is not told before it is known to be one.
    Hearing,
    /// The next call is on its way to the line.
    Next(BoxFuture<'static, Result<Queued, NodeError>>),
    Ready,
}

impl Asking {
    pub fn new(mut queued: Queued, access: Access, again: Option<Box<Again>>) -> Self {
        Self {
            parting: Parting {
                access,
                settled: queued.running.settled.take(),
            },
            queued,
            stage: Stage::Line,
            heard: VecDeque::new(),
            again,
        }
    }

    /// The last call.
    pub fn running(&self) -> &Running {
        &self.queued.running
    }

    pub fn before(&self) -> Before {
        let before = self.again.as_ref().map(|again| again.before.clone());
        before.unwrap_or_default()
    }

    /// Waits until there is something to tell: until the call has its turn, or the answer was verified,
    /// where it has to be. May be dropped and called again as long as it has not answered.
    ///
    /// # Errors
    /// Why a call did not begin: the first, and nothing is charged, or one after those [`Before`].
    pub async fn ready(&mut self) -> Result<(), NodeError> {
        loop {
            self.stage = match &mut self.stage {
                Stage::Ready => return Ok(()),
                Stage::Line => {
                    self.queued.began().await?;
                    match self.again {
                        Some(_) => Stage::Hearing,
                        None => Stage::Ready,
                    }
                }
                Stage::Hearing => match self.queued.running.events.recv().await {
                    Some(CallEvent::Ended(ended)) => self.ended(ended),
                    Some(piece) => {
                        self.heard.push_back(piece);
                        Stage::Hearing
                    }
                    None => Stage::Ready,
                },
                Stage::Next(next) => {
                    self.queued = next.await?;
                    self.parting.settled = self.queued.running.settled.take();
                    Stage::Line
                }
            };
        }
    }

    fn ended(&mut self, ended: Box<Ended>) -> Stage {
        let call = self.queued.running.call;
        let again = self.again.as_mut();
        if let Some(next) = again.and_then(|again| again.after(call, &ended)) {
            let spent = self.before().cost;
            self.heard.clear();
            self.parting.settled = None;
            self.parting.access.note(|facts| {
                facts.cost_before = spent;
                facts.cost = Some(spent);
            });
            return Stage::Next(next);
        }
        self.heard.push_back(CallEvent::Ended(ended));
        Stage::Ready
    }

    /// Whether it is known already that there is no answer.
    pub fn has_failed(&self) -> bool {
        let is_fault = |finish: &Finish| matches!(finish, Finish::Fault(_));
        matches!(self.heard.back(), Some(CallEvent::Ended(ended)) if is_fault(&ended.finish))
    }

    /// What the last call says next, once it is ready.
    pub async fn next(&mut self) -> Option<CallEvent> {
        match self.heard.pop_front() {
            Some(event) => Some(event),
            None => self.queued.running.events.recv().await,
        }
    }

    /// The same of what is there.
    pub async fn next_now(&mut self) -> Option<CallEvent> {
        match self.heard.pop_front() {
            Some(event) => Some(event),
            None => self.queued.running.events.recv_now().await,
        }
    }
}

/// What it takes to ask again.
pub(crate) struct Again {
    node: Node,
    caller: Caller,
    /// The call that was asked last.
    request: CompletionRequest,
    /// The request's `Idempotency-Key`, of which those of further calls are made.
    key: Option<String>,
    /// What all calls may cost together.
    max_cost: Option<Amount>,
    /// How often it may be asked again.
    left: u32,
    before: Before,
}

impl Again {
    /// For a function on a model elsewhere; nothing else is asked twice.
    pub fn of<T>(
        gateway: &Gateway,
        post: &Post<T>,
        served: &Served,
        request: &CompletionRequest,
    ) -> Option<Box<Self>> {
        let (Steering::Controller { name, .. }, Served::Remote(_)) = (&request.steering, served)
        else {
            return None;
        };
        let (_, function) = gateway.node.function(name).ok()?;
        Some(Box::new(Self {
            node: gateway.node.clone(),
            caller: post.caller.clone(),
            request: request.clone(),
            key: post.idempotency_key.clone(),
            max_cost: request.max_cost,
            left: function.retries,
            before: Before::default(),
        }))
    }

    /// How often that is, at most.
    pub fn times(&self) -> u32 {
        self.left
    }

    /// The next call, where one ended without an answer by its upstream's fault, and may be repeated.
    fn after(
        &mut self,
        call: CallId,
        ended: &Ended,
    ) -> Option<BoxFuture<'static, Result<Queued, NodeError>>> {
        let Finish::Fault(Fault::Engine(EngineError::Upstream(fault))) = &ended.finish else {
            return None;
        };
        let cost = ended.receipt.as_ref().ok()?.total();
        let spent = self.before.cost.saturating_add(cost);
        if self.left == 0 || self.max_cost.is_some_and(|most| spent >= most) {
            return None;
        }
        self.left -= 1;
        self.before.calls.push(call);
        self.before.cost = spent;
        self.change(fault);
        let (node, caller, request) =
            (self.node.clone(), self.caller.clone(), self.request.clone());
        Some(Box::pin(async move { node.queue(&caller, request).await }))
    }

    fn change(&mut self, fault: &TextFault) {
        let request = &mut self.request;
        let number = self.before.calls.len();
        let key = self.key.as_ref().map(|key| key_of(key, number));
        let named = key.map(|key| self.caller.call_id(&key));
        request.call = named.unwrap_or_else(random_call_id);
        let spent = self.before.cost;
        request.max_cost = self.max_cost.map(|most| most.saturating_sub(spent));
        // Another answer than the last, where chance decides.
        request.sampling.seed = request.sampling.seed.wrapping_add(1);
        if let TextFault::Schema { reason, said } = fault {
            request.corrections.push(Correction {
                said: said.0.clone(),
                why: reason.clone(),
            });
        }
    }
}

/// The calls after a request's first one, by its `Idempotency-Key`.
pub(super) fn later_calls<'a>(
    caller: &'a Caller,
    key: &'a str,
    most: u32,
) -> impl Iterator<Item = CallId> + 'a {
    let numbers = 1..=most as usize;
    numbers.map(|number| caller.call_id(&key_of(key, number)))
}

fn key_of(key: &str, number: usize) -> String {
    format!("{key}/again/{number}")
}
