//! The ledger: any account that this key may see, its transfers, and how far the journal is.

use super::{after_part, answer, encoded};
use crate::api::{Asked, Trouble};
use crate::guard::{Posted, SignedIn};
use crate::layout::{more, table_or, tile, token};
use crate::sessions::Role;
use crate::show::{address, aigen, amount, grouped, short, time};
use aigen_api::resources::{
    Account, JournalTip, JournalVerified, List, Transfer, VerificationState,
};
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

const VERIFICATION: &str = "/v1/aigen/journal/verification";

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
    let verified: JournalVerified = api.get(VERIFICATION).await?;
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
    let after = after_part(after);
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
        (verification(who, &verified))
        h2 { "Transfers" }
        (moved(&transfers))
        (more(&here, transfers.next.as_deref()))
    })
}

/// Begins to verify it, and shows how that goes.
pub async fn verify(posted: Posted) -> Response {
    let begun: Result<JournalVerified, _> = posted.who.api().post(VERIFICATION, &()).await;
    match begun {
        Ok(_) => Redirect::to("/ledger").into_response(),
        Err(met) => answer(&posted.who, "/ledger", "Ledger", Err(met)),
    }
}

fn verification(who: &SignedIn, verified: &JournalVerified) -> Markup {
    let running = verified.state == VerificationState::Running;
    html! {
        p.notice role=[(verified.state == VerificationState::Damaged).then_some("alert")] { (said(verified)) }
        @if who.session.role == Role::Operator && !running {
            form method="post" action="/ledger/verify" {
                (token(&who.session))
                button type="submit" { "Verify the journal now" }
            }
        }
        p.quiet { "Whoever kept an earlier tip can check that nothing before it was changed: " code { "aigen ledger verify" } "." }
    }
}

fn said(verified: &JournalVerified) -> Markup {
    let when = html! { @if let Some(until) = verified.until { (time(until)) } };
    html! {
        @match verified.state {
            VerificationState::Never => { "The journal was not verified since this node started." }
            VerificationState::Running => {
                "Verifying: " (grouped(verified.records)) " of " (grouped(verified.of)) " records were read. Load the page again to see how far it is."
            }
            VerificationState::Sound => {
                strong.good { "The journal is sound. " } "All " (grouped(verified.records)) " records were replayed and everything in them checked, " (when) "."
            }
            VerificationState::Damaged => {
                strong.bad { "The journal is damaged. " } (verified.fault.as_deref().unwrap_or_default()) " Found " (when) "."
            }
        }
    }
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
