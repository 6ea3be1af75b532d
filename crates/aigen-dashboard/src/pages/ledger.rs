//! The ledger: any account that this key may see, its transfers, and how far the journal is.

use super::{answer, encoded};
use crate::api::{Asked, Trouble};
use crate::guard::SignedIn;
use crate::layout::{more, table_or, tile};
use crate::sessions::Role;
use crate::show::{address, aigen, amount, grouped, short, time};
use aigen_api::resources::{Account, JournalTip, List, Transfer};
use axum::extract::Query;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Page {
    account: Option<String>,
    after: Option<String>,
}

pub async fn show(who: SignedIn, Query(page): Query<Page>) -> Response {
    let asked = page
        .account
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let main = described(&who, &who.api(), asked, page.after.as_deref()).await;
    answer(&who, "/ledger", "Ledger", main)
}

async fn described(
    who: &SignedIn,
    api: &Asked<'_>,
    asked: Option<&str>,
    after: Option<&str>,
) -> Result<Markup, Trouble> {
    let tip: JournalTip = api.get("/v1/aigen/journal/tip").await?;
    let account: Option<Account> = match asked {
        Some(text) => Some(
            api.get(&format!("/v1/aigen/accounts/{}", encoded(text)))
                .await?,
        ),
        None => None,
    };
    let path = match asked {
        Some(text) => format!("/v1/aigen/transfers?account={}&limit=50", encoded(text)),
        None => "/v1/aigen/transfers?limit=50".to_owned(),
    };
    let after = after
        .map(|id| format!("&after={}", encoded(id)))
        .unwrap_or_default();
    let transfers: List<Transfer> = api.get(&format!("{path}{after}")).await?;
    let here = asked.map_or("/ledger".to_owned(), |text| {
        format!("/ledger?account={}", encoded(text))
    });
    Ok(html! {
        h1 { "Ledger" }
        (search(who, asked))
        div.tiles {
            (tile("Journal", html! { (grouped(tip.seq)) }, html! { "records, tip " (short(tip.hash)) }))
            @if let Some(account) = &account {
                (tile("Available", aigen(account.available), html! { (account.address) }))
                (tile("Held", aigen(account.held), html! { "by running calls" }))
            }
        }
        p.quiet { "Whoever kept an earlier tip can check that nothing before it was changed: " code { "aigen ledger verify" } "." }
        h2 { "Transfers" }
        (moved(&transfers))
        (more(&here, transfers.next.as_deref()))
    })
}

fn search(who: &SignedIn, asked: Option<&str>) -> Markup {
    html! {
        form.stack method="get" action="/ledger" role="search" {
            label {
                "Account"
                span.quiet {
                    @match who.session.role {
                        Role::Operator => "Any address, like user:ada, treasury or escrow:controller:…",
                        Role::Customer => "Yours, or one below it",
                    }
                }
                input name="account" value=[asked] placeholder=(who.session.account);
            }
            div { button type="submit" { "Show" } }
        }
    }
}

fn moved(transfers: &List<Transfer>) -> Markup {
    let rows: Vec<_> = transfers
        .data
        .iter()
        .map(|transfer| {
            html! {
                td { (time(transfer.at)) }
                td { (transfer.reason) }
                td { (address(&transfer.from)) }
                td { (address(&transfer.to)) }
                td.number { (amount(transfer.amount)) }
                td { (short(transfer.id)) }
            }
        })
        .collect();
    table_or(
        "Transfers",
        &["when", "why", "from", "to", "AIGEN", "id"],
        &rows,
        html! { "Nothing was moved yet." },
    )
}
