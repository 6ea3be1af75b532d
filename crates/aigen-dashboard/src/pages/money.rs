//! "Where is my money": what is available, and each hold with its age and its reason.

use super::{after_part, answer, encoded};
use crate::api::{Asked, Trouble};
use crate::guard::SignedIn;
use crate::layout::{more, table_or, tile};
use crate::show::{age, aigen, amount, grouped, short, time};
use aigen_api::resources::{Account, List, OpenCall, Transfer, Usage};
use aigen_types::Amount;
use axum::extract::Query;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Page {
    after: Option<String>,
}

pub async fn show(who: SignedIn, Query(page): Query<Page>) -> Response {
    let main = described(&who.api(), page.after.as_deref()).await;
    answer(&who, "/money", "Where is my money", main)
}

async fn described(api: &Asked<'_>, after: Option<&str>) -> Result<Markup, Trouble> {
    let account: Account = api.get("/v1/aigen/account").await?;
    let own = encoded(account.address.as_str());
    let calls: List<OpenCall> = api
        .get(&format!("/v1/aigen/calls?account={own}&limit=200"))
        .await?;
    let usage: List<Usage> = api.get(&format!("/v1/aigen/usage?account={own}")).await?;
    let after = after_part(after);
    let transfers: List<Transfer> = api
        .get(&format!(
            "/v1/aigen/transfers?account={own}&limit=25{after}"
        ))
        .await?;
    let spent: Amount = usage.data.iter().map(|row| row.charged).sum();
    let back: Amount = usage.data.iter().map(|row| row.given_back).sum();
    Ok(html! {
        h1 { "Where is my money" }
        p.lead {
            "Before a token is computed its price is held; when the call ends, what was used is charged and the rest "
            "is free again. What is available can be spent now; nothing else can take it."
        }
        div.tiles {
            (tile("Available", aigen(account.available), html! { "in " (account.address) }))
            (tile("Held", aigen(account.held), html! { (calls.data.len()) " calls are running" }))
            (tile("Spent", aigen(spent), html! { "over all time" }))
            (tile("Given back", aigen(back), html! { "by reversals and refunds" }))
        }
        h2 { "Holds" }
        (holds(&calls))
        h2 { "Transfers" }
        (moved(&transfers, &account))
        (more("/money", transfers.next.as_deref()))
    })
}

fn holds(calls: &List<OpenCall>) -> Markup {
    let row = |call: &OpenCall| {
        html! {
            td { (age(call.opened_at)) }
            td.number { (amount(call.held)) }
            td {
                "a call to " (call.model)
                @if let Some(controller) = &call.controller { " through " (controller) }
                " by " (call.spender) ": " (grouped(call.prompt_tokens)) " tokens of prompt and up to "
                (grouped(call.covered_tokens)) " of answer"
            }
            td { (short(call.id)) }
        }
    };
    let rows: Vec<_> = calls.data.iter().map(row).collect();
    table_or(
        "Holds",
        &["age", "AIGEN", "why", "call"],
        &rows,
        html! {
            "Nothing is held: no call is running. All that this account has is available."
        },
    )
}

fn moved(transfers: &List<Transfer>, own: &Account) -> Markup {
    let row = |transfer: &Transfer| {
        let comes = transfer.to == own.address;
        let other = if comes { &transfer.from } else { &transfer.to };
        html! {
            td { (time(transfer.at)) }
            td { (transfer.reason) }
            td.address { @if comes { "from " } @else { "to " } (other) }
            td.number { span class=(if comes { "good" } else { "" }) { @if comes { "+" } @else { "−" } (amount(transfer.amount)) } }
        }
    };
    let rows: Vec<_> = transfers.data.iter().map(row).collect();
    table_or(
        "Transfers",
        &["when", "why", "with", "AIGEN"],
        &rows,
        html! {
            "Nothing was ever paid in. An operator funds the account: " code { "aigen fund " (own.address) " 5" } "."
        },
    )
}
