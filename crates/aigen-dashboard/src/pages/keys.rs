//! Keys: whose they are and what bounds them. Their secrets are known to nobody here.

use super::answer;
use crate::guard::SignedIn;
use crate::layout::table_or;
use crate::show::{amount, grouped, time};
use aigen_api::resources::{Key, KeyLimits, List};
use axum::response::Response;
use maud::{Markup, html};

pub async fn show(who: SignedIn) -> Response {
    let list = who.api().get("/v1/aigen/keys").await;
    let main = list.map(|list: List<Key>| html! {
        h1 { "Keys" }
        p.lead { "What is kept of a key is a hash: a lost key cannot be shown, only revoked and replaced." }
        (table_keys(&list))
        h2 { "Make one" }
        pre { code { "aigen key create user:ada --name ada\naigen key limit ada --requests-per-minute 60\naigen key revoke ada" } }
    });
    answer(&who, "/keys", "Keys", main)
}

fn table_keys(list: &List<Key>) -> Markup {
    let rows: Vec<_> = list
        .data
        .iter()
        .map(|key| {
            html! {
                td { (key.name) }
                td.address { (key.account) }
                td.address { (key.spender) }
                td { (format!("{:?}", key.role).to_lowercase()) }
                td { @if key.revoked { span.bad { "revoked" } } @else if key.expired { span.bad { "expired" } } @else { span.good { "valid" } } }
                td { (limits(&key.limits)) @if let Some(budget) = &key.budget { ", " (amount(budget.available)) " left of " (amount(budget.cap)) } }
            }
        })
        .collect();
    table_or(
        "Keys",
        &["key", "spends from", "for", "role", "state", "limits"],
        &rows,
        html! { "There is no key." },
    )
}

fn limits(limits: &KeyLimits) -> Markup {
    let mut parts: Vec<Markup> = Vec::new();
    if let Some(most) = limits.requests_per_minute {
        parts.push(html! { (grouped(most)) " requests a minute" });
    }
    if let Some(most) = limits.tokens_per_minute {
        parts.push(html! { (grouped(most)) " tokens a minute" });
    }
    if let Some(at) = limits.expires_at {
        parts.push(html! { "ends " (time(at)) });
    }
    for model in &limits.models {
        parts.push(html! { "model " (model) });
    }
    for controller in &limits.controllers {
        parts.push(html! { "controller " (controller) });
    }
    for dataset in &limits.datasets {
        parts.push(html! { "dataset " (dataset) });
    }
    for scope in &limits.scopes {
        parts.push(html! { "may " (format!("{scope:?}").to_lowercase()) });
    }
    html! {
        @if parts.is_empty() { "none" }
        @for (at, part) in parts.iter().enumerate() { @if at > 0 { ", " } (part) }
    }
}
