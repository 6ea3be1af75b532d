//! One call: ask, read, check, ask again.

use crate::backend::{Backend, of_environment};
use crate::classify;
use crate::error::{raw_of, spent};
use crate::limits::{PAUSE, SENDS_AGAIN};
use crate::{AiError, Arguments, Definition, Promised, Prompt, Schema, SchemaError, schema_of};
use aigen_api::openai::{
    AigenReply, AigenStop, ChatRequest, ChatResponse, Extension, FinishReason, Message,
    ResponseFormat, Role,
};
use aigen_api::resources::Guarantee as Told;
use aigen_client::ClientError;
use aigen_types::{Address, Amount};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Check<'a, T> = Box<dyn Fn(&T) -> Result<(), String> + Send + Sync + 'a>;

/// A call that is not made yet. Awaiting it makes it.
#[must_use = "a call is made when it is awaited"]
pub struct Call<'a, T> {
    definition: Definition,
    arguments: Arguments,
    schema: Result<Schema, SchemaError>,
    /// Kept, so that nothing after `new` asks of a type that it can be read.
    value: fn(&str) -> serde_json::Result<T>,
    check: Option<Check<'a, T>>,
    on: Option<&'a dyn Backend>,
    budget: Option<Amount>,
    params: Map<String, Value>,
    bill_to: Option<Address>,
}

/// A value, and what it took.
#[derive(Clone, Debug)]
pub struct Detailed<T> {
    /// The value.
    pub value: T,
    /// As the model wrote it.
    pub raw: String,
    /// Who promised that it fits the type.
    pub guarantee: Guarantee,
    /// One for each time the model was asked, the last for this value. Servers other than AiGen
    /// give none.
    pub receipts: Vec<AigenReply>,
    /// How often the model was asked again, since an answer was not accepted.
    pub asked_again: u32,
    /// How often a request was sent again, since it did not arrive.
    pub sent_again: u32,
}

impl<T> Detailed<T> {
    /// What all answers together cost.
    #[must_use]
    pub fn cost(&self) -> Amount {
        spent(&self.receipts)
    }
}

/// Who promised that a value fits its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// The decoder: no token was possible that leaves the type.
    Decoder,
    /// A controller's grammar, which no token left; that its answers are of the type was seen when this one
    /// was read, and is the controller's affair.
    Controller,
    /// Nobody, before it was read: an answer that did not fit was asked for again.
    Retry,
}

impl<'a, T: Send + 'a> Call<'a, T> {
    /// A call of this function.
    pub fn new(definition: Definition, arguments: Arguments) -> Self
    where
        T: Promised,
    {
        Self::of_schema(definition, arguments, schema_of::<T>())
    }

    pub(crate) fn of_schema(
        definition: Definition,
        arguments: Arguments,
        schema: Result<Schema, SchemaError>,
    ) -> Self
    where
        T: DeserializeOwned,
    {
        Self {
            definition,
            arguments,
            schema,
            value: |raw| serde_json::from_str(raw),
            check: None,
            on: None,
            budget: None,
            params: Map::new(),
            bill_to: None,
        }
    }

    /// Refuses values; what it says is told to the model, which is asked again.
    pub fn check(mut self, check: impl Fn(&T) -> Result<(), String> + Send + Sync + 'a) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Who answers; otherwise see [`Client::of_environment`](aigen_client::Client::of_environment).
    pub fn on(mut self, backend: &'a dyn Backend) -> Self {
        self.on = Some(backend);
        self
    }

    /// What the call may cost, however often the model is asked.
    pub fn budget(mut self, budget: Amount) -> Self {
        self.budget = Some(budget);
        self
    }

    /// One thing that the controller is given, by the name it has there; only with a controller.
    pub fn param(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Which user pays, by an allowance to the key's account; otherwise the key's account does.
    pub fn bill_to(mut self, user: Address) -> Self {
        self.bill_to = Some(user);
        self
    }

    /// See [`Definition::seed`].
    pub fn seed(self, seed: i64) -> Self {
        self.with(|definition| definition.seed(seed))
    }

    /// See [`Definition::model`].
    pub fn model(self, model: impl Into<String>) -> Self {
        self.with(|definition| definition.model(model))
    }

    /// See [`Definition::temperature`].
    pub fn temperature(self, temperature: f64) -> Self {
        self.with(|definition| definition.temperature(temperature))
    }

    /// See [`Definition::controller`].
    pub fn controller(self, controller: impl Into<String>) -> Self {
        self.with(|definition| definition.controller(controller))
    }

    fn with(mut self, change: impl FnOnce(Definition) -> Definition) -> Self {
        self.definition = change(self.definition);
        self
    }

    /// The exact messages, without making the call.
    ///
    /// # Errors
    /// If an argument has no JSON, or the type cannot be promised.
    pub fn prompt(&self) -> Result<Prompt, AiError> {
        Prompt::new(&self.definition, &self.arguments, &self.schema.clone()?)
    }

    /// Makes the call, and says what it took.
    ///
    /// # Errors
    /// See [`AiError`].
    pub async fn detailed(self) -> Result<Detailed<T>, AiError> {
        let backend = match self.on {
            Some(backend) => backend,
            None => of_environment()?,
        };
        let mut talk = Talk::new(&self, backend).await?;
        let mut asked_again = 0;
        loop {
            let reply = talk.ask().await;
            match reply.and_then(|reply| Ok((self.read(&reply)?, reply))) {
                Ok(((value, guarantee), reply)) => {
                    return Ok(Detailed {
                        value,
                        raw: reply.text().to_owned(),
                        guarantee,
                        receipts: talk.receipts,
                        asked_again,
                        sent_again: talk.sent_again,
                    });
                }
                Err(AiError::Check { raw, why, .. }) if asked_again < self.definition.retries => {
                    asked_again += 1;
                    talk.object(raw, &why);
                }
                Err(error) => return Err(talk.told(error)),
            }
        }
    }

    /// How likely each label of an enum of names is: one answer, and of its tokens the first that
    /// tells the labels apart. What the model would rather have said is left out, so that all of
    /// them add up to 1; a label that is not among the 20 likeliest tokens has 0.
    ///
    /// # Errors
    /// See [`AiError`]; and if the type is no enum of names, the model's server tells no
    /// probabilities, or two labels begin with the same token.
    pub async fn probabilities(self) -> Result<Vec<(T, f64)>, AiError> {
        let no_labels = || {
            AiError::Setup(
                "the type is no enum of names\nhint: classify takes an enum without fields"
                    .to_owned(),
            )
        };
        let labels = classify::labels(self.schema.clone()?.as_value()).ok_or_else(no_labels)?;
        let backend = match self.on {
            Some(backend) => backend,
            None => of_environment()?,
        };
        let mut talk = Talk::new(&self, backend).await?;
        talk.request.logprobs = Some(true);
        talk.request.top_logprobs = Some(classify::TOP);
        let reply = talk.ask().await;
        let shares = reply.and_then(|reply| {
            self.read(&reply)?;
            classify::shares(&reply, &labels)
        });
        let shares = shares.map_err(|error| talk.told(error))?;
        let value = |label: String| {
            let raw = Value::from(label).to_string();
            (self.value)(&raw).map_err(|error| AiError::Check {
                raw,
                why: error.to_string(),
                receipts: talk.receipts.clone(),
            })
        };
        let both = labels.into_iter().zip(shares);
        both.map(|(label, share)| Ok((value(label)?, share)))
            .collect()
    }

    fn read(&self, reply: &ChatResponse) -> Result<(T, Guarantee), AiError> {
        let raw = || reply.text().to_owned();
        let refused = |why| AiError::Check {
            raw: raw(),
            why,
            receipts: Vec::new(),
        };
        let aigen = reply.aigen.as_ref();
        if aigen.and_then(|aigen| aigen.stop) == Some(AigenStop::Budget) {
            let reason = "the answer was cut off where the money ended".to_owned();
            return Err(AiError::Budget {
                reason,
                raw: raw(),
                receipts: Vec::new(),
            });
        }
        let choice = reply.choices.first();
        if choice.is_some_and(|choice| choice.finish_reason == FinishReason::Length) {
            return Err(AiError::Truncated {
                raw: raw(),
                receipts: Vec::new(),
            });
        }
        let value = (self.value)(reply.text())
            .map_err(|error| refused(format!("it is not JSON of the schema: {error}")))?;
        if let Some(check) = &self.check {
            let checked = catch_unwind(AssertUnwindSafe(|| check(&value)));
            let checked = checked.unwrap_or_else(|_| Err("the check itself panicked".to_owned()));
            checked.map_err(refused)?;
        }
        Ok((value, self.guarantee(aigen)))
    }

    fn guarantee(&self, reply: Option<&AigenReply>) -> Guarantee {
        let complete = reply.filter(|reply| reply.grammar_complete == Some(true));
        match complete.and_then(|reply| reply.guarantee) {
            Some(Told::Decoder) if self.definition.controller.is_some() => Guarantee::Controller,
            Some(Told::Decoder) => Guarantee::Decoder,
            _ => Guarantee::Retry,
        }
    }
}

impl<'a, T: Send + 'a> IntoFuture for Call<'a, T> {
    type Output = Result<T, AiError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(self.detailed().await?.value) })
    }
}

/// What was said so far.
struct Talk<'a> {
    backend: &'a dyn Backend,
    request: ChatRequest,
    budget: Option<Amount>,
    receipts: Vec<AigenReply>,
    /// The last answer.
    raw: String,
    sent_again: u32,
}

impl<'a> Talk<'a> {
    async fn new<T>(call: &Call<'_, T>, backend: &'a dyn Backend) -> Result<Self, AiError> {
        let definition = &call.definition;
        let schema = call.schema.clone()?;
        let model = match definition
            .model
            .clone()
            .or(std::env::var("AIGEN_MODEL").ok())
        {
            Some(model) => model,
            None => backend.model().await?,
        };
        let prompt = Prompt::new(definition, &call.arguments, &schema)?;
        let mut request = ChatRequest::new(&model, prompt.messages());
        request.max_completion_tokens = Some(definition.max_tokens);
        request.temperature = definition.temperature;
        request.seed = definition.seed;
        if definition.controller.is_none() {
            request.response_format = Some(format(definition.name, &schema)?);
        }
        request.aigen = extension(call);
        Ok(Self {
            backend,
            request,
            budget: call.budget,
            receipts: Vec::new(),
            raw: String::new(),
            sent_again: 0,
        })
    }

    /// One answer, for what is left of the budget.
    async fn ask(&mut self) -> Result<ChatResponse, AiError> {
        if let Some(budget) = self.budget {
            let left = budget.saturating_sub(spent(&self.receipts));
            let extension = self.request.aigen.get_or_insert_default();
            extension.max_cost = Some(left);
        }
        let key = key()?;
        match self.send(&key).await {
            Ok(reply) => {
                self.receipts.extend(reply.aigen.clone());
                reply.text().clone_into(&mut self.raw);
                Ok(reply)
            }
            Err(error) => {
                self.receipts.extend(charged(&error));
                Err(unfit(error))
            }
        }
    }

    /// The same request under the same key until it arrives.
    async fn send(&mut self, key: &str) -> Result<ChatResponse, ClientError> {
        let mut pause = PAUSE;
        for _ in 0..SENDS_AGAIN {
            match self.backend.complete(&self.request, key).await {
                Err(error) if passes(&error) => {}
                reply => return reply,
            }
            self.sent_again += 1;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.backend.complete(&self.request, key).await
    }

    /// An error, with what was said before it.
    fn told(&self, error: AiError) -> AiError {
        error.after(&self.raw, &self.receipts)
    }

    /// Says what is wrong with an answer.
    fn object(&mut self, raw: String, why: &str) {
        let objection = format!("That was not accepted: {why}. Answer again.");
        self.request.messages.extend([
            Message::new(Role::Assistant, raw),
            Message::new(Role::User, objection),
        ]);
    }
}

/// What the request says beyond OpenAI's words, where it says anything.
fn extension<T>(call: &Call<'_, T>) -> Option<Extension> {
    let extension = Extension {
        controller: call.definition.controller.clone(),
        params: call.params.clone(),
        bill_to: call.bill_to.clone(),
        ..Extension::default()
    };
    (extension != Extension::default()).then_some(extension)
}

fn format(name: &str, schema: &Schema) -> Result<ResponseFormat, AiError> {
    let schema = schema.to_string().parse();
    Ok(ResponseFormat::JsonSchema {
        name: name.to_owned(),
        schema: schema.map_err(|error: serde_json::Error| AiError::Setup(error.to_string()))?,
        strict: Some(true),
    })
}

/// Whether the same request may arrive a moment later.
fn passes(error: &ClientError) -> bool {
    match error {
        ClientError::Transport(_) | ClientError::Cut => true,
        ClientError::Api { status, error } => {
            // What was charged is over: the same request is answered the same.
            !error.metadata.contains_key("receipt") && matches!(status, 408 | 429 | 502..=504)
                || error.code.as_deref() == Some("idempotency_in_progress")
        }
        ClientError::Setup(_) | ClientError::Shape(_) => false,
    }
}

/// What a call cost that has no answer.
fn charged(error: &ClientError) -> Option<AigenReply> {
    let ClientError::Api { error, .. } = error else {
        return None;
    };
    let text = |name: &str| error.metadata.get(name)?.as_str();
    Some(AigenReply {
        receipt: text("receipt")?.parse().ok()?,
        cost: text("cost")?.parse().ok()?,
        ..AigenReply::default()
    })
}

/// A model elsewhere said something that is not of the schema: the server says what, and why.
fn unfit(error: ClientError) -> AiError {
    let ClientError::Api {
        status: 500..,
        error: said,
    } = &error
    else {
        return error.into();
    };
    let raw = raw_of(said);
    if raw.is_empty() && !said.metadata.contains_key("raw") {
        return error.into();
    }
    let reason = said.hint.as_deref();
    let reason = reason.and_then(|hint| said.message.strip_suffix(hint));
    let why = reason.unwrap_or(&said.message).trim_end_matches([';', ' ']);
    AiError::Check {
        raw: raw.to_owned(),
        why: why.to_owned(),
        receipts: Vec::new(),
    }
}

/// Names one request among all.
fn key() -> Result<String, AiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| AiError::Setup(format!("there is no randomness: {error}")))?;
    Ok(hex::encode(bytes))
}
