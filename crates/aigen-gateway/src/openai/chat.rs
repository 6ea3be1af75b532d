use super::answer::{Ask, Streaming, complete};
use super::steering::{sampling, steering};
use super::wording::{Answer, Head, Wording};
use crate::extract::Post;
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::openai::{
    AigenReply, ChatChoice, ChatChunk, ChatChunkObject, ChatObject, ChatReply, ChatRequest,
    ChatResponse, ChunkChoice, Delta, FinishReason, Logprobs, Message, Role, TokenLogprob, Usage,
};
use aigen_node::{ChatMessage, Prompt, Speaker};
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

pub(super) const ROUTE: &str = "/v1/chat/completions";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    post: Post<ChatRequest>,
) -> Result<Response, Failure> {
    let request = &post.body;
    request.check()?;
    refuse_unsupported(request)?;
    let asked = request.sampling();
    let ask = Ask {
        model: request.model.clone(),
        prompt: Prompt::Chat(messages(&request.messages)?),
        max_tokens: asked.max_tokens,
        sampling: sampling(&asked),
        stops: asked.stop.clone(),
        top_logprobs: asked.logprobs,
        steering: steering(request.aigen.as_ref(), request.response_format.as_ref())?,
        parties: post.parties.with(request.aigen.as_ref())?,
        max_cost: request.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        streaming: request.is_stream().then(|| Streaming {
            usage: request.includes_usage(),
        }),
        wording: Chat {
            logprobs: asked.logprobs.is_some(),
        },
    };
    complete(&gateway, post, ask).await
}

/// What would change the answer and cannot here is refused by name.
fn refuse_unsupported(request: &ChatRequest) -> Result<(), Failure> {
    if request.n.is_some_and(|n| n > 1) {
        return Err(Failure::unsupported("n", "ask once for each answer"));
    }
    let fields = [
        ("tools", &request.tools),
        ("functions", &request.functions),
        ("function_call", &request.function_call),
        ("audio", &request.audio),
        ("web_search_options", &request.web_search_options),
    ];
    for (name, value) in fields {
        if value.as_ref().is_some_and(asks_for_something) {
            return Err(Failure::unsupported(name, "leave it out"));
        }
    }
    let forced = |choice: &Value| !matches!(choice.as_str(), Some("none" | "auto"));
    if request.tool_choice.as_ref().is_some_and(forced) {
        return Err(Failure::unsupported("tool_choice", "leave it out"));
    }
    let only_text = |modalities: &Value| *modalities == serde_json::json!(["text"]);
    if !request.modalities.as_ref().is_none_or(only_text) {
        return Err(Failure::unsupported("modalities", "ask for [\"text\"]"));
    }
    Ok(())
}

fn asks_for_something(value: &Value) -> bool {
    !matches!(value, Value::Null) && value.as_array().is_none_or(|list| !list.is_empty())
}

fn messages(messages: &[Message]) -> Result<Vec<ChatMessage>, Failure> {
    let messages = messages.iter().enumerate();
    messages.map(|(at, message)| turn(at, message)).collect()
}

fn turn(at: usize, message: &Message) -> Result<ChatMessage, Failure> {
    if message
        .tool_calls
        .as_ref()
        .is_some_and(|calls| !calls.is_empty())
    {
        let param = format!("messages[{at}].tool_calls");
        return Err(Failure::unsupported(&param, "leave it out"));
    }
    let speaker = match message.role {
        Role::Developer | Role::System => Speaker::System,
        Role::User => Speaker::User,
        Role::Assistant => Speaker::Assistant,
        Role::Tool => Speaker::Tool,
    };
    let content = message.content.as_ref();
    let content = content.map(|content| content.text().into_owned());
    Ok(ChatMessage::new(speaker, content.unwrap_or_default()))
}

/// How `/v1/chat/completions` words an answer.
struct Chat {
    logprobs: bool,
}

impl Chat {
    fn logprobs(&self, tokens: Vec<TokenLogprob>) -> Option<Logprobs> {
        self.logprobs.then_some(Logprobs {
            content: Some(tokens),
            refusal: None,
        })
    }
}

impl Wording for Chat {
    const ROUTE: &'static str = ROUTE;
    const PROMPT: &'static str = "messages";
    const ID_PREFIX: &'static str = "chatcmpl-";
    type Whole = ChatResponse;
    type Part = ChatChunk;

    fn whole(&mut self, head: Head, answer: Answer) -> ChatResponse {
        let choice = ChatChoice {
            index: 0,
            message: ChatReply::text(answer.text),
            logprobs: self.logprobs(answer.logprobs),
            finish_reason: answer.finish,
        };
        ChatResponse {
            id: head.id,
            object: ChatObject::Is,
            created: head.created,
            model: head.model,
            choices: vec![choice],
            usage: answer.usage,
            system_fingerprint: head.system_fingerprint,
            aigen: Some(answer.aigen),
        }
    }

    fn opening(&self, head: &Head) -> Option<ChatChunk> {
        let delta = Delta {
            role: Some(Role::Assistant),
            content: Some(String::new()),
            tool_calls: None,
        };
        Some(chunk(head, choice(delta)))
    }

    fn part(&mut self, head: &Head, text: String, logprobs: Vec<TokenLogprob>) -> ChatChunk {
        let delta = Delta {
            content: Some(text),
            ..Delta::default()
        };
        let logprobs = self.logprobs(logprobs);
        chunk(
            head,
            ChunkChoice {
                logprobs,
                ..choice(delta)
            },
        )
    }

    fn ending(&self, head: &Head, finish: FinishReason, aigen: Option<AigenReply>) -> ChatChunk {
        let last = ChunkChoice {
            finish_reason: Some(finish),
            ..choice(Delta::default())
        };
        ChatChunk {
            aigen,
            ..chunk(head, last)
        }
    }

    fn usage(&self, head: &Head, usage: Usage, aigen: AigenReply) -> ChatChunk {
        ChatChunk {
            usage: Some(usage),
            aigen: Some(aigen),
            ..chunk(head, None)
        }
    }
}

fn choice(delta: Delta) -> ChunkChoice {
    ChunkChoice {
        index: 0,
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
