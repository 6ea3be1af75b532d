//! Texts to vectors: quote, hold, compute, capture, in a task that outlives its connection.

use crate::admission::Admitted;
use crate::auth::Caller;
use crate::error::NodeError;
use crate::node::{Node, call_refused};
use crate::observe::Observed;
use crate::remote::{Counting, prompt_believed};
use crate::served::Served;
use aigen_economy::Usage;
use aigen_engine::text::TraceParent;
use aigen_engine::{EmbedRequest, Embeddable, Embedder, TextEmbedder, TokenId, Tokenizer};
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
    pub texts: Vec<Embeddable>,
    /// Numbers in a vector, where the caller says how many. What is computed here has as many as it has.
    pub dimensions: Option<u32>,
    /// The most the call may cost.
    pub max_cost: Option<Amount>,
    /// For which end user of the key's spender it is.
    pub end_user: Option<Slug>,
    /// Which user pays, by an allowance; the key's account when absent.
    pub bill_to: Option<Address>,
    /// Which span asks, as an upstream is told.
    pub traceparent: Option<TraceParent>,
}

/// What became of them.
#[derive(Debug)]
pub struct Embedded {
    /// One for each text, in order.
    pub vectors: Vec<Vec<f32>>,
    /// What it came to.
    pub receipt: Receipt,
    /// How its tokens were counted.
    pub counting: Counting,
}

/// A request that is ready to be held for.
struct Counted {
    open: OpenCall,
    work: Work,
}

/// What computes the vectors.
enum Work {
    Here(Arc<dyn Embedder>, Vec<Vec<TokenId>>),
    /// Its prompt tokens are the most that there can be.
    Elsewhere(Arc<dyn TextEmbedder>, EmbedRequest),
}

/// What was computed, and the tokens of its texts.
struct Computed {
    vectors: Vec<Vec<f32>>,
    prompt_tokens: u64,
    counting: Counting,
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
        if !served.makes_vectors() {
            return Err(NodeError::Unsupported {
                param: "model",
                model: request.model,
                reason: "it writes text, and makes no vectors",
            });
        }
        let mut admitted = self.0.models.gate(&request.model).enter(&caller.key)?;
        let counted = self.count(served, caller.key.clone(), request).await?;
        admitted.wait_with(counted.open.prompt_tokens)?;
        let (mut tell, told) = oneshot::channel();
        let node = self.clone();
        self.0.calls.spawn(async move {
            let embedded = node.hold_and_embed(counted, admitted, &mut tell).await;
            let _ = tell.send(embedded);
        });
        told.await.unwrap_or(Err(NodeError::ShuttingDown))
    }

    async fn count(
        &self,
        served: Arc<Served>,
        key: Slug,
        request: EmbeddingRequest,
    ) -> Result<Counted, NodeError> {
        let node = self.clone();
        let counting = tokio::task::spawn_blocking(move || match &*served {
            Served::Embedder(embedder) => {
                let tokenizer = embedder.tokenizer();
                let texts = request.texts.iter();
                let texts: Vec<_> = texts.map(|text| encoded(text, &*tokenizer)).collect();
                texts
                    .iter()
                    .try_for_each(|text| embedder.info().check(text))?;
                let prompt_tokens = texts.iter().map(|text| text.len() as u64).sum();
                let work = Work::Here(Arc::clone(embedder), texts);
                Ok(node.counted(key, request, prompt_tokens, work))
            }
            Served::RemoteEmbedder(embedder) => {
                let asked = EmbedRequest {
                    texts: request.texts.clone(),
                    dimensions: request.dimensions,
                    traceparent: request.traceparent,
                };
                // No text has more than the model reads.
                let context = u64::from(embedder.info().context_tokens);
                let most = asked.texts.iter().map(Embeddable::tokens_max);
                let prompt_tokens = most.map(|tokens| tokens.min(context)).sum();
                let work = Work::Elsewhere(Arc::clone(embedder), asked);
                Ok(node.counted(key, request, prompt_tokens, work))
            }
            Served::Embedded(_) | Served::Remote(_) => unreachable!("refused before"),
        });
        counting.await.map_err(|_| NodeError::ShuttingDown)?
    }

    fn counted(
        &self,
        key: Slug,
        request: EmbeddingRequest,
        prompt_tokens: u64,
        work: Work,
    ) -> Counted {
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
            node: self.id(),
            least_tokens: 1,
            end_user: request.end_user,
            bill_to: request.bill_to,
            reads: Vec::new(),
        };
        Counted { open, work }
    }

    async fn hold_and_embed(
        &self,
        Counted { open, work }: Counted,
        mut admitted: Admitted,
        tell: &mut oneshot::Sender<Result<Embedded, NodeError>>,
    ) -> Result<Embedded, NodeError> {
        let (call, held) = (open.call, open.prompt_tokens);
        let began = Instant::now();
        self.reach_journal()?;
        let opened = self.0.journal.submit(Command::OpenCall(open)).await?;
        opened
            .result
            .map_err(|refusal| call_refused(call, refusal))?;
        admitted.begin();
        let computed = match work {
            _ if tell.is_closed() => Err(NodeError::ShuttingDown),
            Work::Here(embedder, texts) => here(embedder, texts, held).await,
            Work::Elsewhere(embedder, asked) => {
                let stopping = self.0.stopping.cancelled();
                let left = async {
                    match embedder.drains() {
                        true => std::future::pending().await,
                        false => tell.closed().await,
                    }
                };
                tokio::select! {
                    biased;
                    computed = elsewhere(&*embedder, asked, held) => computed,
                    () = stopping => Err(NodeError::ShuttingDown),
                    () = left => Err(NodeError::ShuttingDown),
                }
            }
        };
        self.close_embedded(call, computed, began).await
    }

    /// Nothing is charged for what was not computed.
    async fn close_embedded(
        &self,
        call: CallId,
        computed: Result<Computed, NodeError>,
        began: Instant,
    ) -> Result<Embedded, NodeError> {
        let counting = computed.as_ref().map(|computed| &computed.counting);
        let close = CloseCall {
            call,
            used: Usage {
                prompt_tokens: computed
                    .as_ref()
                    .map_or(0, |computed| computed.prompt_tokens),
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
            counter: Some(counting.map_or(Counter::Engine, Counting::counter)),
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
        let computed = computed?;
        Ok(Embedded {
            vectors: computed.vectors,
            counting: computed.counting,
            receipt: Arc::unwrap_or_clone(receipt),
        })
    }
}

fn encoded(text: &Embeddable, tokenizer: &dyn Tokenizer) -> Vec<TokenId> {
    match text {
        Embeddable::Text(text) => tokenizer.encode(text, false, true),
        Embeddable::Tokens(tokens) => tokens.clone(),
    }
}

async fn here(
    embedder: Arc<dyn Embedder>,
    texts: Vec<Vec<TokenId>>,
    prompt_tokens: u64,
) -> Result<Computed, NodeError> {
    let computing = tokio::task::spawn_blocking(move || embedder.embed(&texts)).await;
    let vectors = computing.map_err(|_| NodeError::Engine("the engine panicked".to_owned()))??;
    Ok(Computed {
        vectors,
        prompt_tokens,
        counting: Counting::Exact,
    })
}

/// What the upstream claims is believed as that of an answer is: where it is a count there can be.
async fn elsewhere(
    embedder: &dyn TextEmbedder,
    asked: EmbedRequest,
    held: u64,
) -> Result<Computed, NodeError> {
    let estimated = asked.texts.iter().map(Embeddable::tokens_estimated).sum();
    let embedded = embedder.embed(asked).await.map_err(NodeError::Upstream)?;
    let (prompt_tokens, counting) = match prompt_believed(embedded.claimed, held) {
        Ok(believed) => (believed, Counting::Claimed),
        Err(doubt) => {
            tracing::warn!(%doubt, "tokens are counted by the bytes");
            (held.min(estimated), Counting::Estimated(doubt))
        }
    };
    Ok(Computed {
        vectors: embedded.vectors,
        prompt_tokens,
        counting,
    })
}
