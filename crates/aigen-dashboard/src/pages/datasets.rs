//! Datasets that are offered here: what is in them, what they cost, who may read them.

use super::{after_part, answer, encoded};
use crate::api::{Asked, Trouble};
use crate::guard::SignedIn;
use crate::layout::{more, table, table_or};
use crate::show::{address, aigen, amount, grouped, share, short, time};
use aigen_api::resources::{
    Dataset, DatasetEarning, DatasetGrant, DatasetImport, DatasetUse, ImportStage, List,
};
use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Page {
    after: Option<String>,
}

pub async fn list(who: SignedIn, Query(page): Query<Page>) -> Response {
    let after = page.after.as_deref();
    let after = after_part(after);
    let path = format!("/v1/aigen/datasets?limit=50{after}");
    let main = shown(&who.api(), &path).await;
    answer(&who, "/datasets", "Datasets", main)
}

async fn shown(api: &Asked<'_>, path: &str) -> Result<Markup, Trouble> {
    let list: List<Dataset> = api.get(path).await?;
    let imports: List<DatasetImport> = api.get("/v1/aigen/imports").await?;
    let earned: List<DatasetEarning> = api.get("/v1/aigen/earnings?by=purpose").await?;
    Ok(html! {
        h1 { "Datasets" }
        p.lead {
            "Rows of third parties, read one by one, in prompts and by controllers. Each row that leaves is paid "
            "first, and its receipt names it."
        }
        (offered(&list))
        (more("/datasets", list.next.as_deref()))
        @if !imports.data.is_empty() {
            h2 { "Being read in" }
            (importing(&imports))
        }
        @if !earned.data.is_empty() {
            h2 { "What yours earned" }
            (earnings(&earned))
        }
    })
}

fn importing(list: &List<DatasetImport>) -> Markup {
    let row = |import: &DatasetImport| {
        let doing = match import.stage {
            ImportStage::Waiting => "waits for others",
            ImportStage::Fetching => "comes from another node",
            ImportStage::Checking => "is looked through",
            ImportStage::Reading => "is read in",
            ImportStage::Indexing => "is indexed",
        };
        html! {
            td { (import.reference) }
            td { (doing) }
            td.number { (grouped(import.rows)) }
            @match part(import) {
                Some(part) => {
                    td.number { (grouped(import.bytes)) " of " (grouped(import.bytes_total)) }
                    td { (share(part, "done")) }
                }
                None => { td.number { "–" } td { "–" } }
            }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    let heads = ["dataset", "it", "rows", "bytes", "done"];
    table("Being read in", &heads, &rows)
}

/// Parts per million of what the node does with a file; none while it waits.
fn part(import: &DatasetImport) -> Option<u32> {
    let parts = u128::from(import.bytes) * 1_000_000;
    let parts = parts.checked_div(import.bytes_total.into())?;
    u32::try_from(parts).ok()
}

fn earnings(list: &List<DatasetEarning>) -> Markup {
    let row = |earning: &DatasetEarning| {
        html! {
            td { a href={ "/datasets/" (earning.dataset) } { (earning.dataset) } }
            td { @if let Some(purpose) = earning.purpose { (purpose.name()) } }
            td.number { (grouped(earning.reads)) }
            td.number { (grouped(earning.rows)) }
            td.number { (amount(earning.fees)) }
            td.number { (amount(earning.earned)) }
            td.number { (amount(earning.given_back)) }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    let heads = [
        "dataset",
        "read for",
        "reads",
        "rows",
        "charged",
        "earned",
        "given back",
    ];
    table("What yours earned", &heads, &rows)
}

fn offered(list: &List<Dataset>) -> Markup {
    let row = |dataset: &Dataset| {
        html! {
            td { a href={ "/datasets/" (dataset.reference) } { (dataset.reference) } }
            td { (dataset.description) }
            td.number { (grouped(dataset.rows)) }
            td.number { (amount(dataset.price.row)) }
            td.number { (amount(dataset.price.hit)) }
            td { (dataset.licence) }
            td { (state(dataset)) }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    table_or(
        "Datasets",
        &[
            "dataset",
            "what it holds",
            "rows",
            "per row",
            "per hit",
            "licence",
            "who may read",
        ],
        &rows,
        html! {
            "Nobody has published a dataset yet. " code { "aigen dataset publish FILE --name OWNER/NAME@1.0.0" }
            " offers one here."
        },
    )
}

fn state(dataset: &Dataset) -> &'static str {
    match (&dataset.withdrawn, dataset.open) {
        (Some(_), _) => "nobody: withdrawn",
        (None, true) => "everybody",
        (None, false) => "by grant",
    }
}

pub async fn one(who: SignedIn, Path((owner, name)): Path<(String, String)>) -> Response {
    let path = format!("/v1/aigen/datasets/{}/{}", encoded(&owner), encoded(&name));
    let main = described(&who.api(), &path).await;
    answer(&who, "/datasets", &format!("{owner}/{name}"), main)
}

async fn described(api: &Asked<'_>, path: &str) -> Result<Markup, Trouble> {
    let dataset: Dataset = api.get(path).await?;
    let name = &dataset.reference.dataset;
    let grants: List<DatasetGrant> = api
        .get(&format!("/v1/aigen/datasets/{name}/grants"))
        .await?;
    let uses: Vec<_> = dataset.uses.iter().map(|one| one.name()).collect();
    Ok(html! {
        h1 { (dataset.reference) }
        p.lead { (dataset.description) }
        @if !dataset.here {
            p.notice { "Its rows are on another node: this one can show what it is, and cannot read it." }
        }
        dl.facts {
            dt { "Rows" } dd { (grouped(dataset.rows)) }
            dt { "Bytes" } dd { (grouped(dataset.bytes)) }
            dt { "Licence" } dd { (dataset.licence) }
            dt { "For" } dd { (uses.join(", ")) }
            dt { "Who may read" } dd { (state(&dataset)) @if let Some(reason) = &dataset.withdrawn { " (" (reason) ")" } }
            dt { "Provider" } dd { (address(&dataset.provider)) }
            dt { "Published" } dd { (time(dataset.published_at)) }
            dt { "Content" } dd { (short(dataset.content)) }
            dt { "Read it" } dd { code { "aigen dataset search " (dataset.reference) " \"…\"" } }
        }
        h2 { "Price" }
        (price(&dataset))
        h2 { "Columns" }
        (columns(&dataset))
        h2 { "Grants that you may see" }
        (granted(&grants))
    })
}

/// What is not offered as a whole has no price as a whole: 0 would be a gift.
fn price(dataset: &Dataset) -> Markup {
    let price = &dataset.price;
    let whole = dataset.uses.contains(&DatasetUse::Download);
    html! {
        dl.facts {
            dt { "Per row" } dd { (aigen(price.row)) }
            dt { "Per row that a search finds, beside that" } dd { (aigen(price.hit)) }
            dt { "All rows at once" } dd { @if whole { (aigen(price.download)) } @else { "not offered" } }
        }
    }
}

fn columns(dataset: &Dataset) -> Markup {
    let rows: Vec<_> = dataset
        .columns
        .iter()
        .map(|column| {
            let kind = column.kind.trim_end_matches('?');
            let missing = column.kind.ends_with('?');
            html! {
                td { (column.name) }
                td { (kind) }
                td { @if missing { "in some rows" } @else { "in every row" } }
            }
        })
        .collect();
    table("Columns", &["column", "type", "a value"], &rows)
}

fn granted(grants: &List<DatasetGrant>) -> Markup {
    let or_all = |words: Vec<&str>| match words.as_slice() {
        [] => "all".to_owned(),
        some => some.join(", "),
    };
    let row = |grant: &DatasetGrant| {
        let columns = grant.columns.iter().map(String::as_str).collect();
        let uses = grant.uses.iter().map(|one| one.name()).collect();
        html! {
            td { (grant.to) }
            td { (or_all(columns)) }
            td { (or_all(uses)) }
            td { @match grant.until { Some(until) => (time(until)), None => "until revoked" } }
        }
    };
    let rows: Vec<_> = grants.data.iter().map(row).collect();
    table_or(
        "Grants",
        &["to", "columns", "for", "until"],
        &rows,
        html! { "None. Its owner gives one with " code { "aigen dataset grant" } "." },
    )
}
