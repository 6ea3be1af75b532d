use super::answer::{Ask, complete, json, quoted};
use super::conclusion::Conclusion;
use super::frame::{Around, Frame, NoUsageYet};
use super::speech::{Named, Part, Said};
use super::steering::{datasets, sampling, steering};
use super::tools::{Offer, conversation, offered};
use super::wording::{Head, Wording};
use crate::extract::Post;
use crate::failure::Failure;
use crate::functions::addressed;
use crate::state::Gateway;
use aigen_api::openai::{
    ChatChoice, ChatChunk, ChatChunkObject, ChatObject, ChatReply, ChatRequest, ChatResponse,
    ChunkChoice, Delta, FinishReason, FunctionDelta, Logprobs, Role, TokenLogprob, ToolCallDelta,
    ToolSpec,
};
use aigen_api::resources::Quote;
use aigen_node::{Prompt, Steering};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

pub(super) const ROUTE: &str = "/v1/chat/completions";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    mut post: Post<Box<ChatRequest>>,
) -> Result<Response, Failure> {
    let ask = ask(&gateway, &mut post)?;
    complete(&gateway, &post, ask).await
}

/// The same request, priced and not made.
pub(crate) async fn quote(
    State(gateway): State<Gateway>,
    mut post: Post<Box<ChatRequest>>,
) -> Result<Json<Quote>, Failure> {
    let ask = ask(&gateway, &mut post)?;
    quoted(&gateway, &post, ask).await.map(Json)
}

fn ask(gateway: &Gateway, post: &mut Post<Box<ChatRequest>>) -> Result<Box<Ask<Chat>>, Failure> {
    addressed(gateway, &mut *post.body)?;
    let request = &post.body;
    request.check()?;
    refuse_unsupported(request)?;
    let asked = request.sampling();
    Ok(Box::new(Ask {
        model: request.model.clone(),
        prompt: Prompt::Chat(conversation("messages", &request.messages)?),
        others: Vec::new(),
        max_tokens: asked.max_tokens,
        choices: asked.choices,
        sampling: sampling(&asked),
        stops: asked.stop.clone(),
        top_logprobs: asked.logprobs,
        steering: steered(request)?,
        parties: post.parties.with(request.aigen.as_ref())?,
        max_cost: request.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        stream: request.is_stream(),
        retract: request.aigen.as_ref().is_some_and(|aigen| aigen.retract),
        trace: request.aigen.as_ref().is_some_and(|aigen| aigen.trace),
        replay: request.aigen.as_ref().is_some_and(|aigen| aigen.replay),
        datasets: datasets(request.aigen.as_ref())?,
        wording: Chat {
            logprobs: asked.logprobs.is_some(),
            usage: request.includes_usage(),
            calls: vec![0; asked.choices as usize],
            around: vec![None; asked.choices as usize],
        },
    }))
}

/// What would change the answer and cannot here is refused by name.
fn refuse_unsupported(request: &ChatRequest) -> Result<(), Failure> {
    const FORM: &str = "use `response_format`, or `aigen.controller`";
    // Without `functions` both say what is so.
    let calls = |call: &&Value| !["none", "auto"].iter().any(|word| **call == *word);
    let called = request.function_call.as_ref().filter(calls).cloned();
    let fields = [
        ("functions", &request.functions, "use `tools`"),
        ("function_call", &called, "use `tool_choice`"),
        ("audio", &request.audio, "leave it out"),
        ("moderation", &request.moderation, "leave it out"),
        (
            "web_search_options",
            &request.web_search_options,
            "leave it out",
        ),
        ("ignore_eos", &request.ignore_eos, "leave it out"),
        ("min_tokens", &request.min_tokens, "leave it out"),
        ("stop_token_ids", &request.stop_token_ids, "use `stop`"),
        ("structured_outputs", &request.structured_outputs, FORM),
        ("guided_json", &request.guided_json, FORM),
        ("guided_regex", &request.guided_regex, FORM),
        ("guided_choice", &request.guided_choice, FORM),
        ("guided_grammar", &request.guided_grammar, FORM),
    ];
    for (name, value, way_out) in fields {
        if value.as_ref().is_some_and(asks_for_something) {
            return Err(Failure::unsupported(name, way_out));
        }
    }
    let only_text = |modalities: &Value| *modalities == serde_json::json!(["text"]);
    if !request.modalities.as_ref().is_none_or(only_text) {
        return Err(Failure::unsupported("modalities", "ask for [\"text\"]"));
    }
    Ok(())
}

pub(super) fn asks_for_something(value: &Value) -> bool {
    let is_nothing = matches!(value, Value::Null | Value::Bool(false)) || value.as_u64() == Some(0);
    !is_nothing && value.as_array().is_none_or(|list| !list.is_empty())
}

/// What steers a chat: tools, a format or a controller.
pub(super) fn steered(request: &ChatRequest) -> Result<Steering, Failure> {
    let tools = request.tools.iter().enumerate();
    let tools = tools.map(|(at, tool)| function(at, tool));
    let offer = Offer {
        tools: tools.collect::<Result<_, _>>()?,
        choice: request.tool_choice.clone(),
        parallel: request.parallel_tool_calls != Some(false),
    };
    let format = request.response_format.as_ref();
    steering(request.aigen.as_ref(), format, offered(offer)?)
}

fn function(at: usize, tool: &ToolSpec) -> Result<aigen_api::openai::FunctionSpec, Failure> {
    let param = format!("tools[{at}]");
    match (&*tool.kind, &tool.function) {
        ("function", Some(function)) => Ok(function.clone()),
        ("function", None) => Err(Failure::invalid(&param, "the tool has no `function`")),
        _ => Err(Failure::unsupported(
            &format!("{param}.type"),
            "offer tools of type `function`",
        )),
    }
}

/// How `/v1/chat/completions` words an answer.
struct Chat {
    logprobs: bool,
    /// Whether a stream ends with the usage.
    usage: bool,
    /// Calls that each answer of a stream has begun.
    calls: Vec<u32>,
    /// What stands around the text in each answer's parts that are nothing but text.
    around: Vec<Option<Around>>,
}

impl Chat {
    /// Parts that are nothing but text differ in it alone: the rest is worded once.
    fn text(&mut self, frame: &mut Frame, head: &Head, index: u32, text: &str) {
        let around =
            self.around[index as usize].get_or_insert_with(|| around(head, index, self.usage));
        frame.text(around, text);
    }

    fn logprobs(&self, tokens: Vec<TokenLogprob>) -> Option<Logprobs> {
        self.logprobs.then_some(Logprobs {
            content: Some(tokens),
            refusal: None,
        })
    }

    fn answer(&self, index: u32, said: Said, finish_reason: FinishReason) -> ChatChoice {
        let calls = Some(said.calls).filter(|calls| !calls.is_empty());
        let content = Some(said.text).filter(|text| calls.is_none() || !text.is_empty());
        ChatChoice {
            index,
            message: ChatReply {
                content,
                reasoning_content: said.reasoning,
                tool_calls: calls,
                ..ChatReply::text("")
            },
            logprobs: self.logprobs(said.logprobs),
            finish_reason,
        }
    }
}

impl Wording for Chat {
    const ROUTE: &'static str = ROUTE;
    const PROMPT: &'static str = "messages";
    const SCHEMA: &'static str = "response_format.json_schema.schema";
    const ID_PREFIX: &'static str = "chatcmpl-";

    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8> {
        let choices = (0..).zip(said.into_iter().zip(&conclusion.finishes));
        let choices = choices.map(|(index, (said, finish))| self.answer(index, said, *finish));
        json(&ChatResponse {
            id: head.id.clone(),
            object: ChatObject::Is,
            created: head.created,
            model: head.model.clone(),
            choices: choices.collect(),
            usage: conclusion.usage,
            system_fingerprint: head.system_fingerprint.clone(),
            aigen: Some(conclusion.aigen),
        })
    }

    fn open(&mut self, frame: &mut Frame, head: &Head) {
        let delta = Delta {
            role: Some(Role::Assistant),
            content: Some(String::new()),
            ..Delta::default()
        };
        for index in (0..).take(self.calls.len()) {
            frame.part(&chunk(head, choice(index, delta.clone())), self.usage);
        }
    }

    fn part(&mut self, frame: &mut Frame, head: &Head, index: u32, part: Part<'_>) {
        if let (Part::Text { text, .. }, false) = (&part, self.logprobs) {
            return self.text(frame, head, index, text);
        }
        let mut choice = choice(index, Delta::default());
        let calls = &mut self.calls[index as usize];
        match part {
            Part::Text { text, logprobs } => {
                choice.delta.content = Some(text.into_owned());
                choice.logprobs = self.logprobs(logprobs);
            }
            Part::Call(named) => {
                choice.delta.tool_calls = Some(vec![begun(*calls, named)]);
                *calls += 1;
            }
            Part::Arguments(json) => {
                choice.delta.tool_calls = Some(vec![arguments(*calls - 1, json)]);
            }
            Part::Reasoning(text) => choice.delta.reasoning_content = Some(text),
            Part::CallEnd => return,
        }
        frame.part(&chunk(head, choice), self.usage);
    }

    fn close(&mut self, frame: &mut Frame, head: &Head, conclusion: Conclusion) {
        let (usage, mut aigen) = (conclusion.usage, Some(conclusion.aigen));
        let mut finishes = (0..).zip(conclusion.finishes).peekable();
        while let Some((index, finish)) = finishes.next() {
            // What the call came to is said once: in the last part, or beside the usage.
            let last = finishes.peek().is_none() && !self.usage;
            let ending = ChatChunk {
                aigen: aigen.take_if(|_| last),
                ..chunk(head, ending(index, finish))
            };
            frame.part(&ending, self.usage);
        }
        if aigen.is_some() {
            frame.data(&ChatChunk {
                usage: Some(usage),
                aigen,
                ..chunk(head, None)
            });
        }
        frame.raw(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, frame: &mut Frame, _: &Head, failure: Failure) {
        frame.data(&failure.envelope());
    }
}

/// Behind the text there are names of our own only.
fn around(head: &Head, index: u32, usage_comes: bool) -> Around {
    let content = Some(String::new());
    let delta = Delta {
        content,
        ..Delta::default()
    };
    let chunk = chunk(head, choice(index, delta));
    match usage_comes {
        true => Around::of(&NoUsageYet::of(&chunk), "content"),
        false => Around::of(&chunk, "content"),
    }
}

fn begun(index: u32, Named { id, name }: Named) -> ToolCallDelta {
    ToolCallDelta {
        index,
        id: Some(id),
        kind: Some("function".to_owned()),
        function: FunctionDelta {
            name: Some(name),
            arguments: String::new(),
        },
    }
}

fn arguments(index: u32, arguments: String) -> ToolCallDelta {
    let name = None;
    ToolCallDelta {
        index,
        function: FunctionDelta { name, arguments },
        ..ToolCallDelta::default()
    }
}

fn ending(index: u32, finish: FinishReason) -> ChunkChoice {
    ChunkChoice {
        finish_reason: Some(finish),
        ..choice(index, Delta::default())
    }
}

fn choice(index: u32, delta: Delta) -> ChunkChoice {
    ChunkChoice {
        index,
        delta,
        logprobs: None,
        finish_reason: None,
    }
}

fn chunk(head: &Head, choice: impl Into<Option<ChunkChoice>>) -> ChatChunk {
    ChatChunk {
        id: head.id.clone(),
        object: ChatChunkObject::Is,
        created: head.created,
        model: head.model.clone(),
        choices: choice.into().into_iter().collect(),
        usage: None,
        system_fingerprint: head.system_fingerprint.clone(),
        aigen: None,
    }
}
