use crate::context::Context;
use crate::failure::hinted;
use crate::output::Table;
use crate::reach::{Asked, Reach};
use aigen_api::openai::{ChatRequest, DatasetQuery, Extension, Message, ModelPrice, Role};
use aigen_api::resources::{List, PricePage, Quote};
use aigen_economy::{Price, cover};
use aigen_types::{DatasetSelector, ModelName};
use anyhow::Result;
use std::fmt::Write;

/// See [`super::Command::Price`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen price                                    the price book
  aigen price aigen-tiny --prompt 100 --output 200   what such a call costs at most
  aigen price aigen-tiny --ask 'How do I return a mug?' --dataset acme/faq --output 200   and with passages of a dataset

Nothing is charged. With --ask the node counts: the question as `aigen chat` would send it, and the passages that it
would add.")]
pub struct Args {
    /// Only this model
    model: Option<ModelName>,

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

    /// A dataset whose passages answer it; several times for several
    #[arg(long, value_name = "DATASET", requires = "ask")]
    dataset: Vec<DatasetSelector>,

    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    if let (Some(model), Some(text)) = (&args.model, &args.ask) {
        return args.quoted(&node, model, text, context).await;
    }
    let mut pages: List<PricePage> = node.get("/v1/aigen/price-book").await?;
    if let Some(model) = &args.model {
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

impl Args {
    /// What the node says that such a call costs.
    async fn quoted(
        &self,
        node: &Asked,
        model: &ModelName,
        text: &str,
        context: &Context,
    ) -> Result<()> {
        let messages = vec![Message::new(Role::User, text)];
        let mut request = ChatRequest::new(model.as_str(), messages);
        request.max_completion_tokens = self.output.map(|tokens| tokens.try_into()).transpose()?;
        let passages = |id: &DatasetSelector| DatasetQuery {
            id: id.clone(),
            limit: None,
            query: None,
        };
        request.aigen = Some(Extension {
            datasets: self.dataset.iter().map(passages).collect(),
            ..Extension::default()
        });
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
        ..
    } = quote;
    text + &format!(
        "{prompt_tokens} prompt tokens and {output_tokens} output tokens of {model} cost at most {most} AIGEN\n\
         {payer} needs {least} AIGEN for it to begin\n"
    )
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
