mod embedded;

use crate::auth::Caller;
use crate::complete::{CompletionRequest, Prompt};
use crate::declared::Declared;
use crate::error::NodeError;
use crate::node::{Node, now};
use crate::outside::Behalf;
use crate::remote::{Asking, correct, room_elsewhere, state};
use crate::replays::Recipe;
use crate::retrieval::{Citation, DatasetAsk, Retrieved};
use crate::served::Served;
use crate::steering::Steering;
use crate::work::Work;
use aigen_engine::text::{TextEngine, TextInfo, TextPrompt, TextRequest};
use aigen_engine::{ChatMessage, ControlLevel, EngineHandle, TokenId};
use aigen_functions::Form;
use aigen_jarvis::{Cover, Program, TextOpening};
use aigen_network::{OpenCall, Quote};
use aigen_types::{CallId, Digest, ModelName, Slug};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Why an upstream is not asked for it.
const NO_WORD: &str = "it is computed elsewhere, and OpenAI's protocol has no word for it";

/// Everything that can be known before money is held.
pub(crate) struct Prepared {
    pub open: OpenCall,
    /// What runs it again, if it asked for that.
    pub recipe: Option<Recipe>,
    /// The call that it is made within.
    pub parent: Option<CallId>,
    pub work: Work,
    /// Covers nothing yet: the first hold extends it.
    pub cover: Cover,
    /// Output tokens that the answer may have.
    pub max_tokens: u64,
    /// What the controller says of its answers.
    pub declared: Option<Declared>,
    /// The passages of its prompt.
    pub citations: Vec<Citation>,
}

/// What a completion would cost, said before it is asked for.
#[derive(Clone, Debug)]
pub struct Quoted {
    /// The prompt's tokens, with the passages of datasets: as many as would be held for.
    pub prompt_tokens: u64,
    /// Output tokens that all its answers together may have.
    pub output_tokens: u64,
    /// What that comes to.
    pub cost: Quote,
}

/// What a call is held for at first.
struct Held {
    prompt_tokens: u64,
    chunk_tokens: u64,
    least_tokens: u64,
}

impl Node {
    /// Resolves model and controller and counts the prompt, all before any charge. Grammars of
    /// strangers may take long to compile, so that happens off the async threads.
    pub(crate) async fn prepare(
        &self,
        caller: &Caller,
        request: Box<CompletionRequest>,
    ) -> Result<Box<Prepared>, NodeError> {
        let served = self.serving(&request.model)?;
        // Nothing to look up, compile or count: what is left takes less than waking a thread.
        if let (Served::Remote(engine), Steering::Free, []) =
            (&*served, &request.steering, request.datasets.as_slice())
        {
            let prepared = self.prepare_remote(engine, caller, *request)?;
            return Ok(Box::new(prepared));
        }
        let (node, caller) = (self.clone(), caller.clone());
        let prepare = move || node.prepare_blocking(&served, &caller, *request);
        let prepared = tokio::task::spawn_blocking(prepare).await;
        prepared.map_err(|_| NodeError::ShuttingDown)?.map(Box::new)
    }

    /// The tokens of a prompt, as a call with this steering would have them, with the passages of
    /// these datasets. Nothing is charged, and nothing of the passages leaves but their length.
    ///
    /// # Errors
    /// A model that is not served here, or whose chat template refuses the conversation; a schema or
    /// controller that cannot steer; a dataset that the caller may not read.
    pub async fn prompt_tokens(
        &self,
        caller: &Caller,
        model: ModelName,
        prompt: Prompt,
        steering: Steering,
        datasets: Vec<DatasetAsk>,
    ) -> Result<Vec<TokenId>, NodeError> {
        let (node, caller) = (self.clone(), caller.clone());
        let encoded = tokio::task::spawn_blocking(move || match &*node.serving(&model)? {
            Served::Embedded(served) => {
                let mut worded = node.worded_prompt(&steering, &prompt)?.into_owned();
                node.retrieve(&caller, &datasets, &mut worded)?;
                // What no call could be steered by has no prompt, either.
                node.steer(served, &steering, &worded, None)?;
                encode(&served.engine, &steering.introduce(&worded))
            }
            Served::Remote(_) | Served::RemoteEmbedder(_) => Err(NodeError::Unsupported {
                param: "model",
                model,
                reason: "it is computed elsewhere, where its tokens are not seen",
            }),
            Served::Embedder(embedder) => match &prompt {
                Prompt::Text(text) => Ok(embedder.tokenizer().encode(text, false, true)),
                Prompt::Tokens(tokens) => Ok(tokens.clone()),
                Prompt::Chat(_) => Err(NodeError::Unsupported {
                    param: "model",
                    model,
                    reason: "it makes vectors, and has no conversations",
                }),
            },
        });
        encoded.await.map_err(|_| NodeError::ShuttingDown)?
    }

    /// What this completion would cost, passages and their fees included. Nothing is charged, and
    /// nothing of the passages leaves but their length, numbers and price.
    ///
    /// # Errors
    /// What the completion would be refused for, but for money that is not there.
    pub async fn quote(
        &self,
        caller: &Caller,
        request: impl Into<Box<CompletionRequest>>,
    ) -> Result<Quoted, NodeError> {
        let prepared = self.prepare(caller, request.into()).await?;
        let (open, output_tokens) = (&prepared.open, prepared.max_tokens);
        Ok(Quoted {
            prompt_tokens: open.prompt_tokens,
            output_tokens,
            cost: self.network().quote(now(), open, output_tokens)?,
        })
    }

    fn prepare_blocking(
        &self,
        served: &Served,
        caller: &Caller,
        request: CompletionRequest,
    ) -> Result<Prepared, NodeError> {
        let mut request = self.worded(request)?;
        let one_text = request.others.is_empty() && !matches!(request.prompt, Prompt::Tokens(_));
        if !request.datasets.is_empty() && !one_text {
            return Err(NodeError::Unsupported {
                param: "aigen.datasets",
                model: request.model,
                reason: "passages are put before one prompt, which is a text",
            });
        }
        let (datasets, prompt) = (&request.datasets, &mut request.prompt);
        let Retrieved { reads, citations } = self.retrieve(caller, datasets, prompt)?;
        let mut prepared = match served {
            Served::Embedded(embedded) => self.prepare_embedded(embedded, caller, request),
            Served::Remote(engine) => self.prepare_remote(engine, caller, request),
            Served::Embedder(_) | Served::RemoteEmbedder(_) => Err(NodeError::Unsupported {
                param: "model",
                model: request.model,
                reason: "it makes vectors, and writes no text",
            }),
        }?;
        prepared.open.reads = reads;
        prepared.citations = citations;
        Ok(prepared)
    }

    /// Nobody here can count the prompt, or stop the answer at a token: both are held for at their
    /// longest.
    fn prepare_remote(
        &self,
        engine: &Arc<dyn TextEngine>,
        caller: &Caller,
        mut request: CompletionRequest,
    ) -> Result<Prepared, NodeError> {
        let elsewhere = [
            (
                "logprobs",
                request.top_logprobs.is_some(),
                "it is computed elsewhere, where no token's probability is seen",
            ),
            (
                "n",
                request.choices > 1,
                "it is computed elsewhere, and asked for one answer at a time",
            ),
            ("top_k", request.sampling.top_k > 0, NO_WORD),
            ("min_p", request.sampling.min_p > 0.0, NO_WORD),
            (
                "repetition_penalty",
                request.sampling.repetition_penalty.to_bits() != 1_f32.to_bits(),
                NO_WORD,
            ),
            (
                "prompt",
                !request.others.is_empty(),
                "it is computed elsewhere, and asked for one answer at a time",
            ),
            (
                "prompt",
                matches!(request.prompt, Prompt::Tokens(_)),
                "it is computed elsewhere, where its tokens are not known",
            ),
            (
                "aigen.replay",
                request.replay,
                "it is computed elsewhere, and nothing is kept to run the call again",
            ),
        ];
        if let Some((param, _, reason)) = elsewhere.into_iter().find(|(_, asked, _)| *asked) {
            return Err(NodeError::Unsupported {
                param,
                model: request.model,
                reason,
            });
        }
        let info = engine.info();
        let behalf = behalf(caller, &request);
        let bounded = self.steer_remote(&request.model, &info, &request.steering, behalf)?;
        // Each of them is a request of its own.
        let branches = bounded.program.as_ref().map_or(1, Program::branches);
        let program = bounded.program;
        let steered = program.map(|program| (program, terms(&request, &info, branches)));
        // A conversation may be long, and nothing here asks for it again.
        let prompt = std::mem::replace(&mut request.prompt, Prompt::Text(String::new()));
        let mut prompt = text_prompt(prompt);
        let form = bounded.schema.as_deref().map(Form::of).transpose();
        let form = form.map_err(NodeError::Steering)?;
        // Who follows no schema is told of it.
        let (told, followed) = match info.control {
            ControlLevel::Text => (bounded.schema, None),
            ControlLevel::Schema | ControlLevel::Token => (None, bounded.schema),
        };
        if let Some(schema) = told {
            state(&mut prompt, &schema);
        }
        correct(&mut prompt, &request.corrections);
        let mut asked = TextRequest {
            prompt,
            max_tokens: 0,
            sampling: request.sampling.clone(),
            stops: request.stops.clone(),
            schema: followed,
            tools: bounded.tools,
            // A controller's segments may want them.
            probabilities: false,
            traceparent: request.traceparent,
        };
        asked.max_tokens = room_elsewhere(&info, &asked, request.max_tokens)?;
        engine.check(&asked).map_err(NodeError::Steering)?;
        let context = u64::from(info.context_tokens);
        let prompt_max = asked.prompt_tokens_max().min(context);
        let output_max = u64::from(asked.max_tokens);
        let max_tokens = output_max * u64::from(branches);
        let held = Held {
            prompt_tokens: prompt_max * u64::from(branches),
            chunk_tokens: max_tokens,
            least_tokens: max_tokens,
        };
        let work = Work::Remote(Box::new(Asking {
            engine: Arc::clone(engine),
            request: asked,
            form,
            steered,
            prompt_max,
            output_max,
        }));
        Ok(Prepared {
            declared: self.declared(bounded.controller)?,
            open: self.opening(caller.key.clone(), &request, bounded.controller, &held),
            recipe: None,
            parent: request.parent,
            work,
            cover: Cover::new(0),
            max_tokens,
            citations: Vec::new(),
        })
    }

    fn opening(
        &self,
        key: Slug,
        request: &CompletionRequest,
        controller: Option<Digest>,
        held: &Held,
    ) -> OpenCall {
        OpenCall {
            call: request.call,
            key,
            model: request.model.clone(),
            controller,
            prompt_tokens: held.prompt_tokens,
            chunk_tokens: held.chunk_tokens,
            budget: request.max_cost,
            request: request.request,
            node: self.id(),
            least_tokens: held.least_tokens,
            end_user: request.end_user.clone(),
            bill_to: request.bill_to.clone(),
            reads: Vec::new(),
        }
    }
}

fn behalf(caller: &Caller, request: &CompletionRequest) -> Behalf {
    Behalf {
        caller: caller.clone(),
        call: request.call,
        end_user: request.end_user.clone(),
        bill_to: request.bill_to.clone(),
        seed: request.sampling.seed,
    }
}

/// What a controller is told that steers an answer from elsewhere.
fn terms(request: &CompletionRequest, info: &TextInfo, branches: u32) -> TextOpening {
    let (argument, messages) = given(&request.steering, &request.prompt);
    TextOpening {
        argument,
        messages,
        prompt: match &request.prompt {
            Prompt::Chat(_) | Prompt::Tokens(_) => String::new(),
            Prompt::Text(text) => text.clone(),
        },
        model: request.model.to_string(),
        seed: request.sampling.seed,
        schemas: info.control >= ControlLevel::Schema,
        probabilities: info.probabilities,
        branches,
    }
}

fn text_prompt(prompt: Prompt) -> TextPrompt {
    match prompt {
        Prompt::Chat(messages) => TextPrompt::Chat(messages),
        Prompt::Text(text) => TextPrompt::Plain(text),
        Prompt::Tokens(_) => unreachable!("refused where it is computed elsewhere"),
    }
}

/// What a controller is given of the request: its parameters and the conversation, as JSON.
fn given(steering: &Steering, prompt: &Prompt) -> (String, String) {
    let Steering::Controller { params, .. } = steering else {
        return Default::default();
    };
    let argument = Value::Object(params.clone()).to_string();
    let messages = match prompt {
        Prompt::Chat(messages) => messages.iter().map(message).collect::<Value>().to_string(),
        Prompt::Text(_) | Prompt::Tokens(_) => String::new(),
    };
    (argument, messages)
}

/// The same steering, naming the very version that steers.
fn by_digest(steering: &Steering, controller: Option<Digest>) -> Steering {
    match (steering, controller) {
        (Steering::Controller { params, .. }, Some(digest)) => Steering::Controller {
            name: digest.to_string(),
            params: params.clone(),
        },
        (steering, _) => steering.clone(),
    }
}

fn message(message: &ChatMessage) -> Value {
    serde_json::json!({ "role": message.role.as_str(), "content": message.content })
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

fn encode(engine: &EngineHandle, prompt: &Prompt) -> Result<Vec<TokenId>, NodeError> {
    let tokenizer = engine.tokenizer();
    match prompt {
        Prompt::Chat(messages) => Ok(tokenizer.chat(messages)?),
        Prompt::Text(text) => Ok(tokenizer.encode(text, false, true)),
        Prompt::Tokens(tokens) => Ok(tokens.clone()),
    }
}
