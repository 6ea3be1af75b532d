//! Epochs: the windows of the running one, statements of the settled ones, and why each number
//! is what it is.

use super::{after_part, answer, encoded};
use crate::api::{Asked, Trouble};
use crate::guard::{Posted, SignedIn};
use crate::layout::{more, table_or, tile, token};
use crate::sessions::Session;
use crate::show::{aigen, amount, grouped, percent, short, time};
use aigen_api::resources::{
    CallThrough, DatasetFees, EpochPhase, EpochState, EpochStatement, EpochSummary, List, Workings,
};
use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

/// A controller version's id; a validator is called by its name.
const DIGEST_LETTERS: usize = 64;

const PHASES: [(EpochPhase, &str); 5] = [
    (EpochPhase::Open, "Calls go on"),
    (EpochPhase::Commit, "Validators commit"),
    (EpochPhase::Reveal, "Validators reveal"),
    (EpochPhase::Settle, "The operator opens"),
    (EpochPhase::Settled, "Settled"),
];

#[derive(Deserialize)]
pub struct Page {
    after: Option<String>,
}

pub async fn list(who: SignedIn, Query(page): Query<Page>) -> Response {
    let main = overview(&who.api(), page.after.as_deref()).await;
    answer(&who, "/epochs", "Epochs", main)
}

async fn overview(api: &Asked<'_>, after: Option<&str>) -> Result<Markup, Trouble> {
    let state: EpochState = api.get("/v1/aigen/epochs/current").await?;
    let after = after_part(after);
    let settled: List<EpochSummary> = api
        .get(&format!("/v1/aigen/epochs?limit=50{after}"))
        .await?;
    Ok(html! {
        h1 { "Epochs" }
        p.lead {
            "An epoch turns money spent and scores revealed into payouts, by a formula over whole numbers: whoever has "
            "an epoch's input computes the same payouts."
        }
        h2 { "Epoch " (state.epoch) " is running" }
        (timeline(&state))
        (settled_epochs(&settled))
        (more("/epochs", settled.next.as_deref()))
    })
}

fn timeline(state: &EpochState) -> Markup {
    html! {
        ol.timeline {
            @for (phase, name) in PHASES {
                li aria-current=[(state.phase == phase).then_some("step")] { (name) }
            }
        }
        p {
            (grouped(state.assignments.len() as u64)) " questions that you may see, "
            (state.committed.len()) " validators have committed, " (state.revealed.len()) " have revealed."
            @if let Some(until) = state.commit_until { " Commitments are taken until " (time(until)) "." }
            @if let Some(until) = state.reveal_until { " Reveals are taken until " (time(until)) "." }
        }
    }
}

fn settled_epochs(settled: &List<EpochSummary>) -> Markup {
    let rows: Vec<_> = settled
        .data
        .iter()
        .map(|epoch| {
            html! {
                td { a href={ "/epochs/" (epoch.epoch) } { (epoch.epoch) } }
                td.number { (grouped(epoch.controllers)) }
                td.number { (amount(epoch.payout)) }
                td.number { (grouped(epoch.validators)) }
                td.number { (amount(epoch.pay)) }
                td.number { (amount(epoch.treasury)) }
                td.number { (grouped(epoch.journal_seq)) }
            }
        })
        .collect();
    let headings = [
        "epoch",
        "controllers",
        "earned",
        "validators",
        "paid",
        "treasury",
        "journal record",
    ];
    html! {
        h2 { "Settled" }
        (table_or("Settled epochs", &headings, &rows, html! {
            "No epoch is settled yet. The operator asks validators with " code { "aigen epoch assign" }
            " and settles with " code { "aigen epoch close" } "."
        }))
    }
}

pub async fn one(who: SignedIn, Path(number): Path<u64>) -> Response {
    let main = statement(&who.api(), &who.session, number).await;
    answer(&who, "/epochs", &format!("Epoch {number}"), main)
}

async fn statement(api: &Asked<'_>, session: &Session, number: u64) -> Result<Markup, Trouble> {
    let told: EpochStatement = api
        .get(&format!("/v1/aigen/epochs/{number}/statement"))
        .await?;
    Ok(html! {
        h1 { "Epoch " (number) }
        div.tiles {
            (tile("To the treasury", aigen(told.treasury), html! { "what nobody earned" }))
            (tile("Burned", aigen(told.burned), html! { "by the rules" }))
            (tile("Journal record", html! { (grouped(told.journal_seq)) }, html! { "where it was settled" }))
        }
        form method="post" action={ "/epochs/" (number) "/verify" } {
            (token(session))
            p { button type="submit" { "Settle it again and compare" } }
        }
        h2 { "Controllers" }
        (controllers(&told))
        h2 { "Validators" }
        (validators(&told))
        @if let Some(fees) = &told.datasets {
            h2 { "Datasets" }
            (datasets(fees))
        }
    })
}

/// Paid as they were read, so that the settlement has no part in it.
fn datasets(fees: &DatasetFees) -> Markup {
    html! {
        dl.facts {
            dt { "Read" } dd { (grouped(fees.rows)) " rows in " (grouped(fees.reads)) " reads" }
            dt { "Charged" } dd { (aigen(fees.fees)) }
            dt { "To providers" } dd { (aigen(fees.fees.saturating_sub(fees.protocol))) }
            dt { "To the protocol" } dd { (aigen(fees.protocol)) }
            @if !fees.given_back.is_zero() { dt { "Given back since" } dd { (aigen(fees.given_back)) } }
        }
    }
}

fn controllers(told: &EpochStatement) -> Markup {
    let rows: Vec<_> = told.controllers.iter().map(|row| html! {
        td { @match &row.name { Some(name) => { a href={ "/controllers/" (name) } { (name) } } None => (short(&row.id)) } }
        td { (percent(row.score.into())) }
        td.number { (amount(row.payout)) }
        td.number { (amount(row.remainder)) }
        td { a href={ "/epochs/" (told.epoch) "/why/" (row.id) } { "why" } }
    }).collect();
    table_or(
        "Controllers",
        &["controller", "score", "earned", "not earned", ""],
        &rows,
        html! {
            "No controller had money in escrow."
        },
    )
}

fn validators(told: &EpochStatement) -> Markup {
    let rows: Vec<_> = told
        .validators
        .iter()
        .map(|row| {
            html! {
                td { a href={ "/validators/" (row.id) } { (row.id) } }
                td { (percent(row.skill)) }
                td.number { (amount(row.pay)) }
                td.number { (amount(row.slash)) }
                td { a href={ "/epochs/" (told.epoch) "/why/" (row.id) } { "why" } }
            }
        })
        .collect();
    table_or(
        "Validators",
        &["validator", "skill", "paid", "slashed", ""],
        &rows,
        html! {
            "Nobody validated in this epoch."
        },
    )
}

/// The epoch settled again from its input, and whether the same came out.
pub async fn verify(Path(number): Path<u64>, posted: Posted) -> Response {
    let who = posted.who;
    let workings = who
        .api()
        .get(&format!("/v1/aigen/epochs/{number}/workings"))
        .await;
    let main = workings.map(|workings: Workings| html! {
        h1 { "Epoch " (number) " settled again" }
        @if workings.same {
            p.notice { strong.good { "The same came out. " } "Every score, payout and slash is what the formula makes of the input." }
        } @else {
            p.notice role="alert" { strong.bad { "Something else came out. " } "What was paid is not what the formula makes of the input." }
        }
        p { "Anyone can do this without trusting this node:" }
        pre { code { "aigen epoch export " (number) " | aigen epoch replay -" } }
        p { a href={ "/epochs/" (number) } { "Back to the statement" } }
    });
    answer(&who, "/epochs", "Settled again", main)
}

/// The formula with its numbers.
pub async fn why(who: SignedIn, Path((number, id)): Path<(u64, String)>) -> Response {
    let path = format!("/v1/aigen/epochs/{number}/workings?id={}", encoded(&id));
    let workings = who.api().get(&path).await;
    let main = workings.map(|workings: Workings| html! {
        @for working in &workings.data {
            h1 { "Why " (working.name) " got what it got in epoch " (number) }
            p.lead { "The formula with its numbers. " code { "//" } " is division rounded down; shares are parts per million; amounts are billionths of an AIGEN." }
            ol.formula { @for line in &working.lines { li { (line) } } }
        }
        @if workings.data.is_empty() { h1 { "Nothing to explain" } p { (id) " took no part in epoch " (number) "." } }
        p {
            a href={ "/epochs/" (number) } { "The whole statement" }
            @if id.len() == DIGEST_LETTERS { " · " a href={ "/epochs/" (number) "/calls/" (id) } { "the calls that its money comes from" } }
        }
    });
    answer(&who, "/epochs", "Why", main)
}

/// The calls behind a controller's payout, down to the receipts that the reader may see.
pub async fn calls(
    who: SignedIn,
    Path((number, id)): Path<(u64, String)>,
    Query(page): Query<Page>,
) -> Response {
    let main = calls_through(&who.api(), number, &id, page.after.as_deref()).await;
    answer(&who, "/epochs", &format!("Calls of epoch {number}"), main)
}

async fn calls_through(
    api: &Asked<'_>,
    number: u64,
    id: &str,
    after: Option<&str>,
) -> Result<Markup, Trouble> {
    let after = after_part(after);
    let path = format!(
        "/v1/aigen/epochs/{number}/calls?limit=50&controller={}{after}",
        encoded(id)
    );
    let calls: List<CallThrough> = api.get(&path).await?;
    let here = format!("/epochs/{number}/calls/{}", encoded(id));
    Ok(html! {
        h1 { "Where the money of epoch " (number) " comes from" }
        p.lead {
            "Every call through " (short(id)) ": what its caller was charged, and what of that went into escrow. "
            "The escrow times the score is the payout. Who paid is not shown; whoever did has a receipt."
        }
        (table_or("Calls", &["ended", "model", "tokens out", "charged", "into escrow", "ended by", "receipt"],
            &calls.data.iter().map(call).collect::<Vec<_>>(),
            html! { "No call went through this controller in this epoch, or all of them were undone." }))
        (more(&here, calls.next.as_deref()))
        p { a href={ "/epochs/" (number) "/why/" (id) } { "The formula" } }
    })
}

fn call(call: &CallThrough) -> Markup {
    html! {
        td { (time(call.ended_at)) }
        td { (call.model) }
        td.number { (grouped(call.usage.sampled_tokens + call.usage.forced_tokens)) }
        td.number { (amount(call.charged)) }
        td.number { (amount(call.escrowed)) }
        td { (call.finish) }
        td { a href={ "/receipts/" (call.id) } { (short(call.id)) } }
    }
}
