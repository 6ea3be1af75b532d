use crate::commands::function::{as_named, read_input};
use crate::context::Context;
use crate::failure::hinted;
use crate::output::{Table, counted};
use crate::reach::Reach;
use aigen_api::openai::{ChatRequest, DatasetQuery, Extension, Message, ModelPrice, Role};
use aigen_api::resources::{List, PricePage, Quote};
use aigen_economy::{Price, cover};
use aigen_types::{ControllerSelector, DatasetSelector, ModelName, NameError};
use anyhow::Result;
use serde_json::Value;
use std::fmt::Write;
use std::str::FromStr;

/// See [`super::Command::Price`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen price                       the price book
  aigen price aigen-tiny --prompt 100 --output 200
  aigen price aigen-tiny --ask 'How do I return a mug?' --dataset acme/faq \\
      --output 200
  aigen price fn:ada/sentiment --input '{\"text\": \"Lovely.\"}'

Nothing is charged; what is told is what such a call costs at most. With --ask and --input the node counts: \
the question as `aigen chat` would send it, with the passages that it would add, or the function's own prompt.")]
pub struct Args {
    /// Only this model; or a function, fn:OWNER/NAME with or without @VERSION
    model: Option<Priced>,

    /// Prompt tokens of a call to quote
    #[arg(
        long,
        value_name = "TOKENS",
        group = "what",
        requires = "output",
        requires = "model"
    )]
    prompt: Option<u64>,

    /// Output tokens of a call to quote
    #[arg(long, value_name = "TOKENS", requires = "model", requires = "what")]
    output: Option<u64>,

    /// A question to quote
    #[arg(long, value_name = "TEXT", group = "what", requires = "model")]
    ask: Option<String>,

    /// An input of the function to quote: a JSON object, @FILE with one, or - for standard input
    #[arg(long, value_name = "JSON", group = "what", requires = "model")]
    input: Option<String>,

    /// The model that computes the function; without it the function's own, or the node's first
    #[arg(long = "model", value_name = "MODEL", requires = "input")]
    computed_by: Option<String>,

    /// A dataset whose passages answer it; several times for several
    #[arg(long, value_name = "DATASET", requires = "ask")]
    dataset: Vec<DatasetSelector>,

    #[command(flatten)]
    reach: Reach,
}

/// What is priced.
#[derive(Clone, Debug)]
enum Priced {
    Model(ModelName),
    Function(ControllerSelector),
}

impl FromStr for Priced {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix(FUNCTION) {
            None => text.parse().map(Self::Model),
            Some(name) => name.parse().map(Self::Function),
        }
    }
}

/// What a function's name begins with where a model is named.
const FUNCTION: &str = "fn:";

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let model = match (&args.model, &args.ask, &args.input) {
        (Some(Priced::Function(function)), None, Some(input)) => {
            return args.called(function, &read_input(input)?, context).await;
        }
        (Some(Priced::Function(function)), ..) => return Err(needs_input(function)),
        (Some(Priced::Model(model)), _, Some(_)) => return Err(takes_none(model)),
        (Some(Priced::Model(model)), Some(text), None) => {
            return args.asked(model, text, context).await;
        }
        (Some(Priced::Model(model)), None, None) => Some(model),
        (None, ..) => None,
    };
    let node = args.reach.as_customer(context)?;
    let mut pages: List<PricePage> = node.get("/v1/aigen/price-book").await?;
    if let Some(model) = model {
        pages.data.retain(|page| page.model == *model);
        if pages.data.is_empty() {
            return Err(hinted(
                format!("the price book has no model `{model}`"),
                "`aigen price` shows the whole price book",
            ));
        }
    }
    match (args.prompt, args.output) {
        (Some(prompt), Some(output)) => quote(&pages.data[0], prompt, output, context),
        _ => context.output.data(&pages, || table(&pages.data)),
    }
}

/// A function's prompt is its own: tokens and questions say nothing of it.
fn needs_input(function: &ControllerSelector) -> anyhow::Error {
    let name = as_named(function);
    hinted(
        format!("what {name} costs depends on what it is called with"),
        format!(
            "give its input: aigen price {FUNCTION}{name} --input '{{…}}'; aigen fn show {name} shows what it takes"
        ),
    )
}

fn takes_none(model: &ModelName) -> anyhow::Error {
    hinted(
        format!("{model} is a model, and only functions take an input"),
        "name a function, fn:OWNER/NAME, or ask the model with --ask",
    )
}

impl Args {
    /// What a call of a function with this input costs.
    async fn called(
        &self,
        function: &ControllerSelector,
        input: &Value,
        context: &Context,
    ) -> Result<()> {
        let name = as_named(function);
        let messages = vec![Message::new(Role::User, input.to_string())];
        let mut request = ChatRequest::new(format!("{FUNCTION}{name}"), messages);
        request.aigen = self.computed_by.clone().map(|model| Extension {
            model: Some(model),
            ..Extension::default()
        });
        self.quoted(request, context).await
    }

    /// What an answer to this question costs.
    async fn asked(&self, model: &ModelName, text: &str, context: &Context) -> Result<()> {
        let messages = vec![Message::new(Role::User, text)];
        let mut request = ChatRequest::new(model.as_str(), messages);
        let passages = |id: &DatasetSelector| DatasetQuery {
            id: id.clone(),
            limit: None,
            query: None,
        };
        request.aigen = Some(Extension {
            datasets: self.dataset.iter().map(passages).collect(),
            ..Extension::default()
        });
        self.quoted(request, context).await
    }

    /// What the node says that it costs.
    async fn quoted(&self, mut request: ChatRequest, context: &Context) -> Result<()> {
        request.max_completion_tokens = self.output.map(|tokens| tokens.try_into()).transpose()?;
        let node = self.reach.as_customer(context)?;
        let quote: Quote = node.post("/v1/aigen/quote", &request).await?;
        context.output.data(&quote, || told(&quote))
    }
}

fn told(quote: &Quote) -> String {
    let mut text = String::new();
    for read in &quote.reads {
        let (dataset, rows, fee) = (&read.dataset, read.rows, read.fee);
        let what = if rows == 1 { "passage" } else { "passages" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{rows} {what} of {dataset} for {fee} AIGEN");
    }
    let Quote {
        model,
        prompt_tokens,
        output_tokens,
        most,
        least,
        payer,
        retries,
        ..
    } = quote;
    text += &format!(
        "{prompt_tokens} prompt tokens and {output_tokens} output tokens of {model} cost at most {most} AIGEN\n\
         {payer} needs {least} AIGEN for it to begin\n"
    );
    if *retries > 0 {
        let times = counted(u64::from(*retries), "time");
        text += &format!(
            "an answer of another type is asked for again, {times} at most; each is a call of its own\n"
        );
    }
    text
}

fn table(pages: &[PricePage]) -> String {
    let headings = ["model", "input", "cached input", "output", "request"];
    let mut table = Table::new(&headings);
    for page in pages {
        let price = &page.price;
        table.row([
            page.model.to_string(),
            price.input.to_string(),
            price.cached_input.to_string(),
            price.output.to_string(),
            price.request.to_string(),
        ]);
    }
    format!(
        "{table}In AIGEN: per 1,000,000 tokens of input, cached input and output; per request.\n"
    )
}

fn quote(page: &PricePage, prompt: u64, output: u64, context: &Context) -> Result<()> {
    let most = cover(&price(&page.price), prompt, output)?;
    let model = &page.model;
    let quote = serde_json::json!({
        "model": model.as_str(),
        "prompt_tokens": prompt,
        "output_tokens": output,
        "most_nano": most.nano().to_string(),
        "most": most.to_string(),
    });
    context.output.data(&quote, || {
        format!(
            "{prompt} prompt tokens and {output} output tokens of {model} cost at most {most} AIGEN"
        )
    })
}

fn price(price: &ModelPrice) -> Price {
    Price {
        input: price.input,
        cached_input: price.cached_input,
        output: price.output,
        request: price.request,
    }
}
