//! Calls that can be run again without the model, for those who asked for that: the last few in
//! memory, and all of them on a shelf, if the node has one, until they are too old or too many. A
//! prompt is nobody's business who did not ask, and nothing of it is stored.

mod form;

use crate::error::NodeError;
use crate::limits::{REPLAYS_KEPT_BYTES_MAX, REPLAYS_KEPT_MAX};
use crate::node::Node;
use crate::served::Served;
use crate::steering::Steering;
use aigen_engine::Tokenizer;
use aigen_jarvis::{Choice, Log, Program, Reasoning, Replayed, replay};
use aigen_types::{CallId, ModelName};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Where what runs calls again outlives the process. Everything here may block for as long as a
/// disk takes.
pub trait Shelf: Send + Sync {
    /// Keeps this of a call, readable on `Ok`; what is oldest makes room for it.
    ///
    /// # Errors
    /// Why it is not kept.
    fn keep(&self, call: CallId, bytes: &[u8]) -> Result<(), String>;

    /// What is kept of a call.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn find(&self, call: CallId) -> Result<Option<Vec<u8>>, String>;

    /// Whether anything is.
    fn has(&self, call: CallId) -> bool;
}

/// What runs a call again, beside its log.
#[derive(Clone)]
pub(crate) struct Again {
    pub program: Program,
    pub tokenizer: Arc<dyn Tokenizer>,
}

/// What makes the program of a call once more.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub model: ModelName,
    /// A published controller goes by its digest: its name may mean another version later.
    pub steering: Steering,
    /// What was asked last, which is what a script goes by.
    pub question: String,
    pub reasoning: Option<Reasoning>,
}

struct Kept {
    call: CallId,
    again: Again,
    log: Box<Log>,
    bytes: usize,
}

/// The last calls that asked for it.
#[derive(Default)]
pub(crate) struct Replays(Mutex<VecDeque<Arc<Kept>>>);

impl Replays {
    fn keep(&self, call: CallId, again: Again, log: Box<Log>) {
        let bytes = weight(&log);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(Arc::new(Kept {
            call,
            again,
            log,
            bytes,
        }));
        let mut total: usize = kept.iter().map(|kept| kept.bytes).sum();
        while kept.len() > REPLAYS_KEPT_MAX || total > REPLAYS_KEPT_BYTES_MAX {
            total -= kept.pop_front().map_or(total, |oldest| oldest.bytes);
        }
    }

    fn find(&self, call: CallId) -> Option<Arc<Kept>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.call == call).cloned()
    }
}

/// Bytes, about.
fn weight(log: &Log) -> usize {
    let choices = log.branches.iter().flatten().map(|choice| match choice {
        Choice::Sampled { top, .. } => 48 + top.len() * 8,
        Choice::Steered => 48,
    });
    let answers = log.exchanges.iter().map(|exchange| {
        let answer = exchange.answer.as_ref();
        64 + answer.map_or(0, aigen_jarvis::Answer::size)
    });
    let texts = log.argument.len() + log.messages.len();
    let numbers = log.prompt.len() * 4 + log.left.len() * 8;
    texts + numbers + choices.sum::<usize>() + answers.sum::<usize>()
}

impl Node {
    /// Keeps what runs calls again on this shelf from now on. The first shelf stays.
    pub fn keep_replays(&self, shelf: Arc<dyn Shelf>) {
        let _ = self.0.shelf.set(shelf);
    }

    /// Whether a call can be run again, as far as this node knows.
    #[must_use]
    pub fn can_replay(&self, call: CallId) -> bool {
        self.0.replays.find(call).is_some()
            || self.0.shelf.get().is_some_and(|shelf| shelf.has(call))
    }

    /// Keeps a call to be run again. Blocks for as long as the shelf's disk takes.
    pub(crate) fn keep_replay(&self, call: CallId, again: Again, recipe: &Recipe, log: Box<Log>) {
        if let Some(shelf) = self.0.shelf.get() {
            let kept = shelf.keep(call, &form::to_bytes(recipe, &log));
            if let Err(error) = kept {
                tracing::error!(%call, error, "what would run a call again is kept in memory only");
            }
        }
        self.0.replays.keep(call, again, log);
    }

    /// Runs a call again without the model: its controller decides anew, over what the model chose
    /// then and what the outside answered.
    ///
    /// # Errors
    /// When it did not ask to be kept or is too long ago, or its controller does not open.
    pub async fn replay(&self, call: CallId) -> Result<Replayed, NodeError> {
        let node = self.clone();
        let run = move || {
            let kept = node.find_replay(call)?;
            let Again { program, tokenizer } = &kept.again;
            replay(Arc::clone(tokenizer), program, &kept.log).map_err(NodeError::unopened)
        };
        let ran = tokio::task::spawn_blocking(run).await;
        ran.map_err(|_| NodeError::ShuttingDown)?
    }

    fn find_replay(&self, call: CallId) -> Result<Arc<Kept>, NodeError> {
        if let Some(kept) = self.0.replays.find(call) {
            return Ok(kept);
        }
        let shelf = self.0.shelf.get().ok_or(NodeError::NotKept(call))?;
        let unreadable = |reason| NodeError::ReplayUnreadable { call, reason };
        let bytes = shelf.find(call).map_err(unreadable)?;
        let bytes = bytes.ok_or(NodeError::NotKept(call))?;
        let (recipe, log) = form::from_bytes(&bytes).map_err(unreadable)?;
        Ok(Arc::new(Kept {
            call,
            again: self.again(&recipe)?,
            log: Box::new(log),
            bytes: bytes.len(),
        }))
    }

    /// The program once more, which asks nobody.
    fn again(&self, recipe: &Recipe) -> Result<Again, NodeError> {
        let served = self.serving(&recipe.model)?;
        let Served::Embedded(embedded) = &*served else {
            return Err(NodeError::Steering(format!(
                "the model `{}` is computed elsewhere now",
                recipe.model
            )));
        };
        let prompt = crate::Prompt::Text(recipe.question.clone());
        let steered = self.steer(embedded, &recipe.steering, &prompt, None)?;
        Ok(Again {
            program: match recipe.reasoning.clone() {
                Some(marks) => steered.program.after_reasoning(marks),
                None => steered.program,
            },
            tokenizer: embedded.engine.tokenizer(),
        })
    }
}
