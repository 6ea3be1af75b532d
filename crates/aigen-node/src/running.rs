//! A call on its way, in the hands of whoever waits for it.

use crate::calls::{Attended, Driven};
use crate::complete::CallEvent;
use crate::error::NodeError;
use crate::node::Node;
use aigen_network::Receipt;
use aigen_types::{CallId, Digest, ModelName};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll::{self, Pending, Ready};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

/// A call whose first hold is durable. It goes on as its events are waited for. Dropping it cancels the
/// call; it is settled all the same.
#[derive(Debug)]
pub struct Running {
    /// The call.
    pub call: CallId,
    /// The controller version that steers it, if a published one does.
    pub controller: Option<Digest>,
    /// Its prompt tokens; where other servers count them, the most there can be.
    pub prompt_tokens: u64,
    /// What it produces, ending with one [`CallEvent::Ended`].
    pub events: Events,
    /// What it came to, for whoever takes this and whether or not its events are read.
    pub settled: Option<oneshot::Receiver<Arc<Receipt>>>,
}

/// What a call produces, for whoever drives it.
#[derive(Debug)]
pub struct Events {
    said: mpsc::Receiver<CallEvent>,
    // Dropped last: what goes on in a task of its own finds nobody listening.
    work: Attended,
}

impl Events {
    pub(crate) fn of(said: mpsc::Receiver<CallEvent>, work: Attended) -> Self {
        Self { said, work }
    }

    /// What comes next. Nothing is lost if it is dropped before that.
    pub async fn recv(&mut self) -> Option<CallEvent> {
        poll_fn(|waiting| self.poll(waiting)).await
    }

    /// What comes next, if it is there.
    pub async fn recv_now(&mut self) -> Option<CallEvent> {
        let next = poll_fn(|waiting| Ready(self.poll(waiting))).await;
        match next {
            Ready(event) => event,
            Pending => None,
        }
    }

    fn poll(&mut self, waiting: &mut Context<'_>) -> Poll<Option<CallEvent>> {
        if let Ok(event) = self.said.try_recv() {
            return Ready(Some(event));
        }
        match self.work.drive(waiting) {
            // What is said is said by driving: who does that need not be woken for it.
            Driven::Here => self
                .said
                .try_recv()
                .map_or(Pending, |event| Ready(Some(event))),
            Driven::Elsewhere => self.said.poll_recv(waiting),
        }
    }
}

/// A call that was let in and waits for its hold and for its turn. Dropping it cancels the call; it is
/// settled all the same.
pub struct Queued {
    /// What will run.
    pub running: Running,
    began: oneshot::Receiver<Result<(), NodeError>>,
    node: Node,
    model: ModelName,
}

impl Queued {
    pub(crate) fn of(
        running: Running,
        began: oneshot::Receiver<Result<(), NodeError>>,
        node: Node,
        model: ModelName,
    ) -> Self {
        Self {
            running,
            began,
            node,
            model,
        }
    }

    /// Goes as far as it can without waiting, so that its hold and its work are on their way.
    pub(crate) async fn set_out(&mut self) {
        poll_fn(|waiting| {
            self.running.events.work.drive(waiting);
            Ready(())
        })
        .await;
    }

    /// Waits until its hold is durable and it left the waiting line. May be dropped and called again as
    /// long as it has not answered.
    ///
    /// # Errors
    /// Why it will never begin; nothing is charged then.
    pub async fn began(&mut self) -> Result<(), NodeError> {
        let began = poll_fn(|waiting| self.poll_began(waiting));
        let began = began.await.unwrap_or_else(|| Err(self.node.left_alone()));
        began.inspect_err(|error| self.node.tell_refused(&self.model, error))
    }

    /// `None`: nobody is left to say it.
    fn poll_began(&mut self, waiting: &mut Context<'_>) -> Poll<Option<Result<(), NodeError>>> {
        if let Ready(began) = self.began_now() {
            return Ready(began);
        }
        match self.running.events.work.drive(waiting) {
            // As with events.
            Driven::Here => self.began_now(),
            Driven::Elsewhere => Pin::new(&mut self.began).poll(waiting).map(Result::ok),
        }
    }

    fn began_now(&mut self) -> Poll<Option<Result<(), NodeError>>> {
        match self.began.try_recv() {
            Ok(began) => Ready(Some(began)),
            Err(TryRecvError::Closed) => Ready(None),
            Err(TryRecvError::Empty) => Pending,
        }
    }
}
