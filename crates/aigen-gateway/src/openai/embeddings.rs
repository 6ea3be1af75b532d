//! `/v1/embeddings`: texts to vectors.

use super::answer::{in_vocabulary, json, served};
use super::conclusion::{counted, reply};
use super::once::Once;
use crate::extract::Post;
use crate::failure::Failure;
use crate::limits::EMBEDDED_TEXTS_MAX;
use crate::replies::{Kind, Reply};
use crate::state::Gateway;
use aigen_api::openai::{
    AigenReply, Embedding, EmbeddingObject, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage,
    EncodingFormat, ListObject, Prompt, Vector,
};
use aigen_node::{Embeddable, EmbeddedTexts, NodeError};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

pub(super) const ROUTE: &str = "/v1/embeddings";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    post: Post<EmbeddingRequest>,
) -> Result<Response, Failure> {
    let asked = &post.body;
    let texts = texts(&asked.input)?;
    let once = Once::of(&post, ROUTE);
    if let Some(reply) = once.kept(&gateway)? {
        return Ok(reply.into_response());
    }
    let (model, served) = served(&gateway, &asked.model)?;
    for text in &texts {
        if let (Embeddable::Tokens(tokens), Some(tokenizer)) = (text, served.tokenizer()) {
            in_vocabulary("input", tokens, tokenizer.vocab_size())?;
        }
    }
    post.access
        .note(|facts| facts.model = Some(model.to_string()));
    let parties = post.parties.with(asked.aigen.as_ref())?;
    let request = aigen_node::EmbeddingRequest {
        call: once.call,
        request: post.digest,
        model,
        texts,
        dimensions: asked.dimensions,
        traceparent: Some(post.access.traceparent()),
        max_cost: asked.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        end_user: parties.end_user,
        bill_to: parties.bill_to,
    };
    let embedded = match gateway.node.embed(&post.caller, request).await {
        Ok(embedded) => embedded,
        Err(NodeError::CallExists { same: true, .. }) => return once.again(&gateway, &post),
        Err(error @ NodeError::ContextTooLong { .. }) => {
            return Err(Failure::from(error).param("input"));
        }
        Err(error) => return Err(Failure::to_payer(error, &post.caller.account)),
    };
    let reply = answer(&gateway, &post, once.call, embedded)?;
    once.keep(&gateway, &reply);
    Ok(reply.into_response())
}

fn texts(input: &Prompt) -> Result<Vec<Embeddable>, Failure> {
    let texts: Vec<_> = match input {
        Prompt::Text(text) => vec![Embeddable::Text(text.clone())],
        Prompt::Texts(texts) => texts.iter().cloned().map(Embeddable::Text).collect(),
        Prompt::Tokens(tokens) => vec![Embeddable::Tokens(tokens.clone())],
        Prompt::TokenLists(lists) => lists.iter().cloned().map(Embeddable::Tokens).collect(),
    };
    let empty = |text: &Embeddable| match text {
        Embeddable::Text(text) => text.is_empty(),
        Embeddable::Tokens(tokens) => tokens.is_empty(),
    };
    if texts.is_empty() || texts.iter().any(empty) || texts.len() > EMBEDDED_TEXTS_MAX {
        let reason = format!("takes 1 to {EMBEDDED_TEXTS_MAX} texts, none of them empty");
        return Err(Failure::invalid("input", reason));
    }
    Ok(texts)
}

fn answer(
    gateway: &Gateway,
    post: &Post<EmbeddingRequest>,
    call: aigen_types::CallId,
    embedded: EmbeddedTexts,
) -> Result<Reply, Failure> {
    let EmbeddedTexts {
        vectors,
        receipt,
        counting,
    } = embedded;
    let dimensions = vectors.first().map_or(0, Vec::len);
    let asked = &post.body;
    if asked
        .dimensions
        .is_some_and(|asked| asked as usize != dimensions)
    {
        let reason = format!("the model's vectors have {dimensions} numbers");
        return Err(Failure::invalid("dimensions", reason).charged(call, &receipt));
    }
    let tokens = receipt.call.used.prompt_tokens;
    post.access.note(|facts| {
        facts.prompt_tokens = tokens;
        facts.cost = Some(receipt.total());
        facts.hold = Some(receipt.call.held());
    });
    let format = asked.encoding_format.unwrap_or_default();
    let data = (0..).zip(vectors).map(|(index, vector)| Embedding {
        object: EmbeddingObject::Is,
        index,
        embedding: written(vector, format),
    });
    let response = EmbeddingResponse {
        object: ListObject::Is,
        data: data.collect(),
        model: receipt.call.model.to_string(),
        usage: EmbeddingUsage {
            prompt_tokens: tokens,
            total_tokens: tokens,
        },
        aigen: Some(AigenReply {
            counted: counted(counting),
            ..reply(gateway, call, &receipt)
        }),
    };
    Ok(Reply {
        status: StatusCode::OK,
        receipt: call,
        cost: receipt.total(),
        kind: Kind::Json,
        body: json(&response).into(),
    })
}

fn written(vector: Vec<f32>, format: EncodingFormat) -> Vector {
    match format {
        EncodingFormat::Float => Vector::Float(vector),
        EncodingFormat::Base64 => {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect();
            Vector::Base64(BASE64_STANDARD.encode(bytes))
        }
    }
}
