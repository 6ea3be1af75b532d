//! Calls through a real node: quote, hold, decode, capture, receipt. The engine is scripted and
//! says two tokens, so that what is measured is money.

use crate::{CALLS, CLIENTS, Times};
use aigen_engine::Limits;
use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_jarvis::Compiler;
use aigen_journal::{Journal, MemoryStore, SqliteStore, Store};
use aigen_network::{Found, NewModel, Role, Settings};
use aigen_node::economy::settlement::{Parameter, ParameterKind, Params};
use aigen_node::economy::{Price, Shares};
use aigen_node::{
    CallEvent, Caller, CompletionRequest, Embedded, IssuedKey, Node, Prompt, Steering,
    random_call_id, random_transfer_id,
};
use aigen_types::{Amount, Digest, Ppm, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

pub fn over_sqlite(path: &Path) -> Times {
    let (store, _) = SqliteStore::open_with_tip(path).expect("a new file");
    measure(Box::new(store))
}

pub fn in_memory() -> Times {
    measure(Box::<MemoryStore>::default())
}

fn measure(store: Box<dyn Store>) -> Times {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let (node, caller) = node(store).await;
        let client = |_| tokio::spawn(client(node.clone(), caller.clone()));
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        let mut all = Vec::new();
        for client in clients {
            all.push(client.await.expect("it ends"));
        }
        Times::join(all)
    })
}

async fn client(node: Node, caller: Caller) -> Times {
    let mut times = Times::default();
    for _ in 0..CALLS {
        let began = Instant::now();
        let mut running = node.complete(&caller, request()).await.expect("held");
        times.hold.push(began.elapsed());
        let mut last_piece = Instant::now();
        while let Some(event) = running.events.recv().await {
            match event {
                CallEvent::Piece { .. } => last_piece = Instant::now(),
                CallEvent::Ended(ended) => {
                    ended.receipt.expect("captured");
                    times.capture.push(last_piece.elapsed());
                }
            }
        }
    }
    times
}

async fn node(store: Box<dyn Store>) -> (Node, Caller) {
    let script = Script::replies([("", ["ok"])]);
    let engine = ScriptedEngine::new(Vocabulary::bytes(), script).with_sequences(64);
    let engine = aigen_engine::start(Box::new(engine), Limits::default());
    let compiler = Compiler::new(engine.tokenizer())
        .expect("a tokenizer")
        .into();
    let models = BTreeMap::from([(
        parsed("tiny"),
        Embedded {
            engine,
            compiler,
            reasoning: None,
        }
        .into(),
    )]);
    let mut now = 0;
    let clock = move || {
        now += 1;
        Timestamp(now)
    };
    let (journal, _) = Journal::start(store, clock, |error| panic!("{error}")).expect("new");
    let node = Node::start(journal, models).await.expect("new");
    node.found(found()).await.expect("new");
    node.publish_model(model()).await.expect("founded");
    let key = IssuedKey::draw(parsed("ada-1"), parsed("user:ada"), Role::Customer);
    let operator = IssuedKey::draw(parsed("op"), parsed("operator"), Role::Operator);
    for key in [&key, &operator] {
        node.add_key(key).await.expect("a new name");
    }
    let operator = node.authenticate(&operator.secret).expect("added");
    node.issue(
        &operator,
        random_transfer_id(),
        parsed("user:ada"),
        Amount::from_nano(1_000_000_000),
    )
    .await
    .expect("an operator");
    let caller = node.authenticate(&key.secret).expect("added");
    (node, caller)
}

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("well formed")
}

fn found() -> Found {
    let quality = Parameter {
        id: "quality".into(),
        weight: Ppm::ONE,
        kind: ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    };
    Found {
        name: parsed("bench"),
        settings: Settings {
            shares: Shares::default(),
            parameters: vec![quality],
            params: Params::default(),
            latency_budget_micros: 1_000,
        },
    }
}

fn model() -> NewModel {
    let nano = Amount::from_nano;
    NewModel {
        name: parsed("tiny"),
        provider: parsed("acme"),
        digest: Digest([1; 32]),
        context_tokens: 4096,
        price: Price {
            input: nano(1_000_000),
            cached_input: nano(1_000_000),
            output: nano(2_000_000),
            request: Amount::ZERO,
        },
    }
}

fn request() -> CompletionRequest {
    CompletionRequest {
        call: random_call_id(),
        parent: None,
        request: Digest([2; 32]),
        model: parsed("tiny"),
        others: Vec::new(),
        prompt: Prompt::Text("Say ok".into()),
        max_tokens: Some(16),
        corrections: Vec::new(),
        max_cost: None,
        end_user: None,
        bill_to: None,
        sampling: Sampling {
            temperature: 0.0,
            ..Sampling::default()
        },
        stops: Vec::new(),
        top_logprobs: None,
        choices: 1,
        steering: Steering::Free,
        retract: false,
        trace: false,
        datasets: Vec::new(),
        traceparent: None,
        replay: false,
    }
}
