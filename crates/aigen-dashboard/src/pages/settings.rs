//! What holds now: the rules of scoring, and where the rest is set.

use super::answer;
use crate::guard::SignedIn;
use crate::layout::{table, table_or};
use crate::show::percent;
use aigen_api::resources::{List, Rules};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

pub async fn show(who: SignedIn) -> Response {
    let rules = who.api().get("/v1/aigen/rules").await;
    let main = rules.map(|rules: List<Rules>| html! {
        h1 { "Settings" }
        p.lead {
            "A node is set up by one file, which " code { "aigen config" } " prints and checks. The rules of scoring belong "
            "to the network: they are versioned, and change after a time that everyone can see coming."
        }
        @for rules in rules.data.iter().rev() { (version(rules)) }
    });
    answer(&who, "/settings", "Settings", main)
}

fn version(rules: &Rules) -> Markup {
    let rows: Vec<_> = rules.parameters.iter().map(|row| html! {
        td { (row.id) }
        td { (percent(i64::try_from(row.weight).unwrap_or(i64::MAX))) }
        td { (format!("{:?}", row.kind).to_lowercase()) }
        td { @if row.gate_full == 0 { "–" } @else { (percent(i64::try_from(row.gate_full).unwrap_or(i64::MAX))) } }
    }).collect();
    html! {
        h2 { "Rules, version " (rules.version) ", from epoch " (rules.from) }
        (table_or("Parameters", &["scored in", "weight", "how", "gate"], &rows, html! { "Nothing is scored." }))
        details {
            summary { "Every number" }
            (numbers(serde_json::to_value(rules.terms).unwrap_or_default()))
            (numbers(serde_json::to_value(&rules.params).unwrap_or_default()))
        }
    }
}

fn numbers(fields: Value) -> Markup {
    let fields = fields.as_object().cloned().unwrap_or_default();
    let rows: Vec<_> = fields
        .iter()
        .map(|(name, value)| {
            html! {
                td { code { (name) } }
                td.number { @match value.as_str() { Some(text) => (text), None => (value) } }
                td { (Rules::unit(name)) }
            }
        })
        .collect();
    table("Numbers", &["name", "value", "in"], &rows)
}
