//! Receipts: what each call used, what it cost, and who was paid.

use super::{after_part, answer, encoded};
use crate::api::{Asked, Trouble};
use crate::guard::SignedIn;
use crate::layout::{more, table, table_or};
use crate::show::{aigen, amount, grouped, payee, short, time};
use aigen_api::resources::{
    AnyReceipt, ChargeLine, Correction, CountedBy, DatasetRead, List, ReadReceipt, Receipt, Share,
};
use aigen_types::Amount;
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
    let main = listed(&who.api(), &after).await;
    answer(&who, "/receipts", "Receipts", main)
}

async fn listed(api: &Asked<'_>, after: &str) -> Result<Markup, Trouble> {
    let calls: List<Receipt> = api
        .get(&format!("/v1/aigen/receipts?limit=50{after}"))
        .await?;
    // Beside the newest calls the newest reads; pages that go back are of calls.
    let reads: List<ReadReceipt> = match after.is_empty() {
        true => api.get("/v1/aigen/reads?limit=50").await?,
        false => List::complete(Vec::new()),
    };
    Ok(html! {
        h1 { "Receipts" }
        (rows(&calls))
        (more("/receipts", calls.next.as_deref()))
        @if !reads.data.is_empty() {
            h2 { "Reads of datasets" }
            (table_reads(&reads))
        }
    })
}

/// What was read outside of calls.
fn table_reads(list: &List<ReadReceipt>) -> Markup {
    let row = |receipt: &ReadReceipt| {
        html! {
            td { a href={ "/receipts/" (receipt.id) } { (time(receipt.created)) } }
            td { (receipt.read.dataset) }
            td { (receipt.read.purpose) }
            td { (receipt.spender) }
            td.number { (grouped(receipt.read.rows)) }
            td.number { (amount(receipt.total)) }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    let headings = ["when", "dataset", "as", "for", "rows", "AIGEN"];
    table("Reads of datasets", &headings, &rows)
}

fn rows(list: &List<Receipt>) -> Markup {
    let row = |receipt: &Receipt| {
        html! {
            td { a href={ "/receipts/" (receipt.id) } { (time(receipt.created)) } }
            td { (receipt.model) }
            td { @match &receipt.controller { Some(controller) => (controller), None => "–" } }
            td { (receipt.spender) }
            td.number { (grouped(receipt.usage.prompt_tokens)) }
            td.number { (grouped(receipt.usage.sampled_tokens + receipt.usage.forced_tokens)) }
            td.number { (amount(receipt.total)) }
            td { (receipt.finish) }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    let headings = [
        "when",
        "model",
        "controller",
        "for",
        "in",
        "out",
        "AIGEN",
        "ended by",
    ];
    table_or(
        "Receipts",
        &headings,
        &rows,
        html! {
            "This account has paid for no call yet. Try one in the " a href="/playground" { "playground" } "."
        },
    )
}

pub async fn one(who: SignedIn, Path(id): Path<String>) -> Response {
    let main = described(&who.api(), &id).await;
    answer(&who, "/receipts", "Receipt", main)
}

async fn described(api: &Asked<'_>, id: &str) -> Result<Markup, Trouble> {
    let receipt: AnyReceipt = api
        .get(&format!("/v1/aigen/receipts/{}", encoded(id)))
        .await?;
    Ok(match receipt {
        AnyReceipt::Call(receipt) => html! {
            h1 { "Receipt " (short(receipt.id)) }
            (whole(&receipt))
        },
        AnyReceipt::Read(receipt) => html! {
            h1 { "Receipt " (short(receipt.id)) }
            (rows_read(&receipt))
        },
    })
}

/// Rows that were read outside of calls.
fn rows_read(receipt: &ReadReceipt) -> Markup {
    let read = &receipt.read;
    html! {
        dl.facts {
            dt { "When" } dd { (time(receipt.created)) ", journal record " (grouped(receipt.journal_seq)) }
            dt { "Dataset" } dd { (read.dataset) ", for " (read.purpose) }
            dt { "Rows" } dd { (grouped(read.rows)) ", " (grouped(read.hits)) " of them found" }
            dt { "Paid by" } dd { (receipt.payer) @if receipt.spender != receipt.payer { ", for " (receipt.spender) } }
        }
        h2 { "What it cost" }
        (lines(&receipt.lines, receipt.total))
        h2 { "Who was paid" }
        (split(&receipt.split))
        @if !receipt.corrections.is_empty() { h2 { "Given back" } (corrections(&receipt.corrections)) }
    }
}

/// What a call has read of datasets.
fn reads(reads: &[DatasetRead]) -> Markup {
    let rows: Vec<_> = reads
        .iter()
        .map(|read| {
            html! {
                td { (read.dataset) }
                td { (read.purpose) }
                td.number { (grouped(read.rows)) }
                td.number { (amount(read.fee)) }
            }
        })
        .collect();
    table("What it read", &["dataset", "for", "rows", "AIGEN"], &rows)
}

/// The parts of a receipt; the playground shows them too.
pub fn whole(receipt: &Receipt) -> Markup {
    html! {
        (facts(receipt))
        h2 { "What it cost" }
        (lines(&receipt.lines, receipt.total))
        @if !receipt.reads.is_empty() { h2 { "What it read" } (reads(&receipt.reads)) }
        h2 { "Who was paid" }
        (split(&receipt.split))
        @if !receipt.corrections.is_empty() { h2 { "Given back" } (corrections(&receipt.corrections)) }
    }
}

fn facts(receipt: &Receipt) -> Markup {
    let usage = &receipt.usage;
    html! {
        dl.facts {
            dt { "When" } dd { (time(receipt.created)) ", journal record " (grouped(receipt.journal_seq)) }
            dt { "Model" } dd { (receipt.model) ", weights " (short(receipt.model_digest)) }
            @if let Some(controller) = &receipt.controller {
                dt { "Controller" } dd { a href={ "/controllers/" (controller) } { (controller) } }
            }
            dt { "Paid by" } dd { (receipt.payer) @if receipt.spender != receipt.payer { ", for " (receipt.spender) } }
            dt { "Tokens" } dd {
                (grouped(usage.prompt_tokens)) " of prompt (" (grouped(usage.cached_prompt_tokens)) " cached), "
                (grouped(usage.sampled_tokens)) " sampled, " (grouped(usage.forced_tokens)) " forced, "
                (grouped(usage.discarded_tokens)) " discarded"
                @if let Some(by) = receipt.counted_by { (counted(by)) }
            }
            dt { "Ended by" } dd { (receipt.finish) @if let Some(fault) = &receipt.steering.fault { ": " span.bad { (fault) } } }
            @if receipt.controller.is_some() {
                dt { "Decisions" } dd { (short(receipt.steering.decisions)) ", " (grouped(receipt.steering.fuel)) " fuel, " (grouped(receipt.steering.controller_micros)) " µs" }
            }
        }
    }
}

fn counted(by: CountedBy) -> &'static str {
    match by {
        CountedBy::Engine => "",
        CountedBy::Upstream => "; counted by the server that answered",
        CountedBy::Estimated => "; estimated from the answer's bytes",
    }
}

/// Only tokens are priced by the million.
fn by_million(line: &ChargeLine) -> bool {
    line.kind != "request" && !line.kind.starts_with("dataset_")
}

fn lines(lines: &[ChargeLine], total: Amount) -> Markup {
    let mut rows: Vec<_> = lines
        .iter()
        .map(|line| {
            html! {
                td { (line.kind) }
                td.number { (grouped(line.quantity)) }
                td.number { (amount(line.unit_price)) @if by_million(line) { " a million" } }
                td.number { (amount(line.amount)) }
            }
        })
        .collect();
    rows.push(
        html! { td { strong { "total" } } td {} td {} td.number { strong { (amount(total)) } } },
    );
    table(
        "What it cost",
        &["for", "how many", "price", "AIGEN"],
        &rows,
    )
}

fn split(shares: &[Share]) -> Markup {
    let rows: Vec<_> = shares
        .iter()
        .map(|share| {
            html! {
                td { (share.role) }
                td { (payee(&share.to)) }
                td.number { (amount(share.amount)) }
            }
        })
        .collect();
    table_or(
        "Who was paid",
        &["as", "account", "AIGEN"],
        &rows,
        html! { "Nothing was charged." },
    )
}

fn corrections(corrections: &[Correction]) -> Markup {
    let rows: Vec<_> = corrections
        .iter()
        .map(|correction| {
            html! {
                td { (time(correction.at)) }
                td { (format!("{:?}, {:?}", correction.kind, correction.reason).to_lowercase()) }
                td.number { (aigen(correction.amount)) }
            }
        })
        .collect();
    table("Given back", &["when", "why", "AIGEN"], &rows)
}
