//! Texts to vectors: quote, hold, compute, capture, in a task that outlives its connection.

use crate::admission::Admitted;
use crate::auth::Caller;
use crate::error::NodeError;
use crate::node::{Node, call_refused};
use crate::observe::Observed;
use crate::served::Served;
use aigen_economy::Usage;
use aigen_engine::{Embedder, TokenId};
use aigen_network::{CloseCall, Command, Counter, OpenCall, Outcome, Receipt, Steered};
use aigen_types::{Address, Amount, CallId, Digest, ModelName, Slug};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Texts that are to become vectors.
#[derive(Clone, Debug)]
pub struct EmbeddingRequest {
    /// As [`crate::CompletionRequest::call`].
    pub call: CallId,
    /// Hash of the request's body.
    pub request: Digest,
    /// Which model.
    pub model: ModelName,
    /// At least one, none empty.
    pub texts: Vec<String>,
    /// The most the call may cost.
    pub max_cost: Option<Amount>,
    /// For which end user of the key's spender it is.
    pub end_user: Option<Slug>,
    /// Which user pays, by an allowance; the key's account when absent.
    pub bill_to: Option<Address>,
}

/// What became of them.
#[derive(Debug)]
pub struct Embedded {
    /// One for each text, in order.
    pub vectors: Vec<Vec<f32>>,
    /// What it came to.
    pub receipt: Receipt,
}

/// A request whose texts are counted.
struct Counted {
    embedder: Arc<dyn Embedder>,
    open: OpenCall,
    texts: Vec<Vec<TokenId>>,
}

impl Node {
    /// Turns texts into vectors. Dropping the returned future before they are computed leaves them
    /// uncomputed and uncharged.
    ///
    /// # Errors
    /// Everything that can be known before anything is computed, and the engine's failure; nothing is
    /// charged then.
    pub async fn embed(
        &self,
        caller: &Caller,
        request: EmbeddingRequest,
    ) -> Result<Embedded, NodeError> {
        if self.0.calls.is_closed() {
            return Err(NodeError::ShuttingDown);
        }
        let served = self.serving(&request.model)?;
        let Served::Embedder(embedder) = &*served else {
            return Err(NodeError::Unsupported {
                param: "model",
                model: request.model,
                reason: "it writes text, and makes no vectors",
            });
        };
        let mut admitted = self.0.models.gate(&request.model).enter(&caller.key)?;
        let counted = self.count(embedder, caller.key.clone(), request).await?;
        admitted.wait_with(counted.open.prompt_tokens)?;
        let (tell, told) = oneshot::channel();
        let node = self.clone();
        self.0.calls.spawn(async move {
            let embedded = node.hold_and_embed(counted, admitted, &tell).await;
            let _ = tell.send(embedded);
        });
        told.await.unwrap_or(Err(NodeError::ShuttingDown))
    }

    async fn count(
        &self,
        embedder: &Arc<dyn Embedder>,
        key: Slug,
        request: EmbeddingRequest,
    ) -> Result<Counted, NodeError> {
        let (embedder, node) = (Arc::clone(embedder), self.id());
        let counting = tokio::task::spawn_blocking(move || {
            let tokenizer = embedder.tokenizer();
            let texts = request.texts.iter();
            let texts: Vec<_> = texts
                .map(|text| tokenizer.encode(text, false, true))
                .collect();
            texts
                .iter()
                .try_for_each(|text| embedder.info().check(text))?;
            let prompt_tokens = texts.iter().map(|text| text.len() as u64).sum();
            let open = OpenCall {
                call: request.call,
                key,
                model: request.model,
                controller: None,
                prompt_tokens,
                // A call holds for one token of output at least; none will come.
                chunk_tokens: 1,
                budget: request.max_cost,
                request: request.request,
                node,
                least_tokens: 1,
                end_user: request.end_user,
                bill_to: request.bill_to,
                reads: Vec::new(),
            };
            Ok(Counted {
                embedder,
                open,
                texts,
            })
        });
        counting.await.map_err(|_| NodeError::ShuttingDown)?
    }

    async fn hold_and_embed(
        &self,
        counted: Counted,
        mut admitted: Admitted,
        tell: &oneshot::Sender<Result<Embedded, NodeError>>,
    ) -> Result<Embedded, NodeError> {
        let Counted {
            embedder,
            open,
            texts,
        } = counted;
        let (call, prompt_tokens) = (open.call, open.prompt_tokens);
        let began = Instant::now();
        self.reach_journal()?;
        let opened = self.0.journal.submit(Command::OpenCall(open)).await?;
        opened
            .result
            .map_err(|refusal| call_refused(call, refusal))?;
        let computed = if tell.is_closed() {
            Err(NodeError::ShuttingDown)
        } else {
            let computing = tokio::task::spawn_blocking(move || {
                admitted.begin();
                embedder.embed(&texts)
            });
            match computing.await {
                Ok(vectors) => vectors.map_err(NodeError::from),
                Err(_) => Err(NodeError::Engine("the engine panicked".to_owned())),
            }
        };
        let close = CloseCall {
            call,
            used: Usage {
                prompt_tokens: computed.as_ref().map_or(0, |_| prompt_tokens),
                ..Usage::default()
            },
            outcome: match &computed {
                Ok(_) => Outcome::Stop,
                Err(NodeError::ShuttingDown) => Outcome::Cancelled,
                Err(_) => Outcome::EngineFault,
            },
            controller_micros: 0,
            decisions: Digest::ZERO,
            steered: Steered::default(),
            counter: Some(Counter::Engine),
        };
        let closed = self.0.journal.submit(Command::CloseCall(close)).await?;
        closed.result.map_err(NodeError::from)?;
        let receipt = self.network().receipt(call);
        let receipt = receipt.ok_or(NodeError::Journal(aigen_journal::Stopped))?;
        if let Some(observer) = self.0.observer.get() {
            observer.ended(&Observed {
                model: receipt.call.model.clone(),
                outcome: receipt.outcome,
                used: receipt.call.used,
                charged: receipt.total(),
                queued: None,
                first_token: None,
                upstream: None,
                total: began.elapsed(),
            });
        }
        Ok(Embedded {
            vectors: computed?,
            receipt: Arc::unwrap_or_clone(receipt),
        })
    }
}
