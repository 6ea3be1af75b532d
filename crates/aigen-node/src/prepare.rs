use crate::auth::Caller;
use crate::complete::{CompletionRequest, Prompt};
use crate::error::NodeError;
use crate::limits::FIRST_CHUNK_TOKENS;
use crate::node::Node;
use aigen_engine::{EngineHandle, TokenId};
use aigen_jarvis::{Cover, SessionRequest};
use aigen_network::OpenCall;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Everything that can be known before money is held.
pub(crate) struct Prepared {
    pub engine: EngineHandle,
    pub open: OpenCall,
    /// Covers nothing yet: the first hold extends it.
    pub session: SessionRequest,
}

impl Node {
    /// Resolves model and controller and counts the prompt, all before any charge. Grammars of
    /// strangers may take long to compile, so that happens off the async threads.
    pub(crate) async fn prepare(
        &self,
        caller: &Caller,
        request: CompletionRequest,
    ) -> Result<Prepared, NodeError> {
        let (node, key) = (self.clone(), caller.key.clone());
        tokio::task::spawn_blocking(move || node.prepare_blocking(key, request))
            .await
            .map_err(|_| NodeError::ShuttingDown)?
    }

    fn prepare_blocking(
        &self,
        key: aigen_types::Slug,
        request: CompletionRequest,
    ) -> Result<Prepared, NodeError> {
        let served = self.0.served(&request.model)?;
        let prompt = encode(&served.engine, &request.prompt)?;
        let max_tokens = room(&served.engine, prompt.len(), request.max_tokens)?;
        let steered = self.steer(served, &request.steering, &request.prompt)?;
        let (chunk_tokens, least_tokens) = first_chunk(&served.engine, max_tokens.into());
        let open = OpenCall {
            call: request.call,
            key,
            model: request.model,
            controller: steered.controller,
            prompt_tokens: prompt.len() as u64,
            chunk_tokens,
            budget: request.max_cost,
            request: request.request,
            node: self.id(),
            least_tokens,
            end_user: request.end_user,
            bill_to: request.bill_to,
        };
        let session = SessionRequest {
            prompt,
            program: steered.program,
            sampling: request.sampling,
            max_tokens,
            stops: request.stops,
            top_logprobs: request.top_logprobs,
            cover: Cover::new(0),
            argument: String::new(),
            messages: String::new(),
            tenant: tenant(&open),
            retract: false,
        };
        Ok(Prepared {
            engine: served.engine.clone(),
            open,
            session,
        })
    }
}

/// Whom the engine is fair to, and who shares what it has computed: a key, or the user that pays
/// for a call by it. Not the end user, whom the caller names as it likes.
fn tenant(open: &OpenCall) -> u64 {
    let mut hasher = DefaultHasher::new();
    (
        open.key.as_str(),
        open.bill_to.as_ref().map(ToString::to_string),
    )
        .hash(&mut hasher);
    hasher.finish()
}

/// Output tokens that the first hold should cover, and how many it has to. An engine that stops at
/// any token is held for in chunks; another has to be covered to its last token at once, because
/// nothing could end it where the money does.
fn first_chunk(engine: &EngineHandle, max_tokens: u64) -> (u64, u64) {
    if engine.info().stops_at_token {
        (FIRST_CHUNK_TOKENS.min(max_tokens), 1)
    } else {
        (max_tokens, max_tokens)
    }
}

fn encode(engine: &EngineHandle, prompt: &Prompt) -> Result<Vec<TokenId>, NodeError> {
    let tokenizer = engine.tokenizer();
    match prompt {
        Prompt::Chat(messages) => Ok(tokenizer.chat(messages)?),
        Prompt::Text(text) => Ok(tokenizer.encode(text, false, true)),
    }
}

/// Output tokens that the caller wants and the context can hold.
fn room(engine: &EngineHandle, prompt: usize, wanted: Option<u32>) -> Result<u32, NodeError> {
    let context = engine.info().context_tokens;
    let too_long = NodeError::ContextTooLong {
        prompt: prompt as u64,
        context: context.into(),
    };
    let left = u32::try_from(prompt)
        .ok()
        .and_then(|prompt| context.checked_sub(prompt))
        .filter(|left| *left > 0)
        .ok_or(too_long)?;
    Ok(wanted.unwrap_or(left).min(left))
}
