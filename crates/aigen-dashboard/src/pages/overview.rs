//! Where the money, the load and the quality are, at a glance.

use super::answer;
use crate::api::Trouble;
use crate::guard::SignedIn;
use crate::layout::{table_or, tile};
use crate::sessions::Role;
use crate::show::{age, aigen, amount, grouped, percent, time};
use aigen_api::resources::{
    Account, Controller, EpochState, JournalTip, List, OpenCall, Receipt, Usage,
};
use aigen_types::{Amount, Timestamp};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;

/// How often the numbers are sent again.
const AGAIN: Duration = Duration::from_secs(2);
const RECEIPTS: usize = 8;
const CONTROLLERS: usize = 5;

/// A stream ends after so many, and the browser begins the next: signing out ends it soon.
const PARTS: usize = 150;

pub async fn show(who: SignedIn) -> Response {
    let main = async {
        let now = Now::ask(&who).await?;
        Ok(html! {
            h1 { "Overview" }
            section data-live="/live/overview" { (described(&now, None)) }
        })
    };
    answer(&who, "/", "Overview", main.await)
}

/// The numbers again, for as long as somebody looks and the node is not about to end.
pub async fn live(who: SignedIn) -> Response {
    let (parts, stream) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(AGAIN);
        let mut before = None;
        for _ in 0..PARTS {
            ticks.tick().await;
            if who.api().text("/ready").await.is_err() {
                return;
            }
            // What cannot be told now is told next time; the page keeps what stands.
            let Ok(now) = Now::ask(&who).await else {
                continue;
            };
            let rate = before.map(|before| now.load.since(before));
            before = Some(now.load);
            let part = described(&now, rate).into_string();
            let event = Event::default().event("part").data(part);
            if parts.send(Ok::<_, Infallible>(event)).await.is_err() {
                return;
            }
        }
    });
    Sse::new(ReceiverStream::new(stream)).into_response()
}

/// What is asked for at once.
struct Now {
    account: Account,
    usage: List<Usage>,
    calls: List<OpenCall>,
    epoch: EpochState,
    tip: JournalTip,
    receipts: List<Receipt>,
    best: List<Controller>,
    load: Load,
}

impl Now {
    async fn ask(who: &SignedIn) -> Result<Self, Trouble> {
        let api = &who.api();
        let whose = match who.session.role {
            Role::Operator => "&everyone=true",
            Role::Customer => "",
        };
        let receipts = format!("/v1/aigen/receipts?limit={RECEIPTS}{whose}");
        let best = format!("/v1/aigen/controllers?limit={CONTROLLERS}&sort=score");
        Ok(Self {
            account: api.get("/v1/aigen/account").await?,
            usage: api.get("/v1/aigen/usage").await?,
            calls: api.get("/v1/aigen/calls?limit=100").await?,
            epoch: api.get("/v1/aigen/epochs/current").await?,
            tip: api.get("/v1/aigen/journal/tip").await?,
            receipts: api.get(&receipts).await?,
            best: api.get(&best).await?,
            load: Load::read(&api.text("/metrics").await?),
        })
    }
}

/// `rate`: tokens each second since the numbers before.
fn described(now: &Now, rate: Option<u64>) -> Markup {
    let calls: u64 = now.usage.data.iter().map(|row| row.calls).sum();
    let reads: u64 = now.usage.data.iter().map(|row| row.reads).sum();
    let spent: Amount = now.usage.data.iter().map(|row| row.charged).sum();
    let held: Amount = now.calls.data.iter().map(|call| call.held).sum();
    let oldest = now.calls.data.iter().map(|call| call.opened_at).min();
    html! {
        div.tiles {
            (tile("Available", aigen(now.account.available), html! { "in " (now.account.address) }))
            (tile("Held", aigen(held), holds(now.calls.data.len(), oldest)))
            (tile("Spent", aigen(spent), html! {
                (grouped(calls)) " calls that ended" @if reads > 0 { ", " (grouped(reads)) " reads of datasets" }
            }))
            (tile("Running", html! { (grouped(now.load.running)) }, html! { (grouped(now.load.waiting)) " waiting" }))
            (tile("Tokens a second", tokens_a_second(rate), html! { (grouped(now.load.tokens)) " since the node started" }))
            (tile("Epoch", html! { (now.epoch.epoch) }, phase(&now.epoch)))
            (tile("Journal", html! { (grouped(now.tip.seq)) }, html! { "records, each chained to the one before" }))
        }
        h2 { "Newest answers" }
        (receipts(&now.receipts))
        h2 { "Best controllers" }
        (controllers(&now.best))
    }
}

fn tokens_a_second(rate: Option<u64>) -> Markup {
    html! { @match rate { Some(rate) => (grouped(rate)), None => "–" } }
}

fn holds(count: usize, oldest: Option<Timestamp>) -> Markup {
    html! {
        a href="/money" { (count) " open holds" }
        @if let Some(since) = oldest { ", the oldest for " (age(since)) }
    }
}

pub fn phase(epoch: &EpochState) -> Markup {
    let until = epoch.commit_until.or(epoch.reveal_until);
    html! {
        a href="/epochs" { (format!("{:?}", epoch.phase).to_lowercase()) }
        @if let Some(until) = until { ", until " (time(until)) }
    }
}

fn receipts(list: &List<Receipt>) -> Markup {
    let row = |receipt: &Receipt| {
        html! {
            td { a href={ "/receipts/" (receipt.id) } { (time(receipt.created)) } }
            td { (receipt.model) }
            td { @match &receipt.controller { Some(controller) => (controller), None => "–" } }
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
        "tokens out",
        "AIGEN",
        "ended by",
    ];
    table_or(
        "Newest answers",
        &headings,
        &rows,
        html! {
            "This account has paid for no call yet. Try one in the " a href="/playground" { "playground" } ", or point an app at this node: "
            code { "base_url = this address + /v1" } "."
        },
    )
}

fn controllers(list: &List<Controller>) -> Markup {
    let row = |controller: &Controller| {
        html! {
            td {
                a href={ "/controllers/" (controller.reference) } { (controller.reference) }
                div.quiet { (controller.description) }
            }
            td { @match controller.score { Some(score) => (percent(score.into())), None => "not scored yet" } }
        }
    };
    let rows: Vec<_> = list.data.iter().map(row).collect();
    table_or(
        "Best controllers",
        &["controller", "score"],
        &rows,
        html! {
            "Nobody has published a controller yet. " code { "aigen controller new" } " begins one."
        },
    )
}

/// What the node says of its load, in the words of its metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Load {
    running: u64,
    waiting: u64,
    tokens: u64,
}

impl Load {
    /// Tokens each second since the numbers were `before`, one tick ago.
    fn since(self, before: Self) -> u64 {
        self.tokens.saturating_sub(before.tokens) / AGAIN.as_secs()
    }

    fn read(metrics: &str) -> Self {
        let sum = |name: &str| {
            let values = metrics.lines().filter_map(|line| {
                let (told, value) = line.rsplit_once(' ')?;
                let told = told.split('{').next()?;
                (told == name).then(|| value.parse::<f64>().ok())?
            });
            // Counts: whole and not negative.
            values.sum::<f64>() as u64
        };
        Self {
            running: sum("vllm:num_requests_running"),
            waiting: sum("vllm:num_requests_waiting"),
            tokens: sum("vllm:generation_tokens_total"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_read_over_all_models() {
        let text = "# HELP x\nvllm:num_requests_running{model_name=\"a\"} 2\n\
            vllm:num_requests_running{model_name=\"b\"} 1\nvllm:generation_tokens_total{model_name=\"a\"} 75.0\n";
        let load = Load {
            running: 3,
            waiting: 0,
            tokens: 75,
        };
        assert_eq!(Load::read(text), load);
    }
}
