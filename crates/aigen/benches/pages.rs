//! How long the dashboard's pages take to make with a million transfers and ten thousand
//! controllers in the ledger, and how large they are, beside the API's own answers to the
//! questions that they ask: `cargo bench -p aigen --bench pages --profile dev`.
#![allow(clippy::print_stdout, missing_docs)]

use aigen_engine::Limits;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_gateway::GatewayState;
use aigen_jarvis::Compiler;
use aigen_journal::{Journal, MemoryStore};
use aigen_network::{ControllerKind, Found, NewController, NewModel, Role, Settings};
use aigen_node::economy::{Price, Shares, settlement::Params};
use aigen_node::{Caller, Embedded, IssuedKey, Node, random_transfer_id};
use aigen_types::{Amount, Digest, Timestamp};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::time::{Duration, Instant};
use tower::ServiceExt;

const TRANSFERS: usize = 1_000_000;
const CONTROLLERS: usize = 10_000;
/// Commands under way at once: they share the journal's batches.
const CLIENTS: usize = 256;
const LOOKS: usize = 20;
/// Each page and what it mostly asks for.
const PAGES: [(&str, &str); 7] = [
    ("/", "/v1/aigen/account"),
    ("/money", "/v1/aigen/transfers?account=operator&limit=25"),
    ("/ledger", "/v1/aigen/transfers?limit=50"),
    ("/controllers", "/v1/aigen/controllers?sort=score&limit=50"),
    (
        "/controllers/ada/quiz-7777@1.0.0",
        "/v1/aigen/controllers/ada/quiz-7777@1.0.0",
    ),
    ("/receipts", "/v1/aigen/receipts?limit=50"),
    ("/spending", "/v1/aigen/usage?by=spender"),
];

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let (node, secret) = filled().await;
        let api = aigen_gateway::router(GatewayState::new(node));
        let pages = aigen_dashboard::router(api.into(), false);
        let cookie = sign_in(&pages, &secret).await;
        println!(
            "{TRANSFERS} transfers, {CONTROLLERS} controllers; milliseconds, median of {LOOKS}"
        );
        println!(
            "{:<36} {:>8} {:>8} {:>8} {:>10}",
            "page", "page", "API", "ratio", "bytes"
        );
        for (page, question) in PAGES {
            let (page_time, bytes) = look(&pages, page, (COOKIE.as_str(), &cookie)).await;
            let bearer = format!("Bearer {secret}");
            let (api_time, _) = look(&pages, question, (AUTHORIZATION.as_str(), &bearer)).await;
            let ratio = page_time / api_time;
            println!("{page:<36} {page_time:>8.2} {api_time:>8.2} {ratio:>8.1} {bytes:>10}");
        }
    });
}

async fn look(router: &Router, path: &str, (name, value): (&str, &str)) -> (f64, usize) {
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..LOOKS {
        let request = Request::get(path).header(name, value);
        let request = request.body(Body::empty()).expect("a request");
        let began = Instant::now();
        let reply = router.clone().oneshot(request).await.expect("infallible");
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
        let body = to_bytes(reply.into_body(), usize::MAX)
            .await
            .expect("whole");
        times.push(began.elapsed());
        bytes = body.len();
    }
    times.sort();
    (milliseconds(times[LOOKS / 2]), bytes)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

async fn sign_in(router: &Router, secret: &str) -> String {
    let request = Request::post("/sign-in")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("key={secret}")))
        .expect("a request");
    let reply = router.clone().oneshot(request).await.expect("infallible");
    let cookie = reply.headers()[SET_COOKIE].to_str().expect("text");
    cookie.split(';').next().expect("a pair").to_owned()
}

async fn filled() -> (Node, String) {
    let script = Script::replies([("", ["ok"])]);
    let engine = ScriptedEngine::new(Vocabulary::bytes(), script);
    let engine = aigen_engine::start(Box::new(engine), Limits::default());
    let compiler = Compiler::new(engine.tokenizer())
        .expect("a tokenizer")
        .into();
    let served = Embedded {
        engine,
        compiler,
        reasoning: None,
    };
    let models = BTreeMap::from([(parsed("tiny"), served.into())]);
    let mut now = 0;
    let clock = move || {
        now += 1;
        Timestamp(now)
    };
    let store = Box::<MemoryStore>::default();
    let (journal, _) = Journal::start(store, clock, |error| panic!("{error}")).expect("new");
    let node = Node::start(journal, models).await.expect("new");
    node.found(found()).await.expect("new");
    node.publish_model(model()).await.expect("founded");
    let key = IssuedKey::draw(parsed("op"), parsed("operator"), Role::Operator);
    node.add_key(&key).await.expect("a new name");
    let operator = node.authenticate(&key.secret).expect("added");
    let much = Amount::from_nano(1 << 60);
    node.issue(&operator, random_transfer_id(), parsed("operator"), much)
        .await
        .expect("an operator");
    let client = |at| tokio::spawn(fill(node.clone(), operator.clone(), at));
    for client in (0..CLIENTS).map(client).collect::<Vec<_>>() {
        client.await.expect("it ends");
    }
    (node, key.secret.clone())
}

/// One client's part of everything.
async fn fill(node: Node, operator: Caller, client: usize) {
    for at in (client..CONTROLLERS).step_by(CLIENTS) {
        let new = NewController {
            reference: parsed(&format!("ada/quiz-{at}@1.0.0")),
            kind: ControllerKind::Grammar,
            source: format!("start: \"{at}\""),
            listed: true,
            description: "Quiz items whose answers are quoted from the lesson".to_owned(),
        };
        node.publish_controller(&operator, new).await.expect("new");
    }
    for at in (client..TRANSFERS).step_by(CLIENTS) {
        let to = parsed(&format!("user:reader-{}", at % 1_000));
        let paid = node.pay(
            &operator,
            random_transfer_id(),
            to,
            Amount::from_nano(1_000),
        );
        paid.await.expect("there is enough");
    }
}

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("well formed")
}

fn found() -> Found {
    Found {
        name: parsed("bench"),
        settings: Settings {
            shares: Shares::default(),
            parameters: Vec::new(),
            params: Params::default(),
            latency_budget_micros: 1_000,
        },
    }
}

fn model() -> NewModel {
    NewModel {
        name: parsed("tiny"),
        provider: parsed("acme"),
        digest: Digest([1; 32]),
        context_tokens: 4096,
        price: Price {
            input: Amount::from_nano(1),
            cached_input: Amount::from_nano(1),
            output: Amount::from_nano(2),
            request: Amount::ZERO,
        },
    }
}
