use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aigen_engine::ControlLevel;
use aigen_engine::text::{
    Asked, OnText, TextControl, TextEnding, TextEngine, TextEvent, TextFault, TextFinish, TextInfo,
    TextRequest, TextTools, Unshown,
};
use aigen_types::Digest;
use jsonschema::Validator;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Answered, Failed, attempt};
use crate::limits::ANSWER_TOKENS;
use crate::probe::probe;
use crate::road;
use crate::tries::{Tries, tried};
use crate::upstream::{Needs, Upstream};
use crate::{HangUp, Options};

/// A model of other servers, behind the port for such models.
pub struct RemoteEngine(Arc<Shared>);

pub(crate) struct Shared {
    pub options: Options,
    pub upstreams: Vec<Upstream>,
    digest: Digest,
}

impl Shared {
    pub fn open(options: Options) -> Result<Self, reqwest::Error> {
        // Another provider that is installed already does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = road::client(options.timeouts)?;
        let upstreams = options.upstreams.iter().cloned();
        Ok(Self {
            upstreams: upstreams
                .map(|upstream| Upstream::new(upstream, &options, &client))
                .collect(),
            digest: digest(&options),
            options,
        })
    }

    pub fn info(&self) -> TextInfo {
        let levels = self.upstreams.iter().filter_map(Upstream::control);
        let mut tell = self.upstreams.iter().map(Upstream::probabilities);
        TextInfo {
            digest: self.digest,
            context_tokens: self.options.context_tokens,
            answer_tokens: answer_tokens(&self.options),
            control: levels.max().unwrap_or(ControlLevel::Text),
            tools: self.options.tools,
            probabilities: tell.any(|some| some == Some(true)),
            upstreams: self.upstreams.iter().map(Upstream::state).collect(),
        }
    }
}

impl RemoteEngine {
    /// Opens it, and finds out in the background how closely it can be steered. Called from
    /// async code.
    ///
    /// # Errors
    /// When the TLS back end cannot start.
    pub fn open(options: Options) -> Result<Self, reqwest::Error> {
        let shared = Arc::new(Shared::open(options)?);
        tokio::spawn(probe(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// Waits until every upstream was found out about, or this long.
    pub async fn probed(&self, patience: Duration) {
        let known = async {
            while self.0.upstreams.iter().any(Upstream::is_unknown) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(patience, known).await;
    }
}

fn answer_tokens(options: &Options) -> u32 {
    let asked = options.answer_tokens.unwrap_or(ANSWER_TOKENS);
    asked.min(options.context_tokens)
}

/// Weights are not seen: a model elsewhere is what it is called there.
fn digest(options: &Options) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"aigen remote model 1");
    for upstream in &options.upstreams {
        hasher.update(&[0]);
        hasher.update(upstream.model.as_bytes());
    }
    Digest(*hasher.finalize().as_bytes())
}

impl RemoteEngine {
    fn check_tools(&self, tools: &TextTools, request: &TextRequest) -> Result<(), String> {
        if !self.0.options.tools {
            return Err("this model's upstream takes no tools".to_owned());
        }
        if request.schema.is_some() {
            return Err("an upstream is given tools or a schema, not both".to_owned());
        }
        let strict = tools.functions.iter().filter(|function| function.strict);
        for function in strict {
            validator(&function.parameters)?;
        }
        Ok(())
    }
}

impl TextEngine for RemoteEngine {
    fn info(&self) -> TextInfo {
        self.0.info()
    }

    fn check(&self, request: &TextRequest) -> Result<(), String> {
        let needs = Needs {
            schema: false,
            ..Needs::of(request)
        };
        if !self.0.upstreams.iter().any(|upstream| upstream.has(needs)) {
            return Err(
                "this model's upstream does not tell how likely its answers are".to_owned(),
            );
        }
        if let Some(tools) = &request.tools {
            return self.check_tools(tools, request);
        }
        let Some(schema) = &request.schema else {
            return Ok(());
        };
        validator(schema)?;
        let needs = Needs::of(request);
        match self.0.upstreams.iter().any(|upstream| upstream.has(needs)) {
            true => Ok(()),
            false if needs.probabilities && self.info().control > ControlLevel::Text => Err(
                "no upstream of this model both follows a schema and tells how likely its answers are"
                    .to_owned(),
            ),
            false => Err("this model's upstream cannot follow a schema".to_owned()),
        }
    }

    fn start(&self, request: TextRequest, on_event: OnText) -> Asked {
        let control = Control {
            cancelled: CancellationToken::new(),
            hang_up: self.0.options.hang_up,
        };
        let shared = Arc::clone(&self.0);
        let cancelled = control.cancelled.clone();
        Asked {
            answering: Box::pin(answer(shared, request, on_event, cancelled)),
            control: Box::new(control),
        }
    }
}

struct Control {
    cancelled: CancellationToken,
    hang_up: HangUp,
}

impl TextControl for Control {
    fn hang_up(&self) {
        if self.hang_up == HangUp::Cancel {
            self.cancel();
        }
    }

    fn cancel(&self) {
        self.cancelled.cancel();
    }
}

/// From the request to its last event.
async fn answer(
    shared: Arc<Shared>,
    request: TextRequest,
    mut on_event: OnText,
    cancelled: CancellationToken,
) {
    let mut telling = Telling::new(&request, &mut on_event);
    let ended = tokio::select! {
        biased;
        // Dropping the request closes its connection, which is how an upstream hears of it.
        () = cancelled.cancelled() => Ok(Answered { finish: TextFinish::Cancelled, claimed: None }),
        ended = ask(&shared, &request, &mut telling) => ended,
    };
    let ending = telling.ending(ended);
    on_event(TextEvent::Finished(ending));
}

/// Passes parts on as they come; holds those back that a schema must be checked against first.
struct Telling<'a> {
    on_event: &'a mut OnText,
    validator: Option<Validator>,
    held_back: String,
    started: bool,
    /// It was asked how likely the answer is, and has said something without that.
    unweighed: Unweighed,
}

/// Whether an upstream owes it to say how likely its answer is.
#[derive(PartialEq)]
enum Unweighed {
    /// It was not asked, or has said so.
    No,
    /// It was asked, and has said nothing yet.
    Asked,
    /// It was asked, and has said something.
    Yes,
}

impl<'a> Telling<'a> {
    fn new(request: &TextRequest, on_event: &'a mut OnText) -> Self {
        let schema = request.schema.as_ref();
        Self {
            validator: schema.and_then(|schema| validator(schema).ok()),
            on_event,
            held_back: String::new(),
            started: false,
            unweighed: match request.probabilities {
                true => Unweighed::Asked,
                false => Unweighed::No,
            },
        }
    }

    fn hear(&mut self, event: TextEvent) {
        if !self.started {
            self.started = true;
            (self.on_event)(TextEvent::Started);
        }
        match &event {
            TextEvent::Logprob(_) => self.unweighed = Unweighed::No,
            TextEvent::Text(_) if self.unweighed == Unweighed::Asked => {
                self.unweighed = Unweighed::Yes;
            }
            _ => {}
        }
        match (event, &self.validator) {
            (TextEvent::Text(text), Some(_)) => self.held_back.push_str(&text),
            (event, _) => (self.on_event)(event),
        }
    }

    fn ending(mut self, ended: Result<Answered, TextFault>) -> TextEnding {
        let (finish, claimed) = match ended {
            Ok(answered) => (Ok(answered.finish), answered.claimed),
            Err(fault) => (Err(fault), None),
        };
        let finish = match (&self.validator, finish) {
            (Some(validator), Ok(TextFinish::Stop)) => satisfies(validator, &self.held_back),
            (_, finish) => finish,
        };
        let finish = match finish {
            Ok(TextFinish::Stop | TextFinish::Length) if self.unweighed == Unweighed::Yes => {
                let reason = "it was asked how likely its answer is, and does not tell".to_owned();
                Err(TextFault::Broken { reason })
            }
            finish => finish,
        };
        if !self.held_back.is_empty() {
            let text = std::mem::take(&mut self.held_back);
            // What fails its schema is counted and never shown: the fault is the last word.
            (self.on_event)(TextEvent::Text(text.into()));
        }
        TextEnding { finish, claimed }
    }
}

fn satisfies(validator: &Validator, text: &str) -> Result<TextFinish, TextFault> {
    let wrong = |reason: String| TextFault::Schema {
        reason,
        said: Unshown(text.to_owned()),
    };
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match validator.validate(&value) {
        Ok(()) => Ok(TextFinish::Stop),
        // The masked form: an answer's content does not belong into errors.
        Err(error) => Err(wrong(error.masked().to_string())),
    }
}

pub(crate) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::validator_for(schema).map_err(|error| error.to_string())
}

/// Tries upstreams until one begins to answer; then there is no way back.
async fn ask(
    shared: &Shared,
    request: &TextRequest,
    telling: &mut Telling<'_>,
) -> Result<Answered, TextFault> {
    let mut tries = Tries::of(shared, Needs::of(request));
    while let Some((at, upstream)) = tries.next().await {
        match try_one(shared, upstream, request, telling).await {
            Ok(answered) => return Ok(answered),
            Err(failed) => {
                let again = failed.again && !telling.started;
                tries.failed(at, Failed { again, ..failed })?;
            }
        }
    }
    Err(tries.given_up())
}

async fn try_one(
    shared: &Shared,
    upstream: &Upstream,
    request: &TextRequest,
    telling: &mut Telling<'_>,
) -> Result<Answered, Failed> {
    let mut heard = |event| telling.hear(event);
    let answering = pin!(attempt(&shared.options, upstream, request, &mut heard));
    tried(upstream, answering).await
}
