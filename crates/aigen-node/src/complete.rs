use crate::admission::Admitted;
use crate::auth::Caller;
use crate::error::NodeError;
use crate::limits::PIECES_BUFFERED_MAX;
use crate::metering::Meter;
use crate::node::Node;
use crate::prepare::Prepared;
use crate::remote::{Correction, Counting};
use crate::retrieval::{Citation, DatasetAsk};
use crate::running::{Events, Queued, Running};
use crate::steering::Steering;
use aigen_engine::sampler::Sampling;
use aigen_engine::text::TraceParent;
use aigen_engine::{ChatMessage, TokenId};
use aigen_jarvis::{Finish, Piece};
use aigen_network::Receipt;
use aigen_types::{Address, Amount, CallId, Digest, ModelName, Slug};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What is asked of a model.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// A conversation, put into the model's own chat template.
    Chat(Vec<ChatMessage>),
    /// Plain text to continue.
    Text(String),
    /// The same as tokens of the model's own, just as they are.
    Tokens(Vec<TokenId>),
}

/// One completion, resolved from whatever wire form it came in.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// From [`Caller::call_id`], or random: the same id is charged once.
    pub call: CallId,
    /// The running call that it is made within, whose payer and bound are its own.
    pub parent: Option<CallId>,
    /// Hash of the request's body, so that the same id with another body is noticed.
    pub request: Digest,
    /// Which model answers.
    pub model: ModelName,
    /// What it is asked.
    pub prompt: Prompt,
    /// Further prompts, each answered as if it had been asked by itself. The answers of all are one
    /// call: those of the first prompt come first, then those of the next. They read no datasets, and
    /// no other server computes them.
    pub others: Vec<Prompt>,
    /// Output tokens of one answer, at most; as many as the context leaves when absent.
    pub max_tokens: Option<u32>,
    /// What was wrong with answers before, as a model elsewhere is told that is asked again.
    pub corrections: Vec<Correction>,
    /// The most the call may cost, if its caller sets a bound.
    pub max_cost: Option<Amount>,
    /// For which end user of the key's spender it is.
    pub end_user: Option<Slug>,
    /// Which user pays, by an allowance; the key's account when absent.
    pub bill_to: Option<Address>,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stops: Vec<String>,
    /// How many alternatives to report per token.
    pub top_logprobs: Option<u8>,
    /// How many answers to each prompt; at least 1. It is computed and charged once for all of them.
    pub choices: u32,
    /// What steers it.
    pub steering: Steering,
    /// Whether the node keeps what it takes to run the call again, see [`Node::replay`].
    pub replay: bool,
    /// Whether the caller takes text that may yet be taken back, see [`Piece::retracted_bytes`].
    pub retract: bool,
    /// Whether pieces say what happened, step by step, see [`Piece::trace`].
    pub trace: bool,
    /// Datasets whose passages enter the prompt, at most 8.
    pub datasets: Vec<DatasetAsk>,
    /// Which span asks, as an upstream is told.
    pub traceparent: Option<TraceParent>,
}

/// What a running call produces.
#[derive(Debug)]
pub enum CallEvent {
    /// Text that can no longer be taken back.
    Piece {
        /// Of which answer, from 0.
        choice: u32,
        /// The text.
        piece: Piece,
    },
    /// The last event: captured and recorded.
    Ended(Box<Ended>),
}

/// How one of several answers ended.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedChoice {
    /// Why generation ended.
    pub finish: Finish,
    /// Whether a grammar was complete; `None` without one.
    pub grammar_complete: Option<bool>,
    /// Whether it was completed because tokens or money were about to end.
    pub closed_early: bool,
    /// What the controller said in the end, as JSON.
    pub outcome: Option<String>,
    /// What it put beside the text: names and JSON.
    pub results: BTreeMap<String, String>,
}

/// How a call ended and what it came to.
#[derive(Debug)]
pub struct Ended {
    /// Why generation ended; of several answers, the reason that says most: a fault before all others.
    pub finish: Finish,
    /// Every answer by itself.
    pub choices: Vec<EndedChoice>,
    /// Whether a grammar was complete; `None` without one.
    pub grammar_complete: Option<bool>,
    /// Of the tokens kept, those that a model which reasons first said before its answer.
    pub reasoning_tokens: u64,
    /// Whether it can be run again; `None` where nobody asked for that.
    pub replayable: Option<bool>,
    /// The passages of datasets that were in its prompt, in their order.
    pub citations: Vec<Citation>,
    /// How its tokens were counted.
    pub counting: Counting,
    /// From its request until its first token; `None` if there was none.
    pub first_token: Option<Duration>,
    /// What was charged, or the journal's failure to say so.
    pub receipt: Result<Arc<Receipt>, NodeError>,
}

impl Node {
    /// Begins a completion: quote, then hold, then decode.
    ///
    /// Whoever waits for the call's events drives it: holds, meters and settles. Dropping the returned future
    /// or the [`Running`] at any point ends the call and captures exactly what was produced, in a task
    /// of its own.
    ///
    /// # Errors
    /// Everything that can be known before the first token; nothing is charged then.
    pub async fn complete(
        &self,
        caller: &Caller,
        request: impl Into<Box<CompletionRequest>>,
    ) -> Result<Running, NodeError> {
        let mut queued = self.queue(caller, request).await?;
        queued.began().await?;
        Ok(queued.running)
    }

    /// As [`Node::complete`], for callers with something to do while the call waits.
    ///
    /// # Errors
    /// Everything that can be known before the waiting line; nothing is charged then.
    pub async fn queue(
        &self,
        caller: &Caller,
        request: impl Into<Box<CompletionRequest>>,
    ) -> Result<Queued, NodeError> {
        let request = request.into();
        if self.0.calls.is_closed() {
            return Err(NodeError::ShuttingDown);
        }
        let model = request.model.clone();
        let entered = self.enter(caller, request).await;
        entered.inspect_err(|error| self.tell_refused(&model, error))
    }

    /// Why nobody is left who would say how a call went on.
    pub(crate) fn left_alone(&self) -> NodeError {
        match self.0.stopping.is_cancelled() {
            true => NodeError::ShuttingDown,
            false => NodeError::Engine("the task that ran the call ended too early".to_owned()),
        }
    }

    pub(crate) fn tell_refused(&self, model: &ModelName, error: &NodeError) {
        if let Some(observer) = self.0.observer.get() {
            observer.refused(model, error);
        }
    }

    async fn enter(
        &self,
        caller: &Caller,
        request: Box<CompletionRequest>,
    ) -> Result<Queued, NodeError> {
        self.serving(&request.model)?;
        let admitted = self.0.models.gate(&request.model).enter(&caller.key)?;
        let prepared = self.prepare(caller, request).await?;
        let mut queued = self.attend(admitted, prepared)?;
        queued.set_out().await;
        Ok(queued)
    }

    /// A call that is ready to be driven.
    fn attend(&self, mut admitted: Admitted, prepared: Box<Prepared>) -> Result<Queued, NodeError> {
        admitted.wait_with(prepared.open.prompt_tokens)?;
        if prepared.work.is_queued() {
            admitted.join_line()?;
        }
        let (call, model) = (prepared.open.call, prepared.open.model.clone());
        let (controller, prompt_tokens) = (prepared.open.controller, prepared.open.prompt_tokens);
        let (pieces, events) = mpsc::channel(PIECES_BUFFERED_MAX);
        let (started, began) = oneshot::channel();
        let (settle, settled) = oneshot::channel();
        let meter = Box::new(Meter::new(self.clone(), *prepared, admitted));
        let work = self.0.calls.attend(meter.run(started, pieces, settle));
        let running = Running {
            call,
            controller,
            prompt_tokens,
            events: Events::of(events, work),
            settled: Some(settled),
        };
        Ok(Queued::of(running, began, self.clone(), model))
    }
}
