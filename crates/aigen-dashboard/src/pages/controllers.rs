//! Controllers by their scores, and what each earned.

use super::{after_part, answer, encoded};
use crate::api::{Asked, Trouble};
use crate::chart::{Line, lines};
use crate::guard::SignedIn;
use crate::layout::{more, table_or};
use crate::show::{amount, grouped, percent, short, time};
use aigen_api::resources::{Controller, ControllerKind, ControllerPast, List, Usage};
use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
pub struct Page {
    after: Option<String>,
}

pub async fn list(who: SignedIn, Query(page): Query<Page>) -> Response {
    let after = page.after.as_deref();
    let after = after_part(after);
    let path = format!("/v1/aigen/controllers?sort=score&limit=50{after}");
    let list = who.api().get(&path).await;
    let main = list.map(|list: List<Controller>| html! {
        h1 { "Controllers" }
        p.lead {
            "Programs of third parties that steer every token. What a controller earns is its score times what was "
            "spent through it; validators find the score."
        }
        (leaderboard(&list))
        (more("/controllers", list.next.as_deref()))
    });
    answer(&who, "/controllers", "Controllers", main)
}

fn leaderboard(list: &List<Controller>) -> Markup {
    let row = |controller: &Controller| {
        html! {
            td { a href={ "/controllers/" (controller.reference) } { (controller.reference) } }
            td.number { @match controller.score { Some(score) => (percent(score.into())), None => "not scored yet" } }
            td { (controller.description) }
            td { (time(controller.published_at)) }
            td { (format!("{:?}", controller.standing).to_lowercase()) }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    table_or(
        "Controllers",
        &[
            "controller",
            "score",
            "what it does",
            "published",
            "standing",
        ],
        &rows,
        html! {
            "Nobody has published a controller yet. " code { "aigen controller new my-controller --lang rust" }
            " begins one, " code { "aigen controller publish" } " offers it here."
        },
    )
}

pub async fn one(who: SignedIn, Path(reference): Path<String>) -> Response {
    let main = described(&who.api(), &reference).await;
    answer(&who, "/controllers", &reference, main)
}

async fn described(api: &Asked<'_>, reference: &str) -> Result<Markup, Trouble> {
    // A reference has slashes of its own, which are part of the path.
    let path: Vec<_> = reference.split('/').map(encoded).collect();
    let path = path.join("/");
    let controller: Controller = api.get(&format!("/v1/aigen/controllers/{path}")).await?;
    let past: List<ControllerPast> = api
        .get(&format!("/v1/aigen/history/controllers/{path}"))
        .await?;
    let usage: List<Usage> = api.get("/v1/aigen/usage?by=controller").await?;
    let used = usage
        .data
        .iter()
        .filter(|row| row.controller.as_ref() == Some(&controller.reference));
    let used: Vec<_> = used.collect();
    Ok(html! {
        h1 { (controller.reference) }
        p.lead { (controller.description) }
        dl.facts {
            dt { "Score" } dd { @match controller.score { Some(score) => (percent(score.into())), None => "not scored yet" } }
            dt { "Published" } dd { (time(controller.published_at)) }
            dt { "Standing" } dd { (format!("{:?}", controller.standing).to_lowercase()) @if !controller.reason.is_empty() { ": " (controller.reason) } }
            @if !controller.tags.is_empty() { dt { "Tags" } dd { (controller.tags.join(", ")) } }
            dt { "Digest" } dd { (short(controller.digest)) }
            @if let Some(release) = &controller.release { dt { "Signed by" } dd { (short(release.publisher)) } }
            dt { "Use it" } dd { code { (used_by(&controller)) } }
        }
        h2 { "Scores" }
        (history(&past))
        h2 { "Usage that you may see" }
        (table_usage(&used))
        @if let Some(release) = &controller.release { h2 { "Manifest" } pre { code { (release.manifest) } } }
    })
}

/// What of a request names it.
fn used_by(controller: &Controller) -> String {
    let reference = &controller.reference;
    match controller.kind {
        Some(ControllerKind::Function) => format!("\"model\": \"fn:{reference}\""),
        _ => format!("\"aigen\": {{\"controller\": \"{reference}\"}}"),
    }
}

fn history(past: &List<ControllerPast>) -> Markup {
    if past.data.is_empty() {
        return html! { div.empty { "No epoch that it took part in is settled yet. It takes part once money was spent through it." } };
    }
    let rows: Vec<_> = past
        .data
        .iter()
        .map(|epoch| {
            html! {
                td { a href={ "/epochs/" (epoch.epoch) } { (epoch.epoch) } }
                td { (percent(epoch.score.into())) }
                td.number { (amount(epoch.payout)) }
                td.number { (amount(epoch.remainder)) }
                td { a href={ "/epochs/" (epoch.epoch) "/why/" (epoch.id) } { "why" } }
            }
        })
        .collect();
    html! {
        (lines("Score and its parameters, by epoch", &series(&past.data)))
        (table_or("Scores", &["epoch", "score", "earned", "not earned", ""], &rows, html! {}))
    }
}

/// The score, then each parameter, as shares of one.
fn series(past: &[ControllerPast]) -> Vec<Line> {
    let names: BTreeSet<&String> = past.iter().flat_map(|epoch| epoch.state.keys()).collect();
    let at = |epoch: &ControllerPast, ppm: f64| (epoch.epoch.0 as f64, ppm / 1e6);
    let score = Line {
        name: "score".to_owned(),
        points: past
            .iter()
            .map(|epoch| at(epoch, epoch.score.into()))
            .collect(),
    };
    let parameter = |name: &String| Line {
        name: name.clone(),
        points: past
            .iter()
            .filter_map(|epoch| Some(at(epoch, *epoch.state.get(name)? as f64)))
            .collect(),
    };
    std::iter::once(score)
        .chain(names.into_iter().map(parameter))
        .collect()
}

fn table_usage(used: &[&Usage]) -> Markup {
    let rows: Vec<_> = used
        .iter()
        .map(|row| {
            html! {
                td { (row.account) }
                td.number { (grouped(row.calls)) }
                td.number { (amount(row.charged)) }
            }
        })
        .collect();
    table_or(
        "Usage",
        &["paid by", "calls", "AIGEN"],
        &rows,
        html! { "You have not used it yet." },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_function_is_used_as_a_model() {
        let used = |kind: &str| {
            let controller = json!({
                "reference": "ada/quiz@1.0.0", "digest": "11".repeat(32), "description": "", "published_at": 0,
                "kind": kind,
            });
            used_by(&serde_json::from_value(controller).unwrap())
        };
        assert_eq!(used("function"), r#""model": "fn:ada/quiz@1.0.0""#);
        assert_eq!(
            used("grammar"),
            r#""aigen": {"controller": "ada/quiz@1.0.0"}"#
        );
    }
}
