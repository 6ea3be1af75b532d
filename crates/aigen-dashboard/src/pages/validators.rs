//! Validators: their stake, skill and income over time.

use super::{answer, encoded};
use crate::api::{Asked, Trouble};
use crate::chart::{Line, lines};
use crate::guard::SignedIn;
use crate::layout::table_or;
use crate::show::{amount, percent};
use aigen_api::resources::{List, Validator, ValidatorPast};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

pub async fn list(who: SignedIn) -> Response {
    let list = who.api().get("/v1/aigen/validators").await;
    let main = list.map(|list: List<Validator>| html! {
        h1 { "Validators" }
        p.lead {
            "They evaluate controllers by using them, hide their answers until all have answered, and are paid for "
            "being right: by skill against controllers whose quality is known, times agreement with others."
        }
        (table_validators(&list))
    });
    answer(&who, "/validators", "Validators", main)
}

fn table_validators(list: &List<Validator>) -> Markup {
    let mut validators: Vec<_> = list.data.iter().collect();
    validators.sort_by_key(|validator| std::cmp::Reverse(validator.skill));
    let rows: Vec<_> = validators
        .iter()
        .map(|validator| {
            html! {
                td { a href={ "/validators/" (validator.name) } { (validator.name) } }
                td { (validator.owner) }
                td.number { (amount(validator.stake)) }
                td.number { (amount(validator.active_stake)) }
                td { (percent(validator.skill)) }
            }
        })
        .collect();
    let headings = [
        "validator",
        "owner",
        "stake",
        "stake that counts now",
        "skill",
    ];
    table_or(
        "Validators",
        &headings,
        &rows,
        html! {
            "Nobody validates yet, so scores stay where they began. "
            code { "aigen validator register NAME --owner OWNER --stake 10" } " begins."
        },
    )
}

pub async fn one(who: SignedIn, Path(name): Path<String>) -> Response {
    let main = described(&who.api(), &name).await;
    answer(&who, "/validators", &name, main)
}

async fn described(api: &Asked<'_>, name: &str) -> Result<Markup, Trouble> {
    let past: List<ValidatorPast> = api
        .get(&format!("/v1/aigen/history/validators/{}", encoded(name)))
        .await?;
    let rows: Vec<_> = past
        .data
        .iter()
        .map(|epoch| {
            html! {
                td { a href={ "/epochs/" (epoch.epoch) } { (epoch.epoch) } }
                td { (percent(epoch.skill)) }
                td.number { (amount(epoch.pay)) }
                td.number { (amount(epoch.slash)) }
                td { a href={ "/epochs/" (epoch.epoch) "/why/" (encoded(name)) } { "why" } }
            }
        })
        .collect();
    Ok(html! {
        h1 { (name) }
        @if !rows.is_empty() { (charts(&past.data)) }
        (table_or("Epochs", &["epoch", "skill", "paid", "slashed", ""], &rows, html! {
            "No epoch that it took part in is settled yet."
        }))
    })
}

fn charts(past: &[ValidatorPast]) -> Markup {
    let line = |name: &str, of: fn(&ValidatorPast) -> f64| Line {
        name: name.to_owned(),
        points: past
            .iter()
            .map(|epoch| (epoch.epoch.0 as f64, of(epoch)))
            .collect(),
    };
    let aigen = |nano: u128| nano as f64 / 1e9;
    html! {
        (lines("Skill, by epoch", &[line("skill", |epoch| epoch.skill as f64 / 1e6)]))
        (lines("AIGEN, by epoch", &[
            line("paid", |epoch| epoch.pay.nano() as f64 / 1e9),
            line("slashed", |epoch| epoch.slash.nano() as f64 / 1e9),
        ]))
        p.quiet { "Paid in all: " (aigen(past.iter().map(|epoch| epoch.pay.nano()).sum())) " AIGEN." }
    }
}
