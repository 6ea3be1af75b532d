//! Calls that can be run again without the model, for those who asked for that: the last few, in
//! memory. A prompt is nobody's business who did not ask, and nothing of it is stored.

use crate::error::NodeError;
use crate::limits::{REPLAYS_KEPT_BYTES_MAX, REPLAYS_KEPT_MAX};
use crate::node::Node;
use aigen_engine::Tokenizer;
use aigen_jarvis::{Choice, Log, Program, Replayed, replay};
use aigen_types::CallId;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// What runs a call again, beside its log.
#[derive(Clone)]
pub(crate) struct Again {
    pub program: Program,
    pub tokenizer: Arc<dyn Tokenizer>,
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
    pub fn keep(&self, call: CallId, again: Again, log: Box<Log>) {
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
    let texts = log.argument.len() + log.messages.len();
    texts + log.prompt.len() * 4 + log.left.len() * 8 + choices.sum::<usize>()
}

impl Node {
    /// Runs a call again without the model: its controller decides anew, over what the model chose
    /// then.
    ///
    /// # Errors
    /// When it did not ask to be kept or is too long ago, or its controller does not open.
    pub async fn replay(&self, call: CallId) -> Result<Replayed, NodeError> {
        let kept = self.0.replays.find(call).ok_or(NodeError::NotKept(call))?;
        let run = move || {
            let Again { program, tokenizer } = &kept.again;
            replay(Arc::clone(tokenizer), program, &kept.log)
        };
        let ran = tokio::task::spawn_blocking(run).await;
        let ran = ran.map_err(|_| NodeError::ShuttingDown)?;
        ran.map_err(NodeError::ControllerFault)
    }
}
