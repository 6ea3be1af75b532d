//! A function in a file or a published one, and how it is asked.

use crate::commands::validator::first_model;
use crate::failure::{OrHint, hinted};
use crate::reach::Asked;
use aigen_api::openai::{
    AigenStop, ChatRequest, ChatResponse, Extension, FinishReason, Message, ResponseFormat, Role,
};
use aigen_api::resources::{CallFunction, Controller, FunctionOptions, FunctionReply, Guarantee};
use aigen_functions::{Function, Wording};
use aigen_types::{Amount, ControllerSelector};
use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;
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
    pub receipt: Option<String>,
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
        let path = format!("/v1/aigen/controllers/{selector}");
        let controller: Controller = node.get(&path).await?;
        let source = controller.source.ok_or_else(|| {
            hinted(
                format!("the golden cases of {selector} are shown to its owner alone"),
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
    let path = format!("/v1/functions/{selector}");
    let FunctionReply { value, receipt } = node.post(&path, &call).await?;
    Ok(Answer {
        raw: value.to_string(),
        value,
        cost: receipt.cost,
        guarantee: receipt.guarantee,
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
    let reply: ChatResponse = node.post("/v1/chat/completions", &request).await?;
    answer(function, &reply)
}

fn answer(function: &Function, reply: &ChatResponse) -> Result<Answer> {
    let raw = reply.text().to_owned();
    let aigen = reply.aigen.as_ref();
    let whole = reply
        .choices
        .first()
        .is_some_and(|choice| choice.finish_reason == FinishReason::Stop);
    if !whole {
        let hint = match aigen.and_then(|aigen| aigen.stop) {
            Some(AigenStop::Budget) => "raise --budget, or fund the account",
            None => "raise the function's max_tokens",
        };
        return Err(hinted(format!("the answer was cut off: {raw}"), hint));
    }
    let value = serde_json::from_str(&raw).with_context(|| format!("it is no JSON: {raw}"))?;
    function
        .check_output(&value)
        .with_context(|| format!("the value is of another type: {raw}"))?;
    let promised = aigen.and_then(|aigen| aigen.guarantee);
    Ok(Answer {
        value,
        raw,
        cost: aigen.map_or(Amount::ZERO, |aigen| aigen.cost),
        // A server that does not say promised nothing.
        guarantee: promised.unwrap_or(Guarantee::Retry),
        receipt: aigen.map(|aigen| aigen.receipt.to_string()),
    })
}
