use crate::commands::dev;
use crate::commands::validator::first_model;
use crate::context::Context;
use crate::failure::hinted;
use crate::reach::{Asked, Reach};
use aigen_api::openai::{
    AigenReply, AigenStop, ChatRequest, DatasetQuery, Extension, Message, Role, StreamOptions,
};
use aigen_types::{Amount, DatasetSelector};
use anyhow::Result;
use futures::StreamExt;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{self, BufRead, IsTerminal};

/// See [`super::Command::Chat`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen chat                            a conversation; end it with Ctrl-D
  aigen chat \"What does a ledger do?\"   one question, one answer
  aigen chat --local \"Hello!\"           with a node of its own
  aigen chat \"Is 7 prime?\" --controller choice --param options='[\"yes\",\"no\"]'
  aigen chat \"How do I return a mug?\" --dataset acme/faq
  aigen chat - < question.txt

Costs are printed after every answer.")]
pub struct Args {
    /// The question, or - to read it from standard input; without it, a conversation begins
    text: Option<String>,

    /// Which model answers; the node's first one when absent
    #[arg(long)]
    model: Option<String>,

    /// Instructions that come before the conversation
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// What steers the answer: OWNER/NAME@VERSION, or a built-in controller
    #[arg(long)]
    controller: Option<String>,

    /// What the controller is given; the value is JSON, or plain text
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = param, requires = "controller")]
    params: Vec<(String, Value)>,

    /// A dataset whose passages are put into the prompt: OWNER/NAME, with a version or without
    #[arg(long = "dataset", value_name = "NAME")]
    datasets: Vec<DatasetSelector>,

    /// Have the node keep what it takes to run the call again: aigen controller replay RECEIPT
    #[arg(long)]
    replay: bool,

    /// The most that one answer may cost, in AIGEN
    #[arg(long, value_name = "AIGEN")]
    max_cost: Option<Amount>,

    /// Output tokens of one answer, at most
    #[arg(long, value_name = "TOKENS")]
    max_tokens: Option<u32>,

    /// 0 takes the likeliest token always; 1 draws as the model would
    #[arg(long)]
    temperature: Option<f64>,

    /// Run a node inside this command, on the data folder
    #[arg(long)]
    local: bool,

    #[command(flatten)]
    reach: Reach,
}

/// One answer, as `--json` prints it.
#[derive(Debug, Default, Serialize)]
struct Answer {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<aigen_api::openai::FinishReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aigen: Option<AigenReply>,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    if !args.local {
        let node = args.reach.as_customer(context)?;
        return talk(&args, &node, context).await;
    }
    let dev = dev::Dev::start(context, Some(0)).await?;
    let talked = match Asked::new(&dev.url(), dev.key()) {
        Ok(node) => talk(&args, &node, context).await,
        Err(error) => Err(error),
    };
    dev.stop().await?;
    talked
}

async fn talk(args: &Args, node: &Asked, context: &Context) -> Result<()> {
    let mut request = args.request(node).await?;
    if let Some(text) = args.question()? {
        request.messages.push(Message::new(Role::User, text));
        return answer(node, &request, context).await.map(|_| ());
    }
    converse(node, request, context).await
}

async fn converse(node: &Asked, mut request: ChatRequest, context: &Context) -> Result<()> {
    context
        .output
        .say(format!("{}; end with Ctrl-D", request.model));
    loop {
        if io::stdin().is_terminal() {
            eprint!("> ");
        }
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            continue;
        }
        request.messages.push(Message::new(Role::User, line.trim()));
        let answer = answer(node, &request, context).await?;
        request
            .messages
            .push(Message::new(Role::Assistant, answer.text));
    }
}

impl Args {
    /// The question, if one answer is wanted.
    fn question(&self) -> Result<Option<String>> {
        match self.text.as_deref() {
            Some("-") => Ok(Some(io::read_to_string(io::stdin())?)),
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// What the controller is given, each once: of two values one would be lost.
    fn params(&self) -> Result<Map<String, Value>> {
        let mut params = Map::new();
        for (name, value) in &self.params {
            if params.insert(name.clone(), value.clone()).is_some() {
                return Err(hinted(
                    format!("--param gives `{name}` twice"),
                    "give it once; several values are a list, like --param options='[\"yes\",\"no\"]'",
                ));
            }
        }
        Ok(params)
    }

    async fn request(&self, node: &Asked) -> Result<ChatRequest> {
        let params = self.params()?;
        let model = match &self.model {
            Some(model) => model.clone(),
            None => first_model(node).await?,
        };
        let system = self
            .system
            .iter()
            .map(|text| Message::new(Role::System, text.as_str()));
        let extension = Extension {
            controller: self.controller.clone(),
            params,
            max_cost: self.max_cost,
            replay: self.replay,
            datasets: self.datasets.iter().map(passages).collect(),
            ..Extension::default()
        };
        Ok(ChatRequest {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            stream_options: Some(StreamOptions {
                include_usage: true,
            }),
            aigen: (extension != Extension::default()).then_some(extension),
            ..ChatRequest::new(model, system.collect())
        })
    }
}

async fn answer(node: &Asked, request: &ChatRequest, context: &Context) -> Result<Answer> {
    let mut chunks = node.chat(request).await?;
    let mut answer = Answer::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        for choice in chunk.choices {
            let text = choice.delta.content.unwrap_or_default();
            if !context.output.json {
                context.output.piece(&text)?;
            }
            answer.text.push_str(&text);
            answer.finish_reason = choice.finish_reason.or(answer.finish_reason);
        }
        answer.aigen = chunk.aigen.or(answer.aigen);
    }
    // The pieces were printed as they came; only the end of the line is left.
    context.output.data(&answer, String::new)?;
    if let Some(aigen) = &answer.aigen {
        context.output.say(cost(aigen));
    }
    Ok(answer)
}

/// As many passages as the node takes when nothing is said, for the last question.
fn passages(dataset: &DatasetSelector) -> DatasetQuery {
    DatasetQuery {
        id: dataset.clone(),
        limit: None,
        query: None,
    }
}

fn cost(aigen: &AigenReply) -> String {
    let AigenReply { cost, receipt, .. } = aigen;
    let stopped = match aigen.stop {
        Some(AigenStop::Budget) => "; cut short: the balance or --max-cost ended here",
        None => "",
    };
    format!("[{cost} AIGEN, receipt {receipt}{stopped}]")
}

fn param(text: &str) -> Result<(String, Value), String> {
    let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = named.ok_or("write NAME=VALUE")?;
    let plain = || Value::String(value.to_owned());
    Ok((
        name.to_owned(),
        serde_json::from_str(value).unwrap_or_else(|_| plain()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_parameter_is_given_once_and_by_name() {
        let params = |given: &[&str]| {
            let typed = ["chat", "--controller", "choice"].iter().chain(given);
            let typed = Typed::try_parse_from(typed).map_err(|error| error.to_string())?;
            typed.args.params().map_err(|error| error.to_string())
        };
        let once = params(&["--param", "a=1", "--param", "b=x=y"]).unwrap();
        assert_eq!(Value::Object(once), serde_json::json!({"a": 1, "b": "x=y"}));
        for (given, why) in [
            (&["--param", "a=1", "--param", "a=2"], "gives `a` twice"),
            (&["--param", "=3", "--param", "b=1"], "write NAME=VALUE"),
        ] {
            let refused = params(given).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
