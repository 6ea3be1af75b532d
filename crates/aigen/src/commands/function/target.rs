//! A function in a file or a published one, and how it is asked.

use crate::commands::validator::first_model;
use crate::failure::{OrHint, hinted};
use crate::reach::Asked;
use aigen_api::openai::{
    AigenStop, ApiError, ChatRequest, ChatResponse, Extension, FinishReason, Message,
    ResponseFormat, Role,
};
use aigen_api::resources::{CallFunction, Controller, FunctionOptions, FunctionReply, Guarantee};
use aigen_client::ClientError;
use aigen_functions::{Function, Wording};
use aigen_types::{Amount, ControllerSelector};
use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::fs;
use std::path::Path;

/// How it is computed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Asking {
    /// The model; without it the function's own, or the first that the node serves
    #[arg(long)]
    pub model: Option<String>,
    /// Names the stream of chance
    #[arg(long)]
    pub seed: Option<i64>,
    /// The most that a call may cost, in AIGEN
    #[arg(long, value_name = "AMOUNT")]
    pub budget: Option<Amount>,
}

/// What a function is called by.
pub enum Target {
    /// A file, which the node knows nothing of.
    File(Box<Function>),
    /// A published version.
    Published(ControllerSelector),
}

/// A value, and what it took.
#[derive(Debug, Serialize)]
pub struct Answer {
    pub value: Value,
    /// As the model wrote it.
    #[serde(skip)]
    pub raw: String,
    #[serde(serialize_with = "as_text")]
    pub cost: Amount,
    pub guarantee: Guarantee,
    /// Tokens or money were about to end: the value would have gone on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub closed_early: bool,
    pub receipt: Option<String>,
}

/// A model that answered, and gave no value: it is charged all the same. Everything else that goes
/// wrong says nothing of the function.
#[derive(Debug)]
pub struct NoValue {
    why: String,
    hint: String,
    /// As far as the answer came.
    pub raw: String,
    /// What it cost.
    pub cost: Amount,
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhint: {}", self.why, self.hint)
    }
}

impl std::error::Error for NoValue {}

impl NoValue {
    /// What it is, in one line.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What a node says, if that is what it says: of an answer that came it names what was charged.
    fn of(error: &ApiError) -> Option<Self> {
        let text = |name: &str| error.metadata.get(name).and_then(Value::as_str);
        let is_answer = match error.code.as_deref() {
            Some("truncated") => text("stop") != Some("budget"),
            Some("upstream_failed") => text("raw").is_some(),
            _ => false,
        };
        let cost = text("cost").and_then(|cost| cost.parse().ok());
        let hint = error.hint.clone().unwrap_or_default();
        let why = error.message.strip_suffix(&hint).unwrap_or(&error.message);
        is_answer.then(|| Self {
            why: why.trim_end_matches([';', ' ']).to_owned(),
            hint,
            raw: text("raw").unwrap_or_default().to_owned(),
            cost: cost.unwrap_or_default(),
        })
    }
}

/// A failure in our own form; one of the answer is a [`NoValue`].
fn failed(node: &Asked, error: ClientError) -> anyhow::Error {
    match &error {
        ClientError::Api { error: api, .. } => match NoValue::of(api) {
            Some(none) => none.into(),
            None => node.explain(error),
        },
        _ => node.explain(error),
    }
}

/// Amounts are never JSON numbers.
pub fn as_text<S: serde::Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(amount)
}

impl Answer {
    pub fn promise(&self) -> &'static str {
        match self.guarantee {
            Guarantee::Decoder => "the decoder",
            Guarantee::Retry => "nobody before it was read",
        }
    }
}

/// The source and the function of a file.
pub fn read(file: &Path) -> Result<(String, Function)> {
    let source = fs::read_to_string(file).or_hint(
        format!("cannot read the function {}", file.display()),
        "give the path of a function's file; `aigen fn new FILE` begins one",
    )?;
    let function = Function::parse(&source).or_hint(
        format!("{} is no function that can work", file.display()),
        "correct it; docs/guides/functions.md says what a function is made of",
    )?;
    Ok((source, function))
}

impl Target {
    /// A file if there is one of this name or it looks like one's, else a published function.
    pub fn open(name: &str) -> Result<Self> {
        let path = Path::new(name);
        let is_file = path
            .extension()
            .is_some_and(|ending| ending == "toml" || ending == "json");
        if is_file || path.is_file() {
            return Ok(Self::File(Box::new(read(path)?.1)));
        }
        let selector = name.parse().or_hint(
            format!("{name} is neither a file nor a published function"),
            "give a function's file, or OWNER/NAME with or without @VERSION",
        )?;
        Ok(Self::Published(selector))
    }

    /// The function itself: of a published one its source, which its owner is shown.
    pub async fn function(&self, node: &Asked) -> Result<Function> {
        let selector = match self {
            Self::File(function) => return Ok((**function).clone()),
            Self::Published(selector) => selector,
        };
        let path = format!("/v1/aigen/controllers/{}", as_named(selector));
        let controller: Controller = node.get(&path).await?;
        let source = controller.source.ok_or_else(|| {
            hinted(
                format!(
                    "the golden cases of {} are shown to its owner alone",
                    as_named(selector)
                ),
                "ask with the owner's key, or give the function's file",
            )
        })?;
        let function = Function::parse(&source);
        function.with_context(|| format!("{selector} is no function"))
    }

    /// Calls it.
    pub async fn ask(&self, node: &Asked, asking: &Asking, input: &Value) -> Result<Answer> {
        match self {
            Self::File(function) => ask_file(function, node, asking, input).await,
            Self::Published(selector) => ask_published(selector, node, asking, input).await,
        }
    }
}

/// As people write it: the latest version without saying so.
pub fn as_named(selector: &ControllerSelector) -> String {
    let name = selector.to_string();
    name.strip_suffix("@latest")
        .map_or(name.clone(), str::to_owned)
}

async fn ask_published(
    selector: &ControllerSelector,
    node: &Asked,
    asking: &Asking,
    input: &Value,
) -> Result<Answer> {
    let input = input.as_object().cloned().ok_or_else(|| {
        hinted(
            "the input is no object",
            "give its fields by name, like {\"text\": \"…\"}",
        )
    })?;
    let call = CallFunction {
        input,
        aigen: FunctionOptions {
            model: asking.model.clone(),
            seed: asking.seed,
            max_cost: asking.budget,
            ..FunctionOptions::default()
        },
    };
    let path = format!("/v1/functions/{}", as_named(selector));
    let reply: FunctionReply = node
        .try_post(&path, &call)
        .await
        .map_err(|error| failed(node, error))?;
    let FunctionReply { value, receipt } = reply;
    Ok(Answer {
        raw: value.to_string(),
        value,
        cost: receipt.cost,
        guarantee: receipt.guarantee,
        closed_early: receipt.closed_early,
        receipt: Some(receipt.id.to_string()),
    })
}

/// What a node does for a published function, done here: the same words and the same schema.
async fn ask_file(
    function: &Function,
    node: &Asked,
    asking: &Asking,
    input: &Value,
) -> Result<Answer> {
    function
        .check_input(input)
        .or_hint("the input does not fit", "its schema is the file's `input`")?;
    let Wording { system, user } = function.word(input)?;
    let model = match asking.model.as_ref().or(function.model.as_ref()) {
        Some(model) => model.clone(),
        None => first_model(node).await?,
    };
    let said = [(Role::System, system), (Role::User, user)];
    let said = said.into_iter().filter(|(_, text)| !text.is_empty());
    let messages = said.map(|(role, text)| Message::new(role, text)).collect();
    let mut request = ChatRequest::new(&model, messages);
    request.max_completion_tokens = Some(function.max_tokens);
    request.temperature = Some(function.temperature);
    request.seed = asking.seed;
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "value".to_owned(),
        schema: function.output().to_string().parse()?,
        strict: Some(true),
    });
    request.aigen = asking.budget.map(|budget| Extension {
        max_cost: Some(budget),
        ..Extension::default()
    });
    let reply: ChatResponse = node
        .try_post("/v1/chat/completions", &request)
        .await
        .map_err(|error| failed(node, error))?;
    answer(function, &reply)
}

fn answer(function: &Function, reply: &ChatResponse) -> Result<Answer> {
    let raw = reply.text().to_owned();
    let aigen = reply.aigen.as_ref();
    let cost = aigen.map_or(Amount::ZERO, |aigen| aigen.cost);
    let no_value = |why: String, hint: &str| NoValue {
        why,
        hint: hint.to_owned(),
        raw: raw.clone(),
        cost,
    };
    let finish = reply.choices.first().map(|choice| choice.finish_reason);
    if finish != Some(FinishReason::Stop) {
        let cut = format!("the answer was cut off: {raw}");
        return Err(match aigen.and_then(|aigen| aigen.stop) {
            Some(AigenStop::Budget) => hinted(
                format!("{cut} (it cost {cost} AIGEN)"),
                "raise --budget, or fund the account",
            ),
            None if finish == Some(FinishReason::ContentFilter) => {
                let cut = format!("a filter of the server that computes it held it back: {raw}");
                no_value(cut, "change the input, or name another model with --model").into()
            }
            None => no_value(cut, "raise the function's max_tokens").into(),
        });
    }
    let another = "name another model with --model";
    let value = serde_json::from_str(&raw)
        .map_err(|error| no_value(format!("it is no JSON: {error}: {raw}"), another))?;
    function
        .check_output(&value)
        .map_err(|misfit| no_value(format!("{misfit}: {raw}"), another))?;
    let promised = aigen.and_then(|aigen| aigen.guarantee);
    Ok(Answer {
        value,
        raw,
        cost,
        // A server that does not say promised nothing.
        guarantee: promised.unwrap_or(Guarantee::Retry),
        closed_early: aigen.is_some_and(|aigen| aigen.closed_early),
        receipt: aigen.map(|aigen| aigen.receipt.to_string()),
    })
}
