//! Calls that an engine of this process computes: one prompt or several, each with as many answers.

use super::{Held, Prepared, behalf, by_digest, encode, given, tenant};
use crate::auth::Caller;
use crate::complete::{CompletionRequest, Prompt};
use crate::error::NodeError;
use crate::limits::FIRST_CHUNK_TOKENS;
use crate::node::Node;
use crate::outside::Behalf;
use crate::replays::Recipe;
use crate::served::Embedded;
use crate::steering::asked as asked_last;
use crate::work::Work;
use aigen_engine::{EngineHandle, TokenId};
use aigen_jarvis::{Cover, Program, Reasoning, SessionRequest};
use aigen_types::Digest;

/// A prompt, counted, and what steers its answers.
struct Posed<'a> {
    asked: &'a Prompt,
    tokens: Vec<TokenId>,
    /// Tokens of the prompt that the model may come to read.
    longest: u64,
    /// Output tokens that each answer may have.
    max_tokens: u32,
    controller: Option<Digest>,
    program: Program,
    reasoning: Option<Reasoning>,
}

impl Node {
    pub(super) fn prepare_embedded(
        &self,
        served: &Embedded,
        caller: &Caller,
        request: CompletionRequest,
    ) -> Result<Prepared, NodeError> {
        let behalf = behalf(caller, &request);
        let prompts = [&request.prompt].into_iter().chain(&request.others);
        let posed = prompts.map(|prompt| self.pose(served, &request, prompt, behalf.clone()));
        let posed: Vec<Posed<'_>> = posed.collect::<Result<_, _>>()?;
        let choices = choices(served, &request, &posed[0].program)?;
        let output = posed.iter().map(|posed| u64::from(posed.max_tokens));
        let max_tokens = u64::from(choices) * output.sum::<u64>();
        let alone = posed.len() == 1 && choices == 1;
        if request.replay && !alone {
            return Err(NodeError::Unsupported {
                param: "aigen.replay",
                model: request.model,
                reason: "of several answers at once nothing is kept to run them again",
            });
        }
        let (chunk_tokens, least_tokens) = match alone {
            true => first_chunk(&served.engine, max_tokens),
            // Nobody could say which of them should end where the money does.
            false => (max_tokens, max_tokens),
        };
        let held = Held {
            prompt_tokens: posed.iter().map(|posed| posed.longest).sum(),
            chunk_tokens,
            least_tokens,
        };
        let controller = posed[0].controller;
        let open = self.opening(caller.key.clone(), &request, controller, &held);
        let recipe = request.replay.then(|| Recipe {
            model: request.model.clone(),
            steering: by_digest(&request.steering, controller),
            question: asked_last(&request.prompt).to_owned(),
            reasoning: posed[0].reasoning.clone(),
        });
        let (cover, tenant) = (Cover::new(0), tenant(&open));
        let prompts = posed.into_iter().map(|posed| {
            let session = session(&request, posed, cover.clone(), tenant);
            match alone {
                true => vec![session],
                false => several(&session, choices.into()),
            }
        });
        Ok(Prepared {
            work: Work::Embedded {
                engine: served.engine.clone(),
                prompts: prompts.collect(),
            },
            declared: self.declared(controller)?,
            open,
            recipe,
            parent: request.parent,
            cover,
            max_tokens,
            citations: Vec::new(),
        })
    }

    fn pose<'a>(
        &self,
        served: &Embedded,
        request: &CompletionRequest,
        asked: &'a Prompt,
        behalf: Behalf,
    ) -> Result<Posed<'a>, NodeError> {
        let tokens = encode(&served.engine, &request.steering.introduce(asked))?;
        let max_tokens = room(&served.engine, tokens.len(), request.max_tokens)?;
        let steered = self.steer(served, &request.steering, asked, Some(behalf))?;
        let reasoning = served.reasoning.clone();
        let reasoning = reasoning.filter(|_| matches!(asked, Prompt::Chat(_)));
        Ok(Posed {
            asked,
            longest: longest_prompt(&served.engine, tokens.len(), steered.prompt_tokens),
            tokens,
            max_tokens,
            controller: steered.controller,
            program: match reasoning.clone() {
                Some(marks) => steered.program.after_reasoning(marks),
                None => steered.program,
            },
            reasoning,
        })
    }
}

fn session(
    request: &CompletionRequest,
    posed: Posed<'_>,
    cover: Cover,
    tenant: u64,
) -> SessionRequest {
    let (argument, messages) = given(&request.steering, posed.asked);
    SessionRequest {
        prompt: posed.tokens,
        program: posed.program,
        sampling: request.sampling.clone(),
        max_tokens: posed.max_tokens,
        stops: request.stops.clone(),
        top_logprobs: request.top_logprobs,
        cover,
        argument,
        messages,
        tenant,
        retract: request.retract,
        trace: request.trace,
        prompt_tokens_max: u32::try_from(posed.longest).unwrap_or(u32::MAX),
        log: request.replay,
    }
}

/// How many answers, if the engine can hold so many at once and the program goes only forward: what
/// it took back would be paid for by one of them at the others' cost.
fn choices(
    served: &Embedded,
    request: &CompletionRequest,
    program: &Program,
) -> Result<u32, NodeError> {
    let most = served.engine.info().sequences_max;
    let several = !request.others.is_empty();
    let (param, reason) = match request.choices {
        0 | 1 if !several => return Ok(1),
        choices if choices > most => ("n", "it computes fewer answers at once"),
        _ if program.is_plain() => return Ok(request.choices.max(1)),
        _ if several => (
            "prompt",
            "the controller decides how many answers there are",
        ),
        _ => ("n", "the controller decides how many answers there are"),
    };
    Err(NodeError::Unsupported {
        param,
        model: request.model.clone(),
        reason,
    })
}

/// The same session so many times, each with chances of its own. Of several each is covered to its
/// end, because everything is held before they begin.
fn several(session: &SessionRequest, choices: u64) -> Vec<SessionRequest> {
    let one = |choice: u64| {
        let cover = Cover::new(session.max_tokens.into());
        cover.close();
        let mut sampling = session.sampling.clone();
        sampling.seed = sampling.seed.wrapping_add(choice);
        SessionRequest {
            cover,
            sampling,
            ..session.clone()
        }
    };
    (0..choices).map(one).collect()
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

/// Tokens of the prompt that the model may come to read: the request's, or one that a controller
/// writes instead.
fn longest_prompt(engine: &EngineHandle, own: usize, controllers: u64) -> u64 {
    let context = u64::from(engine.info().context_tokens);
    (own as u64).max(controllers.min(context))
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
