//! Finds out whether an upstream follows schemas, and whether it tells how likely its answers are.

use std::sync::{Arc, Weak};

use aigen_engine::sampler::Sampling;
use aigen_engine::text::{TextEvent, TextPrompt, TextRequest};
use aigen_engine::{ChatMessage, ControlLevel, Role};
use serde_json::{Value, json};

use crate::attempt::attempt;
use crate::engine::Shared;
use crate::limits::PROBE_PAUSE;
use crate::upstream::Upstream;

/// Asks every upstream that is not known yet, and again later those that did not answer.
pub(crate) async fn probe(shared: Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        for upstream in &shared.upstreams {
            if upstream.control().is_none() {
                ask(&shared, upstream).await;
            }
            if upstream.probabilities().is_none() {
                ask_probabilities(&shared, upstream).await;
            }
        }
        if !shared.upstreams.iter().any(Upstream::is_unknown) {
            return;
        }
        drop(shared);
        tokio::time::sleep(PROBE_PAUSE).await;
    }
}

/// The schema allows one word, which the prompt does not say: an answer with it was held to the
/// schema, and not lucky.
async fn ask(shared: &Arc<Shared>, upstream: &Upstream) {
    let word = format!("w{:08x}", fastrand::u32(..));
    let expected = json!({ "word": word });
    let mut text = String::new();
    let request = request(&word);
    let mut heard = |event| {
        if let TextEvent::Text(part) = event {
            text.push_str(&part);
        }
    };
    let answered = attempt(&shared.options, upstream, &request, &mut heard).await;
    let control = match answered {
        Ok(_) if serde_json::from_str::<Value>(&text).ok() == Some(expected) => {
            ControlLevel::Schema
        }
        Ok(_) => ControlLevel::Text,
        // It understood and declined: it has no schemas.
        Err(failed) if !failed.again => ControlLevel::Text,
        Err(failed) => {
            tracing::warn!(upstream = upstream.name, fault = %failed.fault, "an upstream does not answer yet");
            return;
        }
    };
    tracing::info!(
        upstream = upstream.name,
        ?control,
        "found out about an upstream"
    );
    upstream.found(control);
}

/// A server that is asked for what it does not know of ignores it or declines.
async fn ask_probabilities(shared: &Arc<Shared>, upstream: &Upstream) {
    let request = TextRequest {
        max_tokens: 1,
        schema: None,
        probabilities: true,
        ..request("")
    };
    let mut told = false;
    let mut heard = |event| told |= matches!(event, TextEvent::Logprob(_));
    match attempt(&shared.options, upstream, &request, &mut heard).await {
        Err(failed) if failed.again => {
            tracing::warn!(upstream = upstream.name, fault = %failed.fault, "an upstream does not answer yet");
        }
        _ => {
            tracing::info!(
                upstream = upstream.name,
                probabilities = told,
                "found out about an upstream"
            );
            upstream.found_probabilities(told);
        }
    }
}

fn request(word: &str) -> TextRequest {
    let schema = json!({
        "type": "object",
        "properties": { "word": { "type": "string", "enum": [word] } },
        "required": ["word"],
        "additionalProperties": false,
    });
    TextRequest {
        prompt: TextPrompt::Chat(vec![ChatMessage::new(Role::User, "Say a word, in JSON.")]),
        max_tokens: 64,
        sampling: Sampling::greedy(),
        stops: Vec::new(),
        schema: Some(Arc::new(schema)),
        tools: None,
        probabilities: false,
        traceparent: None,
    }
}
