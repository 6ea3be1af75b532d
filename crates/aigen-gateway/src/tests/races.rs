//! A budget is never overspent, however the calls come: at once, through any route, streamed or
//! retried. (Two nodes on one journal: `crates/aigen/tests/cluster`.)

use super::world::{World, chat, request};
use axum::body::Body;
use axum::http::Request;
use futures::future::join_all;
use serde_json::{Value, json};

/// How the calls of a row differ from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    /// Each is a call of its own.
    Never,
    /// Each is sent twice under one key of its own.
    Named,
    /// Each is sent twice, and is two calls.
    Unnamed,
}

/// A request of a route, streamed or not.
fn asking(route: &str, stream: bool) -> Value {
    let mut body = match route {
        "/v1/completions" => json!({"model": "tiny", "prompt": "Hi", "temperature": 0}),
        "/v1/responses" => json!({"model": "tiny", "input": "Hi", "temperature": 0}),
        _ => chat(json!({"max_tokens": 16})),
    };
    body["stream"] = stream.into();
    body
}

fn call(world: &World, route: &str, stream: bool, named: Option<String>) -> Request<Body> {
    let body = asking(route, stream).to_string();
    let mut request = request("POST", &world.ada, route, &body);
    let headers = request.headers_mut();
    headers.insert("x-aigen-end-user", "42".parse().unwrap());
    if let Some(key) = named {
        headers.insert("idempotency-key", key.parse().unwrap());
    }
    request
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const COMPLETIONS: &str = "/v1/completions";
const RESPONSES: &str = "/v1/responses";

/// What the end user may spend in all, in nano-AIGEN: a call comes to at most 32 or so.
const CAP: u128 = 200;

/// Thirty calls at once, the first ones of a new end user of whom nothing is known but the bound
/// of each end user.
#[tokio::test(flavor = "multi_thread")]
async fn thirty_calls_at_once_spend_no_more_than_the_budget() {
    for (routes, stream, retry) in [
        (&[CHAT][..], false, Retry::Never),
        (&[CHAT], true, Retry::Never),
        (&[CHAT, MESSAGES], false, Retry::Never),
        (
            &[CHAT, MESSAGES, COMPLETIONS, RESPONSES],
            true,
            Retry::Never,
        ),
        (&[CHAT], false, Retry::Named),
        (&[CHAT], true, Retry::Named),
        (&[CHAT, RESPONSES], false, Retry::Unnamed),
    ] {
        let row = format!("{routes:?} stream {stream} retry {retry:?}");
        let world = World::polite().await;
        bound(&world).await;
        let times = if retry == Retry::Never { 1 } else { 2 };
        let calls = (0..30).flat_map(|number: usize| {
            let route = routes[number % routes.len()];
            let named = (retry == Retry::Named).then(|| format!("call-{number}"));
            (0..times).map(move |_| (route, named.clone()))
        });
        let calls = calls.map(|(route, named)| world.send(call(&world, route, stream, named)));
        let replies = join_all(calls).await;
        let statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        for reply in &replies {
            // A retry of a call that still runs is told so.
            let known = [200, 402, 409].contains(&reply.status.as_u16());
            assert!(known, "{row}: {}", reply.text);
        }
        let answered = statuses.iter().filter(|status| **status == 200).count();
        assert!(
            answered > 0 && statuses.contains(&402),
            "{row}: {statuses:?}"
        );
        spent_within_the_cap(&world, &row).await;
    }
}

async fn bound(world: &World) {
    let cap = format!("0.{CAP:09}");
    let body = json!({"path": "user:ada:user:*", "cap": cap, "period": "total"});
    let reply = world
        .post(&world.operator, "/v1/aigen/budgets", &body)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// What is gone is what the receipts say, at most the cap, and nothing is held afterwards.
async fn spent_within_the_cap(world: &World, row: &str) {
    world.settle().await;
    let (available, held, posted) = world.balance("user:ada");
    let charged: u128 = {
        let network = world.node.network();
        let receipts = network.receipts();
        receipts.map(|(_, receipt)| receipt.total().nano()).sum()
    };
    assert_eq!((available, held), (posted, 0), "{row}");
    assert_eq!(1_000_000_000 - posted, charged, "{row}");
    assert!(0 < charged && charged <= CAP, "{row}: {charged} of {CAP}");
}
