//! Teams and their budgets, apps and what their users allow them.

use super::answer;
use crate::api::{Asked, Trouble};
use crate::guard::SignedIn;
use crate::layout::table_or;
use crate::show::{amount, grouped, percent, share, time};
use aigen_api::resources::{Allowance, Budget, List, Period, Usage};
use aigen_types::Amount;
use axum::response::Response;
use maud::{Markup, html};

pub async fn show(who: SignedIn) -> Response {
    let main = described(&who.api()).await;
    answer(&who, "/spending", "Budgets and allowances", main)
}

async fn described(api: &Asked<'_>) -> Result<Markup, Trouble> {
    let budgets: List<Budget> = api.get("/v1/aigen/budgets").await?;
    let allowances: List<Allowance> = api.get("/v1/aigen/allowances").await?;
    let usage: List<Usage> = api.get("/v1/aigen/usage?by=spender").await?;
    Ok(html! {
        h1 { "Budgets and allowances" }
        p.lead {
            "A budget is a cap at a level: organisation, team, app, end user. It is part of the hold that every call "
            "takes before it begins, so however many calls begin at once, they stop exactly at the cap."
        }
        h2 { "Budgets" }
        (table_budgets(&budgets))
        h2 { "Allowances" }
        p.quiet { "What a user lets an app spend in its name. The user ends it at any time." }
        (table_allowances(&allowances))
        h2 { "Who spent what" }
        (table_usage(&usage))
    })
}

fn table_budgets(budgets: &List<Budget>) -> Markup {
    let row = |budget: &Budget| {
        html! {
            td { (budget.path) }
            td { (period(budget.period)) @if let Some(at) = budget.resets_at { ", new " (time(at)) } }
            td.number { (amount(budget.cap)) }
            @if budget.path.is_each_user() {
                td { "each by itself" } td { "–" } td { "–" }
            } @else {
                td { (share(part(budget.spent, budget.cap), "spent")) }
                td.number { (amount(budget.held)) }
                td.number { (amount(budget.available)) }
            }
        }
    };
    let rows: Vec<_> = budgets.data.iter().map(row).collect();
    table_or(
        "Budgets",
        &["of", "per", "cap", "spent", "held", "left"],
        &rows,
        html! {
            "There is no budget: what a key can spend ends at its account's balance. One is set with "
            code { "aigen budget set" } "."
        },
    )
}

fn table_allowances(allowances: &List<Allowance>) -> Markup {
    let row = |allowance: &Allowance| {
        html! {
            td { (allowance.user) }
            td { (allowance.app) }
            td { @if allowance.live { span.good { "live" } } @else { span.bad { "ended" } } }
            td.number { (amount(allowance.cap)) " per " (period(allowance.period)) }
            td { (share(part(allowance.spent, allowance.cap), "spent")) }
            td { (percent(allowance.margin_ppm.into())) }
        }
    };
    let rows: Vec<_> = allowances.data.iter().map(row).collect();
    table_or(
        "Allowances",
        &["user", "app", "state", "cap", "spent", "app's margin"],
        &rows,
        html! {
            "No user has allowed an app to spend. " code { "aigen allowance grant" } " does that, with the user's key."
        },
    )
}

fn table_usage(usage: &List<Usage>) -> Markup {
    let row = |usage: &Usage| {
        html! {
            td { @match &usage.spender { Some(spender) => (spender), None => (usage.account) } }
            td { (usage.account) }
            td.number { (grouped(usage.calls)) }
            td.number { (grouped(usage.usage.prompt_tokens)) }
            td.number { (grouped(usage.usage.sampled_tokens + usage.usage.forced_tokens)) }
            td.number { (grouped(usage.rows)) }
            td.number { (amount(usage.charged)) }
        }
    };
    let rows: Vec<_> = together(&usage.data).iter().map(row).collect();
    table_or(
        "Who spent what",
        &[
            "spender",
            "paid by",
            "calls",
            "tokens in",
            "tokens out",
            "rows read",
            "AIGEN",
        ],
        &rows,
        html! {
            "Nobody has spent anything yet."
        },
    )
}

/// Calls, and reads outside of them, which usage has in lines of their own, of one spender in one.
fn together(usage: &[Usage]) -> Vec<Usage> {
    let mut sums: Vec<Usage> = Vec::new();
    for row in usage {
        let same = |sum: &&mut Usage| sum.account == row.account && sum.spender == row.spender;
        match sums.iter_mut().find(same) {
            None => sums.push(row.clone()),
            Some(sum) => {
                sum.calls += row.calls;
                sum.rows += row.rows;
                sum.usage.prompt_tokens += row.usage.prompt_tokens;
                sum.usage.sampled_tokens += row.usage.sampled_tokens;
                sum.usage.forced_tokens += row.usage.forced_tokens;
                sum.charged = sum.charged.saturating_add(row.charged);
            }
        }
    }
    sums
}

fn period(period: Period) -> String {
    format!("{period:?}").to_lowercase()
}

/// Parts per million of a cap; a cap of nothing is used up.
fn part(spent: Amount, cap: Amount) -> u32 {
    let ppm = spent
        .nano()
        .saturating_mul(1_000_000)
        .checked_div(cap.nano());
    ppm.map_or(1_000_000, |ppm| {
        u32::try_from(ppm.min(1_000_000)).unwrap_or(1_000_000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_caps_are_whole_at_most() {
        for (spent, cap, ppm) in [(1, 4, 250_000), (9, 4, 1_000_000), (0, 0, 1_000_000)] {
            assert_eq!(part(Amount::from_nano(spent), Amount::from_nano(cap)), ppm);
        }
    }
}
