use super::answer::{Ask, Streaming, complete};
use super::steering::{sampling, steering};
use super::wording::{Answer, Head, Wording};
use crate::extract::Post;
use crate::failure::Failure;
use crate::limits::COMPLETION_TOKENS;
use crate::state::Gateway;
use aigen_api::openai::{
    AigenReply, CompletionChoice, CompletionLogprobs, CompletionObject, CompletionRequest,
    CompletionResponse, FinishReason, Prompt as Asked, TokenLogprob, Usage,
};
use aigen_node::Prompt;
use axum::extract::State;
use axum::response::Response;

pub(super) const ROUTE: &str = "/v1/completions";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    post: Post<CompletionRequest>,
) -> Result<Response, Failure> {
    let request = &post.body;
    request.check()?;
    refuse_unsupported(request)?;
    let asked = request.sampling();
    let ask = Ask {
        model: request.model.clone(),
        prompt: Prompt::Text(text(&request.prompt)?),
        max_tokens: Some(asked.max_tokens.unwrap_or(COMPLETION_TOKENS)),
        sampling: sampling(&asked),
        stops: asked.stop.clone(),
        top_logprobs: asked.logprobs,
        steering: steering(request.aigen.as_ref(), None)?,
        parties: post.parties.with(request.aigen.as_ref())?,
        max_cost: request.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        streaming: request.is_stream().then(|| Streaming {
            usage: request.includes_usage(),
        }),
        wording: Text {
            logprobs: asked.logprobs,
            offset: 0,
        },
    };
    complete(&gateway, post, ask).await
}

/// What would change the answer and cannot here is refused by name.
fn refuse_unsupported(request: &CompletionRequest) -> Result<(), Failure> {
    let many = |count: Option<u32>| count.is_some_and(|count| count > 1);
    let wrong = [
        ("n", many(request.n), "ask once for each answer"),
        ("best_of", many(request.best_of), "leave it out"),
        ("echo", request.echo == Some(true), "leave it out"),
        ("suffix", request.suffix.is_some(), "leave it out"),
    ];
    match wrong.into_iter().find(|(_, asked_for, _)| *asked_for) {
        Some((param, _, way_out)) => Err(Failure::unsupported(param, way_out)),
        None => Ok(()),
    }
}

fn text(prompt: &Asked) -> Result<String, Failure> {
    match prompt {
        Asked::Text(text) => Ok(text.clone()),
        Asked::Texts(texts) => match texts.as_slice() {
            [text] => Ok(text.clone()),
            _ => Err(Failure::unsupported("prompt", "send one text per request")),
        },
        Asked::Tokens(_) | Asked::TokenLists(_) => {
            Err(Failure::unsupported("prompt", "send the prompt as text"))
        }
    }
}

/// How `/v1/completions` words an answer.
struct Text {
    logprobs: Option<u32>,
    /// Characters of the answer so far.
    offset: u32,
}

impl Text {
    /// Lists side by side, one entry per token.
    fn logprobs(&mut self, tokens: Vec<TokenLogprob>) -> Option<CompletionLogprobs> {
        let alternatives = self.logprobs?;
        let mut lists = CompletionLogprobs::default();
        let mut tops = Vec::new();
        for token in tokens {
            lists.text_offset.push(self.offset);
            self.offset += u32::try_from(token.token.chars().count()).unwrap_or(u32::MAX);
            let top = token.top_logprobs.into_iter();
            tops.push(Some(top.map(|top| (top.token, top.logprob)).collect()));
            lists.tokens.push(token.token);
            lists.token_logprobs.push(Some(token.logprob));
        }
        lists.top_logprobs = (alternatives > 0).then_some(tops);
        Some(lists)
    }

    fn choice(&mut self, text: String, logprobs: Vec<TokenLogprob>) -> CompletionChoice {
        CompletionChoice {
            text,
            index: 0,
            logprobs: self.logprobs(logprobs),
            finish_reason: None,
        }
    }
}

impl Wording for Text {
    const ROUTE: &'static str = ROUTE;
    const PROMPT: &'static str = "prompt";
    const ID_PREFIX: &'static str = "cmpl-";
    type Whole = CompletionResponse;
    type Part = CompletionResponse;

    fn whole(&mut self, head: Head, answer: Answer) -> CompletionResponse {
        let choice = CompletionChoice {
            finish_reason: Some(answer.finish),
            ..self.choice(answer.text, answer.logprobs)
        };
        CompletionResponse {
            usage: Some(answer.usage),
            aigen: Some(answer.aigen),
            ..response(&head, choice)
        }
    }

    fn opening(&self, _: &Head) -> Option<CompletionResponse> {
        None
    }

    fn part(&mut self, head: &Head, text: String, logprobs: Vec<TokenLogprob>) -> Self::Part {
        response(head, self.choice(text, logprobs))
    }

    fn ending(&self, head: &Head, finish: FinishReason, aigen: Option<AigenReply>) -> Self::Part {
        let last = CompletionChoice {
            text: String::new(),
            index: 0,
            logprobs: None,
            finish_reason: Some(finish),
        };
        CompletionResponse {
            aigen,
            ..response(head, last)
        }
    }

    fn usage(&self, head: &Head, usage: Usage, aigen: AigenReply) -> Self::Part {
        CompletionResponse {
            usage: Some(usage),
            aigen: Some(aigen),
            ..response(head, None)
        }
    }
}

fn response(head: &Head, choice: impl Into<Option<CompletionChoice>>) -> CompletionResponse {
    CompletionResponse {
        id: head.id.clone(),
        object: CompletionObject::Is,
        created: head.created,
        model: head.model.clone(),
        choices: choice.into().into_iter().collect(),
        usage: None,
        system_fingerprint: head.system_fingerprint.clone(),
        aigen: None,
    }
}
