//! Models of other servers that make vectors.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use aigen_engine::text::{Claimed, TextFault, TextInfo};
use aigen_engine::{EmbedRequest, Embeddable, Embedding, TextEmbedder, Vectors};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::attempt::{Failed, send, whole};
use crate::engine::Shared;
use crate::limits::{ANSWER_BYTES_LEAST, VECTOR_BYTES_MAX};
use crate::road::Post;
use crate::tries::{Tries, tried};
use crate::upstream::{Needs, Upstream};
use crate::wire;
use crate::{HangUp, Options};

/// An embedder of other servers, behind the port for such models.
pub struct RemoteEmbedder(Arc<Shared>);

impl RemoteEmbedder {
    /// Opens it. Nothing is asked before a text comes.
    ///
    /// # Errors
    /// When the TLS back end cannot start.
    pub fn open(options: Options) -> Result<Self, reqwest::Error> {
        Shared::open(options).map(|shared| Self(Arc::new(shared)))
    }
}

impl TextEmbedder for RemoteEmbedder {
    fn info(&self) -> TextInfo {
        self.0.info()
    }

    fn drains(&self) -> bool {
        self.0.options.hang_up == HangUp::Drain
    }

    fn embed(&self, request: EmbedRequest) -> Embedding {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { ask(&shared, &request).await })
    }
}

async fn ask(shared: &Shared, request: &EmbedRequest) -> Result<Vectors, TextFault> {
    let mut tries = Tries::of(shared, Needs::default());
    while let Some((at, upstream)) = tries.next().await {
        let answering = pin!(attempt(&shared.options, upstream, request));
        match tried(upstream, answering).await {
            Ok(vectors) => return Ok(vectors),
            Err(failed) => tries.failed(at, failed.without(upstream.options.key.as_ref()))?,
        }
    }
    Err(tries.given_up())
}

async fn attempt(
    options: &Options,
    upstream: &Upstream,
    request: &EmbedRequest,
) -> Result<Vectors, Failed> {
    let (began, timeouts) = (Instant::now(), options.timeouts);
    let post = Post {
        path: "embeddings",
        body: wire::bytes(&body(request, &upstream.options.model)),
        traceparent: request.traceparent.map(|parent| parent.to_string()),
    };
    let reply = send(options, upstream, post).await?;
    let bytes_max = ANSWER_BYTES_LEAST + VECTOR_BYTES_MAX * request.texts.len() as u64;
    let left = timeouts.total.saturating_sub(began.elapsed());
    let reading = tokio::time::timeout(left, whole(reply, bytes_max, timeouts)).await;
    let bytes = reading.map_err(|_| Failed::slow("the answer", timeouts.total))??;
    let reply: Reply = serde_json::from_slice(&bytes).map_err(|error| Failed::unread(&error))?;
    let claimed = reply.usage.as_ref().map(claimed);
    let vectors = in_order(reply.data, request.texts.len()).map_err(Failed::broken)?;
    Ok(Vectors { vectors, claimed })
}

/// Fields that would only repeat a default are left out, since some servers refuse what they do not know.
fn body(request: &EmbedRequest, model: &str) -> Value {
    let texts = request.texts.iter().map(|text| match text {
        Embeddable::Text(text) => json!(text),
        Embeddable::Tokens(tokens) => json!(tokens),
    });
    let mut body = json!({"model": model, "input": texts.collect::<Value>()});
    if let Some(dimensions) = request.dimensions {
        body["dimensions"] = dimensions.into();
    }
    body
}

#[derive(Deserialize)]
struct Reply {
    data: Vec<Datum>,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Datum {
    /// Of which text; the next one where the answer does not say.
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

fn claimed(usage: &Value) -> Claimed {
    Claimed {
        prompt: usage["prompt_tokens"].as_i64(),
        cached: None,
        completion: None,
    }
}

/// # Errors
/// What is wrong with them: a vector that is missing, or there twice, or unlike the others.
fn in_order(data: Vec<Datum>, count: usize) -> Result<Vec<Vec<f32>>, String> {
    let there = data.len();
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
    let dimensions = data.first().map_or(0, |first| first.embedding.len());
    for (place, one) in data.into_iter().enumerate() {
        let at = one.index.unwrap_or(place);
        let numbers = one.embedding.len();
        if numbers == 0 || numbers != dimensions {
            return Err(format!(
                "vector {at} has {numbers} numbers, the first {dimensions}"
            ));
        }
        if !one.embedding.iter().all(|number| number.is_finite()) {
            return Err(format!("vector {at} has a number that is none"));
        }
        match vectors.get_mut(at) {
            Some(free @ None) => *free = Some(one.embedding),
            _ => return Err(format!("there is no room for vector {at} of {count}")),
        }
    }
    let all: Option<Vec<_>> = vectors.into_iter().collect();
    all.ok_or_else(|| format!("it made {there} vectors of {count} texts"))
}
