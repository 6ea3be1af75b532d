//! `/tokenize` and `/detokenize`, in the words of other servers of open models.

use crate::extract::Post;
use crate::failure::Failure;
use crate::limits::DETOKENIZE_TOKENS_MAX;
use crate::openai::answer::{in_vocabulary, served};
use crate::openai::models::may_ask;
use crate::openai::tools::conversation;
use crate::state::Gateway;
use aigen_api::openai::{Detokenize, Detokenized, Tokenize, Tokenized};
use aigen_node::{Prompt, Steering};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/tokenize", post(tokenize))
        .route("/v1/tokenize", post(tokenize))
        .route("/detokenize", post(detokenize))
        .route("/v1/detokenize", post(detokenize))
}

async fn tokenize(
    State(gateway): State<Gateway>,
    post: Post<Tokenize>,
) -> Result<Json<Tokenized>, Failure> {
    let (caller, request) = (post.caller, post.body);
    for (param, asked) in [
        ("add_special_tokens", request.add_special_tokens),
        ("add_generation_prompt", request.add_generation_prompt),
    ] {
        if asked == Some(false) {
            let way_out = "leave it out: tokens are counted as a request's prompt has them";
            return Err(Failure::unsupported(param, way_out));
        }
    }
    let (model, served) = served(&gateway, &request.model)?;
    may_ask(&gateway, &caller, &model)?;
    let prompt = match (request.prompt, request.messages) {
        (Some(text), None) => Prompt::Text(text),
        (None, Some(messages)) => Prompt::Chat(conversation("messages", &messages)?),
        _ => return Err(Failure::invalid("prompt", "give `prompt` or `messages`")),
    };
    let (node, none) = (&gateway.node, Vec::new());
    let tokens = node.prompt_tokens(&caller, model, prompt, Steering::Free, none);
    let tokens = tokens.await?;
    let tokenizer = served.tokenizer().filter(|_| request.return_token_strs);
    let spelled = tokenizer.map(|tokenizer| {
        let spell = |token: &u32| String::from_utf8_lossy(tokenizer.token_bytes(*token)).into();
        tokens.iter().map(spell).collect()
    });
    Ok(Json(Tokenized {
        count: tokens.len() as u64,
        max_model_len: served.info().context_tokens,
        tokens,
        token_strs: spelled,
    }))
}

async fn detokenize(
    State(gateway): State<Gateway>,
    post: Post<Detokenize>,
) -> Result<Json<Detokenized>, Failure> {
    let request = post.body;
    let (model, served) = served(&gateway, &request.model)?;
    may_ask(&gateway, &post.caller, &model)?;
    let Some(tokenizer) = served.tokenizer() else {
        let reason = format!("{model} is computed elsewhere, where its tokens are not seen");
        return Err(Failure::invalid("model", reason));
    };
    if request.tokens.len() > DETOKENIZE_TOKENS_MAX {
        let reason = format!("takes at most {DETOKENIZE_TOKENS_MAX} tokens");
        return Err(Failure::invalid("tokens", reason));
    }
    in_vocabulary("tokens", &request.tokens, tokenizer.vocab_size())?;
    let bytes = tokenizer.decode(&request.tokens);
    let prompt = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Json(Detokenized { prompt }))
}
