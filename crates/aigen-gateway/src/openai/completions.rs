use super::answer::{Ask, complete, json};
use super::chat::asks_for_something;
use super::conclusion::Conclusion;
use super::frame::Frame;
use super::speech::{Part, Said};
use super::steering::{datasets, sampling, steering};
use super::wording::{Head, Wording};
use crate::extract::Post;
use crate::failure::Failure;
use crate::limits::{ANSWERS_MAX, COMPLETION_TOKENS};
use crate::state::Gateway;
use aigen_api::openai::{
    CompletionChoice, CompletionLogprobs, CompletionObject, CompletionRequest, CompletionResponse,
    FinishReason, Prompt as Asked, TokenLogprob,
};
use aigen_node::Prompt;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

pub(super) const ROUTE: &str = "/v1/completions";

pub(super) async fn create(
    State(gateway): State<Gateway>,
    post: Post<Box<CompletionRequest>>,
) -> Result<Response, Failure> {
    let request = &post.body;
    request.check()?;
    refuse_unsupported(request)?;
    let asked = request.sampling();
    let mut prompts = prompts(&request.prompt)?;
    let answers = answers(prompts.len(), asked.choices)?;
    let ask = Box::new(Ask {
        model: request.model.clone(),
        prompt: prompts.remove(0),
        others: prompts,
        max_tokens: Some(asked.max_tokens.unwrap_or(COMPLETION_TOKENS)),
        choices: asked.choices,
        sampling: sampling(&asked),
        stops: asked.stop.clone(),
        top_logprobs: asked.logprobs,
        steering: steering(request.aigen.as_ref(), None, None)?,
        parties: post.parties.with(request.aigen.as_ref())?,
        max_cost: request.aigen.as_ref().and_then(|aigen| aigen.max_cost),
        stream: request.is_stream(),
        retract: request.aigen.as_ref().is_some_and(|aigen| aigen.retract),
        trace: request.aigen.as_ref().is_some_and(|aigen| aigen.trace),
        replay: request.aigen.as_ref().is_some_and(|aigen| aigen.replay),
        datasets: datasets(request.aigen.as_ref())?,
        wording: Text {
            logprobs: asked.logprobs,
            usage: request.includes_usage(),
            offsets: vec![0; answers],
        },
    });
    complete(&gateway, &post, ask).await
}

/// What would change the answer and cannot here is refused by name.
fn refuse_unsupported(request: &CompletionRequest) -> Result<(), Failure> {
    const FORM: &str = "use `aigen.controller`";
    let some = |value: &Option<Value>| value.as_ref().is_some_and(asks_for_something);
    let many = |count: Option<u32>| count.is_some_and(|count| count > 1);
    let wrong = [
        ("best_of", many(request.best_of), "leave it out"),
        ("echo", request.echo == Some(true), "leave it out"),
        (
            "suffix",
            request
                .suffix
                .as_deref()
                .is_some_and(|text| !text.is_empty()),
            "leave it out",
        ),
        ("ignore_eos", some(&request.ignore_eos), "leave it out"),
        ("min_tokens", some(&request.min_tokens), "leave it out"),
        (
            "stop_token_ids",
            some(&request.stop_token_ids),
            "use `stop`",
        ),
        (
            "structured_outputs",
            some(&request.structured_outputs),
            FORM,
        ),
        ("guided_json", some(&request.guided_json), FORM),
        ("guided_regex", some(&request.guided_regex), FORM),
        ("guided_choice", some(&request.guided_choice), FORM),
        ("guided_grammar", some(&request.guided_grammar), FORM),
    ];
    match wrong.into_iter().find(|(_, asked_for, _)| *asked_for) {
        Some((param, _, way_out)) => Err(Failure::unsupported(param, way_out)),
        None => Ok(()),
    }
}

/// At least one.
fn prompts(asked: &Asked) -> Result<Vec<Prompt>, Failure> {
    let prompts: Vec<_> = match asked {
        Asked::Text(text) => vec![Prompt::Text(text.clone())],
        Asked::Texts(texts) => texts.iter().cloned().map(Prompt::Text).collect(),
        Asked::Tokens(tokens) => vec![Prompt::Tokens(tokens.clone())],
        Asked::TokenLists(lists) => lists.iter().cloned().map(Prompt::Tokens).collect(),
    };
    let empty = |prompt: &Prompt| matches!(prompt, Prompt::Tokens(tokens) if tokens.is_empty());
    if prompts.is_empty() || prompts.iter().any(empty) {
        let reason = "there is nothing to continue: send a text, or at least one token";
        return Err(Failure::invalid("prompt", reason));
    }
    Ok(prompts)
}

/// All answers to all prompts.
fn answers(prompts: usize, each: u32) -> Result<usize, Failure> {
    let answers = prompts.saturating_mul(each as usize);
    if answers > ANSWERS_MAX {
        let reason = format!("a request has at most {ANSWERS_MAX} answers, its prompts times `n`");
        return Err(Failure::invalid("prompt", reason));
    }
    Ok(answers)
}

/// How `/v1/completions` words an answer.
struct Text {
    logprobs: Option<u32>,
    /// Whether a stream ends with the usage.
    usage: bool,
    /// Characters of each answer so far.
    offsets: Vec<u32>,
}

impl Text {
    /// Lists side by side, one entry per token.
    fn logprobs(&mut self, index: u32, tokens: Vec<TokenLogprob>) -> Option<CompletionLogprobs> {
        let alternatives = self.logprobs?;
        let offset = &mut self.offsets[index as usize];
        let mut lists = CompletionLogprobs::default();
        let mut tops = Vec::new();
        for token in tokens {
            lists.text_offset.push(*offset);
            *offset += u32::try_from(token.token.chars().count()).unwrap_or(u32::MAX);
            let top = token.top_logprobs.into_iter();
            tops.push(Some(top.map(|top| (top.token, top.logprob)).collect()));
            lists.tokens.push(token.token);
            lists.token_logprobs.push(Some(token.logprob));
        }
        lists.top_logprobs = (alternatives > 0).then_some(tops);
        Some(lists)
    }

    fn choice(
        &mut self,
        index: u32,
        text: String,
        logprobs: Vec<TokenLogprob>,
    ) -> CompletionChoice {
        CompletionChoice {
            text,
            index,
            logprobs: self.logprobs(index, logprobs),
            finish_reason: None,
        }
    }
}

impl Wording for Text {
    const ROUTE: &'static str = ROUTE;
    const PROMPT: &'static str = "prompt";
    const SCHEMA: &'static str = "aigen.controller";
    const ID_PREFIX: &'static str = "cmpl-";

    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8> {
        let choices = (0..).zip(said.into_iter().zip(conclusion.finishes));
        let choices = choices.map(|(index, (said, finish))| CompletionChoice {
            finish_reason: Some(finish),
            ..self.choice(index, said.text, said.logprobs)
        });
        json(&CompletionResponse {
            choices: choices.collect(),
            usage: Some(conclusion.usage),
            aigen: Some(conclusion.aigen),
            ..response(head, None)
        })
    }

    fn open(&mut self, _: &mut Frame, _: &Head) {}

    fn part(&mut self, frame: &mut Frame, head: &Head, index: u32, part: Part<'_>) {
        if let Part::Text { text, logprobs } = part {
            let usage_comes = self.usage;
            frame.part(
                &response(head, self.choice(index, text.into_owned(), logprobs)),
                usage_comes,
            );
        }
    }

    fn close(&mut self, frame: &mut Frame, head: &Head, conclusion: Conclusion) {
        let (usage, mut aigen) = (conclusion.usage, Some(conclusion.aigen));
        let mut finishes = (0..).zip(conclusion.finishes).peekable();
        while let Some((index, finish)) = finishes.next() {
            // What the call came to is said once: in the last part, or beside the usage.
            let last = finishes.peek().is_none() && !self.usage;
            let ending = CompletionResponse {
                aigen: aigen.take_if(|_| last),
                ..response(head, ending(index, finish))
            };
            frame.part(&ending, self.usage);
        }
        if aigen.is_some() {
            frame.data(&CompletionResponse {
                usage: Some(usage),
                aigen,
                ..response(head, None)
            });
        }
        frame.raw(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, frame: &mut Frame, _: &Head, failure: Failure) {
        frame.data(&failure.envelope());
    }
}

fn ending(index: u32, finish: FinishReason) -> CompletionChoice {
    CompletionChoice {
        text: String::new(),
        index,
        logprobs: None,
        finish_reason: Some(finish),
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
