use super::asking::{Again, Asking, Before};
use super::conclusion::{Broken, Conclusion, conclude, unsettled};
use super::logprobs::logprobs;
use super::once::Once;
use super::speech::{Said, Speech};
use super::stream;
use super::trace;
use super::wording::{Head, Wording};
use crate::access::Access;
use crate::extract::Post;
use crate::failure::Failure;
use crate::parties::Parties;
use crate::rates;
use crate::replies::{Kind, Reply};
use crate::state::Gateway;
use aigen_api::openai::TraceStep;
use aigen_api::resources::{Quote, QuotedRead};
use aigen_node::{
    CallEvent, CompletionRequest, DatasetAsk, Ended, NodeError, Prompt, ReadError, Sampling,
    Served, Steering, TokenId, Tokenizer, random_call_id, without_secrets,
};
use aigen_types::{Address, Amount, CallId, ModelName};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// One completion, checked, in the form that all routes share. In a box as soon as it is made: each future that it
/// goes through would have room for it twice, for what is given and for what is worked with.
pub(crate) struct Ask<W> {
    pub model: String,
    pub prompt: Prompt,
    /// Further prompts, whose answers follow those of the first.
    pub others: Vec<Prompt>,
    pub max_tokens: Option<u32>,
    /// How many answers to each prompt.
    pub choices: u32,
    pub max_cost: Option<Amount>,
    pub parties: Parties,
    pub sampling: Sampling,
    pub stops: Vec<String>,
    pub top_logprobs: Option<u32>,
    pub steering: Steering,
    /// Datasets whose passages enter the prompt.
    pub datasets: Vec<DatasetAsk>,
    /// Whether the answer comes in parts.
    pub stream: bool,
    /// Whether a stream carries text that may be taken back.
    pub retract: bool,
    /// Whether the answer says what happened, step by step.
    pub trace: bool,
    /// Whether the call can be run again.
    pub replay: bool,
    pub wording: W,
}

/// A call that was let in, on its way to the one who asked. Dropping it, as the server does when
/// the client is gone, ends the call; what it produced is charged.
pub(crate) struct Underway<W> {
    pub gateway: Gateway,
    pub access: Access,
    pub asking: Asking,
    /// Who pays, for failures that say so.
    pub payer: Address,
    pub head: Head,
    /// Absent for a model elsewhere, whose tokens nobody here knows.
    pub tokenizer: Option<Arc<dyn Tokenizer>>,
    /// One for each answer.
    pub speeches: Vec<Speech>,
    pub wording: W,
}

/// Runs a completion and answers it, whole or as a stream, and says what is left of the key's
/// rates.
pub(crate) async fn complete<T, W: Wording>(
    gateway: &Gateway,
    post: &Post<T>,
    ask: Box<Ask<W>>,
) -> Result<Response, Failure> {
    // A kilobyte, which each layer around a handler would move once more.
    let answered = Box::pin(answer(gateway, post, ask)).await;
    let mut response = answered.into_response();
    rates::tell(response.headers_mut(), gateway, &post.caller.key);
    Ok(response)
}

/// The same, without the rates.
pub(crate) async fn answer<T, W: Wording>(
    gateway: &Gateway,
    post: &Post<T>,
    ask: Box<Ask<W>>,
) -> Result<Response, Failure> {
    let access = &post.access;
    access.note(|facts| facts.model = Some(printable(&ask.model)));
    let once = Once::of(post, W::ROUTE);
    if let Some(reply) = once.kept(gateway)? {
        access.note(|facts| facts.outcome = Some("replayed".to_owned()));
        return Ok(reply.into_response());
    }
    let (model, served) = served(gateway, &ask.model)?;
    known(&ask.sampling, &served)?;
    for prompt in [&ask.prompt].into_iter().chain(&ask.others) {
        if let (Prompt::Tokens(tokens), Some(tokenizer)) = (prompt, served.tokenizer()) {
            in_vocabulary(W::PROMPT, tokens, tokenizer.vocab_size())?;
        }
    }
    let (stream, steered) = (ask.stream, by(&ask.steering, W::SCHEMA));
    let began = match queue(gateway, post, once.call, model, &served, ask).await {
        Ok(underway) => began(underway, stream).await,
        Err(error) => Err((error, Before::default())),
    };
    let (mut underway, waits) = match began {
        Ok(began) => began,
        Err((NodeError::CallExists { same: true, .. }, before)) if before.calls.is_empty() => {
            return once.again(gateway, post);
        }
        Err((error, _)) if is_of_prompt(&error) => {
            return Err(Failure::from(error).param(W::PROMPT));
        }
        Err((error, before)) => {
            let failure = unsteered(error, steered, &post.caller.account);
            return Err(before.charged_in(failure));
        }
    };
    // Until the call's end says otherwise.
    access.note(|facts| facts.outcome = Some("client_gone".to_owned()));
    // What is known to have failed has a status, and no stream.
    if stream && !underway.asking.has_failed() {
        return Ok(stream::respond(underway, once, waits));
    }
    let reply = underway.whole().await?;
    once.keep(gateway, &reply);
    Ok(reply.into_response())
}

/// Whether it is what was asked that is wrong, which each route calls by a name of its own.
fn is_of_prompt(error: &NodeError) -> bool {
    matches!(
        error,
        NodeError::ContextTooLong { .. }
            | NodeError::PromptTooLong { .. }
            | NodeError::PassagesUnread {
                named: false,
                error: ReadError::LongQuery { .. },
                ..
            }
    )
}

/// A token that the model has not cannot become likelier.
fn known(sampling: &Sampling, served: &Served) -> Result<(), Failure> {
    let Some(tokenizer) = served.tokenizer().filter(|_| !sampling.bias.is_empty()) else {
        return Ok(());
    };
    let biased: Vec<_> = sampling.bias.iter().map(|(token, _)| *token).collect();
    in_vocabulary("logit_bias", &biased, tokenizer.vocab_size())
}

/// Whether a model of so many tokens has all of these.
pub(crate) fn in_vocabulary(param: &str, tokens: &[TokenId], has: u32) -> Result<(), Failure> {
    match tokens.iter().find(|token| **token >= has) {
        Some(token) => {
            let reason = format!("{token} is none of the model's {has} tokens");
            Err(Failure::invalid(param, reason))
        }
        None => Ok(()),
    }
}

/// Why a call did not begin, with the field that is to blame: what steers it, where one alone does.
pub(crate) fn unsteered(
    error: NodeError,
    steered: Option<&'static str>,
    payer: &Address,
) -> Failure {
    let param = match &error {
        NodeError::Steering(_) => steered,
        NodeError::DatasetUnknown(_) => Some("aigen.datasets"),
        _ => None,
    };
    let failure = Failure::to_payer(error, payer);
    match param {
        Some(param) => failure.param(param),
        None => failure,
    }
}

/// The field of a request that steers, where one alone does.
pub(crate) fn by(steering: &Steering, schema: &'static str) -> Option<&'static str> {
    match steering {
        Steering::JsonObject | Steering::JsonSchema(_) => Some(schema),
        Steering::Tools(_) => Some("tools"),
        _ => None,
    }
}

/// Waits until there is something to tell; the call, and whether it is still waited for. A stream is
/// not kept waiting in silence: after a while it begins with comments, though a refusal has no status
/// then.
async fn began<W>(
    mut underway: Box<Underway<W>>,
    stream: bool,
) -> Result<(Box<Underway<W>>, bool), (NodeError, Before)> {
    let keep_alive = underway.gateway.keep_alive;
    let ready = underway.asking.ready();
    let ready = match stream {
        false => Some(ready.await),
        true => timeout(keep_alive, ready).await.ok(),
    };
    match ready {
        Some(Err(error)) => Err((error, underway.asking.before())),
        Some(Ok(())) => Ok((underway, false)),
        None => Ok((underway, true)),
    }
}

/// The name as a log may show it: a request can say anything.
fn printable(model: &str) -> String {
    match model.parse::<ModelName>() {
        Ok(model) => without_secrets(model.as_str()).into_owned(),
        Err(_) => "invalid".to_owned(),
    }
}

/// The model, if it runs here; the failure names those that do, or how far this one is.
pub(crate) fn served(gateway: &Gateway, model: &str) -> Result<(ModelName, Arc<Served>), Failure> {
    // Where functions are served their names have been taken for models by now.
    if model.starts_with("fn:") {
        return Err(Failure::invalid(
            "model",
            "functions are not served here; chat completions, responses, messages and POST /v1/functions/{owner}/{name} compute them",
        ));
    }
    let node = &gateway.node;
    let unknown = || Failure::model_unknown(model, node.models().keys());
    let name: ModelName = model.parse().map_err(|_| unknown())?;
    match node.serving(&name) {
        Ok(served) => Ok((name, served)),
        Err(NodeError::ModelUnknown { .. }) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

async fn queue<T, W: Wording>(
    gateway: &Gateway,
    post: &Post<T>,
    call: CallId,
    model: ModelName,
    served: &Served,
    ask: Box<Ask<W>>,
) -> Result<Box<Underway<W>>, NodeError> {
    let head = head::<W>(&model, served, call);
    let speeches = (0..ask.answers()).map(|choice| Speech::new(call, choice, &ask.steering));
    let speeches = speeches.collect();
    let tokenizer = served.tokenizer();
    let (request, wording) = ask.request(post, call, model);
    let again = Again::of(gateway, post, served, &request);
    let queued = gateway.node.queue(&post.caller, request).await?;
    let controller = queued.running.controller;
    post.access.note(|facts| {
        facts.controller = controller;
        facts.call = Some(call);
    });
    // A kilobyte that goes from hand to hand.
    Ok(Box::new(Underway {
        asking: Asking::new(queued, post.access.clone(), again),
        gateway: gateway.clone(),
        access: post.access.clone(),
        payer: post.caller.account.clone(),
        head,
        tokenizer,
        speeches,
        wording,
    }))
}

/// What a completion would cost.
pub(crate) async fn quoted<T, W: Wording>(
    gateway: &Gateway,
    post: &Post<T>,
    ask: Box<Ask<W>>,
) -> Result<Quote, Failure> {
    post.access
        .note(|facts| facts.model = Some(printable(&ask.model)));
    let (model, served) = served(gateway, &ask.model)?;
    let (request, _) = ask.request(post, random_call_id(), model.clone());
    let again = Again::of(gateway, post, &served, &request);
    let quoted = gateway.node.quote(&post.caller, request).await;
    let quoted = quoted.map_err(|error| match error {
        error if is_of_prompt(&error) => Failure::from(error).param(W::PROMPT),
        error => Failure::to_payer(error, &post.caller.account),
    })?;
    let reads = quoted.cost.reads.iter().map(|read| QuotedRead {
        dataset: read.wanted.dataset.clone(),
        rows: read.wanted.rows.count(),
        hits: read.wanted.hits,
        fee: read.fee,
    });
    Ok(Quote {
        model,
        prompt_tokens: quoted.prompt_tokens,
        output_tokens: quoted.output_tokens,
        reads: reads.collect(),
        fees: quoted.cost.reads.iter().map(|read| read.fee).sum(),
        least: quoted.cost.least,
        most: quoted.cost.most,
        retries: again.map_or(0, |again| again.times()),
        payer: quoted.cost.payer,
    })
}

impl<W> Ask<W> {
    /// How many answers there will be.
    fn answers(&self) -> u32 {
        let prompts = u32::try_from(self.others.len()).unwrap_or(u32::MAX);
        self.choices.saturating_mul(prompts.saturating_add(1))
    }

    fn request<T>(
        self,
        post: &Post<T>,
        call: CallId,
        model: ModelName,
    ) -> (Box<CompletionRequest>, W) {
        let request = CompletionRequest {
            call,
            parent: None,
            request: post.digest,
            model,
            prompt: self.prompt,
            others: self.others,
            corrections: Vec::new(),
            max_tokens: self.max_tokens,
            max_cost: self.max_cost,
            end_user: self.parties.end_user,
            bill_to: self.parties.bill_to,
            sampling: self.sampling,
            stops: self.stops,
            top_logprobs: self.top_logprobs.and_then(|top| u8::try_from(top).ok()),
            choices: self.choices,
            steering: self.steering,
            replay: self.replay,
            retract: self.stream && self.retract,
            trace: self.trace,
            datasets: self.datasets,
            traceparent: Some(post.access.traceparent()),
        };
        (Box::new(request), self.wording)
    }
}

fn head<W: Wording>(model: &ModelName, served: &Served, call: CallId) -> Head {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let digest = served.info().digest;
    Head {
        id: format!("{}{call}", W::ID_PREFIX),
        created: now.map_or(0, |since| since.as_secs()),
        model: model.to_string(),
        system_fingerprint: Some(format!("fp_{}", digest.short(12))),
        prompt_tokens: 0,
    }
}

impl<W: Wording> Underway<W> {
    /// What repeats the id of the call names the one whose answer it is.
    pub fn begin(&mut self) {
        let running = self.asking.running();
        self.head.id = format!("{}{}", W::ID_PREFIX, running.call);
        self.head.prompt_tokens = running.prompt_tokens;
    }

    /// The answer in one piece. `Err` only where nothing was settled.
    async fn whole(&mut self) -> Result<Reply, Failure> {
        self.begin();
        let mut said = vec![Said::default(); self.speeches.len()];
        let call = self.asking.running().call;
        while let Some(event) = self.asking.next().await {
            match event {
                CallEvent::Piece { choice, piece } => {
                    let choice = choice as usize;
                    let said = &mut said[choice];
                    said.reason(&piece.reasoning);
                    said.trace.extend(trace::steps(piece.trace));
                    let tokens = logprobs(piece.logprobs, self.tokenizer.as_deref());
                    self.speeches[choice].hear(&piece.text, tokens, |part| said.take(part));
                }
                CallEvent::Ended(ended) => {
                    for (speech, said) in self.speeches.iter_mut().zip(&mut said) {
                        speech.rest().into_iter().for_each(|part| said.take(part));
                    }
                    return self.concluded(said, *ended);
                }
            }
        }
        Err(unsettled(&self.access, call).failure)
    }

    fn concluded(&mut self, mut said: Vec<Said>, ended: Ended) -> Result<Reply, Failure> {
        let call = self.asking.running().call;
        let before = self.asking.before();
        let concluded = conclude(&self.gateway, &self.access, (call, &before), ended);
        let mut conclusion = match concluded {
            Ok(conclusion) => conclusion,
            Err(broken) => return charged::<W>(call, *broken),
        };
        finish(&mut conclusion, &self.speeches);
        conclusion.aigen.trace = traces(&mut said);
        let (receipt, cost) = (conclusion.aigen.receipt, conclusion.aigen.cost);
        if let Some(failure) = self.wording.refused(&said, &conclusion) {
            let failure = before.named_in(failure.was_charged(receipt, cost));
            let cost = Some(cost);
            return charged::<W>(call, Broken { failure, cost });
        }
        Ok(Reply {
            status: StatusCode::OK,
            receipt,
            cost,
            kind: Kind::Json,
            body: self.wording.whole(&self.head, said, conclusion).into(),
        })
    }
}

/// What happened, if anybody asked: no answer comes about by nothing.
fn traces(said: &mut [Said]) -> Vec<Vec<TraceStep>> {
    let steps = said.iter_mut().map(|said| std::mem::take(&mut said.trace));
    let steps: Vec<_> = steps.collect();
    match steps.iter().all(Vec::is_empty) {
        true => Vec::new(),
        false => steps,
    }
}

/// What was said tells more of why it ended than the model's end does.
pub(super) fn finish(conclusion: &mut Conclusion, speeches: &[Speech]) {
    for (finish, speech) in conclusion.finishes.iter_mut().zip(speeches) {
        *finish = speech.finish(*finish);
    }
}

/// A failure that was paid for is an answer too: the same one at every retry.
fn charged<W: Wording>(call: CallId, broken: Broken) -> Result<Reply, Failure> {
    let Some(cost) = broken.cost else {
        return Err(broken.failure);
    };
    let status = broken.failure.status;
    Ok(Reply {
        status,
        receipt: call,
        cost,
        kind: Kind::Json,
        body: W::error(broken.failure).into(),
    })
}

/// A wire shape as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("wire shapes have text keys only")
}
