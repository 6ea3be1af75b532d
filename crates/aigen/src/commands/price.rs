use crate::context::Context;
use crate::failure::hinted;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::openai::ModelPrice;
use aigen_api::resources::{List, PricePage};
use aigen_economy::{Price, cover};
use aigen_types::ModelName;
use anyhow::Result;

/// See [`super::Command::Price`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen price                                    the price book
  aigen price aigen-tiny --prompt 100 --output 200   what such a call costs at most")]
pub struct Args {
    /// Only this model
    model: Option<ModelName>,

    /// Prompt tokens of a call to quote
    #[arg(long, value_name = "TOKENS", requires = "output", requires = "model")]
    prompt: Option<u64>,

    /// Output tokens of a call to quote
    #[arg(long, value_name = "TOKENS", requires = "prompt", requires = "model")]
    output: Option<u64>,

    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
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
