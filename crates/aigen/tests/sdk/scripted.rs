//! A node in this process whose model answers from a script.

use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_gateway::{GatewayState, router, serve};
use aigen_jarvis::Compiler;
use aigen_journal::{Journal, MemoryStore};
use aigen_network::{Command, Found, Issue, NewModel, Role, Settings};
use aigen_node::economy::settlement::{Parameter, ParameterKind, Params};
use aigen_node::economy::{Price, Shares};
use aigen_node::{Embedded, IssuedKey, Node};
use aigen_types::{Amount, Digest, Ppm, Timestamp, TransferId};
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What the model says when these words are the last it heard.
const REPLIES: [(&str, &str); 9] = [
    ("", "Hello, it is nice of you to say so!"),
    (
        "magic_function(3)? Use the tool.",
        "<tool_call>\n{\"name\": \"magic_function\", \"arguments\": {\"input\":3}}\n</tool_call>",
    ),
    (
        "magic_function_no_args()? Use the tool.",
        "<tool_call>\n{\"name\": \"magic_function_no_args\", \"arguments\": {}}\n</tool_call>",
    ),
    (
        "generate a Pirate greeting.",
        "<tool_call>\n{\"name\": \"greeting_generator\", \"arguments\": {\"answer_style\":\"Pirate\"}}\n</tool_call>",
    ),
    (
        "weather in San Francisco, CA?",
        "Let me see.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\":\"San Francisco, CA\"}}\n</tool_call>",
    ),
    (
        "a Chinese technology company",
        "<tool_call>\n{\"name\": \"unicode_customer\", \"arguments\": {\"customer_name\":\"你好啊集团\",\"description\":\"technology\"}}\n</tool_call>",
    ),
    (
        "a Japanese engineering company",
        "<tool_call>\n{\"name\": \"unicode_customer\", \"arguments\": {\"customer_name\":\"こんにちは株式会社\",\"description\":\"engineering\"}}\n</tool_call>",
    ),
    ("joke about cats.", JOKE),
    ("Return nothing other than JSON.", JOKE),
];

const JOKE: &str = r#"{"setup":"Why?","punchline":"Because."}"#;

/// A running node, stopped when it is dropped.
pub struct Scripted {
    url: String,
    key: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    pub fn start() -> Self {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let (node, key) = node().await;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tell.send((format!("http://{address}"), key)).unwrap();
                let router = router(GatewayState::new(node));
                let stopped = async {
                    let _ = stopped.await;
                };
                serve(listener, router, stopped).await.unwrap();
            });
        });
        let (url, key) = told.recv().unwrap();
        Self {
            url,
            key,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A founded network with the scripted model, and the key of a customer who has money.
async fn node() -> (Node, String) {
    let replies = REPLIES.map(|(prompt, reply)| (prompt, [reply]));
    let engine = ScriptedEngine::new(Vocabulary::bytes(), Script::replies(replies));
    let engine = engine.with_context(32_768);
    let engine = aigen_engine::start(Box::new(engine), aigen_engine::Limits::default());
    let compiler = Compiler::new(engine.tokenizer()).unwrap();
    let models = BTreeMap::from([(
        "scripted".parse().unwrap(),
        Embedded { engine, compiler }.into(),
    )]);
    let mut now = 0;
    let clock = move || {
        now += 1;
        Timestamp(1_700_000_000_000_000_000 + now)
    };
    let fail = |error| panic!("{error}");
    let (journal, _) = Journal::start(Box::<MemoryStore>::default(), clock, fail).unwrap();
    for command in [
        Command::Found(founding()),
        Command::PublishModel(model()),
        Command::Issue(money()),
    ] {
        journal.submit(command).await.unwrap().result.unwrap();
    }
    let node = Node::start(journal, models).await.unwrap();
    let account = "user:ada".parse().unwrap();
    let key = IssuedKey::draw("ada".parse().unwrap(), account, Role::Customer);
    node.add_key(&key).await.unwrap();
    (node, key.secret)
}

fn founding() -> Found {
    let parameter = Parameter {
        id: "quality".to_owned(),
        weight: Ppm::ONE,
        kind: ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    };
    Found {
        name: "testnet".parse().unwrap(),
        settings: Settings {
            shares: Shares::default(),
            parameters: vec![parameter],
            params: Params::default(),
            latency_budget_micros: 1_000,
        },
    }
}

fn model() -> NewModel {
    NewModel {
        name: "scripted".parse().unwrap(),
        provider: "acme".parse().unwrap(),
        digest: Digest([7; 32]),
        context_tokens: 32_768,
        price: Price {
            input: Amount::from_nano(1_000_000),
            cached_input: Amount::from_nano(1_000_000),
            output: Amount::from_nano(2_000_000),
            request: Amount::from_nano(10),
        },
    }
}

fn money() -> Issue {
    Issue {
        id: TransferId(1),
        to: "user:ada".parse().unwrap(),
        amount: "100".parse().unwrap(),
    }
}
