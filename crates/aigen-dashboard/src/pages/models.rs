//! The models, and what they cost.

use super::answer;
use crate::api::{Asked, Trouble};
use crate::guard::SignedIn;
use crate::layout::{table, table_or};
use crate::show::{amount, grouped, short};
use aigen_api::openai::{Model, ModelInfo, ModelList};
use aigen_api::resources::{List, PricePage};
use axum::response::Response;
use maud::{Markup, html};

pub async fn show(who: SignedIn) -> Response {
    let main = described(&who.api()).await;
    answer(&who, "/models", "Models", main)
}

async fn described(api: &Asked<'_>) -> Result<Markup, Trouble> {
    let models: ModelList = api.get("/v1/models").await?;
    let prices: List<PricePage> = api.get("/v1/aigen/price-book").await?;
    let (functions, computed): (Vec<_>, Vec<_>) = models
        .data
        .into_iter()
        .partition(|model| model.id.starts_with(FUNCTION));
    Ok(html! {
        h1 { "Models and prices" }
        p.lead { "Prices are published, the same for everyone, and borne by whoever asks." }
        h2 { "Models" }
        (table_models(&computed))
        @if !functions.is_empty() {
            h2 { "Functions" }
            p.quiet { "Each is asked like a model, and computed by one of them at that one's price." }
            (table_functions(&functions))
        }
        h2 { "Price book" }
        p.quiet { "AIGEN for a million tokens, or for each request. A page of the book is never changed: a new price is a new page." }
        (table_prices(&prices))
    })
}

/// What a function's name begins with where a model is named.
const FUNCTION: &str = "fn:";

fn table_functions(functions: &[Model]) -> Markup {
    let row = |function: &Model| {
        let name = function.id.trim_start_matches(FUNCTION);
        html! {
            td { (function.id) }
            td { (function.owned_by) }
            td { a href={ "/controllers/" (name) } { "score and usage" } }
        }
    };
    let rows: Vec<_> = functions.iter().map(row).collect();
    table("Functions", &["model", "of", ""], &rows)
}

fn table_models(models: &[Model]) -> Markup {
    let rows: Vec<_> = models.iter().map(row).collect();
    let headings = ["model", "context", "steered by", "runs on", "weights"];
    table_or(
        "Models",
        &headings,
        &rows,
        html! {
            "No model is loaded. " code { "aigen model load" } " loads one."
        },
    )
}

fn row(model: &Model) -> Markup {
    html! {
        td { (model.id) }
        @match &model.aigen {
            Some(info) => (described_model(info)),
            None => { td {} td {} td {} td {} }
        }
    }
}

fn described_model(info: &ModelInfo) -> Markup {
    html! {
        td.number { (grouped(info.context_tokens)) " tokens" }
        td { (info.control) }
        td {
            (info.engine)
            @if let Some(upstreams) = &info.upstreams { ", " (upstreams.available) " of " (upstreams.total) " servers answer" }
        }
        td { (short(info.digest)) }
    }
}

fn table_prices(prices: &List<PricePage>) -> Markup {
    let row = |page: &PricePage| {
        html! {
            td { (page.model) }
            td.number { (page.version) }
            td.number { (amount(page.price.input)) }
            td.number { (amount(page.price.cached_input)) }
            td.number { (amount(page.price.output)) }
            td.number { (amount(page.price.request)) }
        }
    };
    let rows: Vec<_> = prices.data.iter().map(row).collect();
    let headings = ["model", "page", "input", "cached", "output", "request"];
    table_or(
        "Price book",
        &headings,
        &rows,
        html! { "No price is published." },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_leads_to_its_scores() {
        let function = Model {
            id: "fn:ada/quiz@1.0.0".to_owned(),
            object: aigen_api::openai::ModelObject::Is,
            created: 0,
            owned_by: "ada".to_owned(),
            aigen: None,
        };
        let told = table_functions(&[function]).into_string();
        assert!(
            told.contains("href=\"/controllers/ada/quiz@1.0.0\""),
            "{told}"
        );
    }
}
