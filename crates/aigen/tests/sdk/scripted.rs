//! A node in this process whose model answers from a script.

use aigen_engine::Tokenizer;
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
        "a Japanese company",
        "<tool_call>\n{\"name\": \"unicode_customer\", \"arguments\": {\"customer_name\":\"こんにちは株式会社\",\"description\":\"engineering\"}}\n</tool_call>",
    ),
    (
        "What is 3 + 4",
        "<tool_call>\n{\"name\": \"my_adder_tool\", \"arguments\": {\"a\":3,\"b\":4}}\n</tool_call>",
    ),
    ("joke about cats.", JOKE),
    ("Return nothing other than JSON.", JOKE),
];

/// What it says to everything else.
const ELSE: &str = "Hello, it is nice of you to say so!";

const JOKE: &str = r#"{"setup":"Why?","punchline":"Because."}"#;

/// Says its reply; where a grammar holds it to something else, it comes to an end soon.
fn script() -> Script {
    Script::new(|vocabulary, history| {
        let speaks = vocabulary.word("<|assistant|>");
        let began = history.iter().rposition(|token| *token == speaks);
        let (asked, said) = history.split_at(began.map_or(0, |at| at + 1));
        let (asked, said) = (vocabulary.decode(asked), vocabulary.decode(said));
        let reply = REPLIES
            .iter()
            .find(|(prompt, _)| asked.ends_with(prompt.as_bytes()));
        let reply = reply.map_or(ELSE, |(_, reply)| reply);
        let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
        for (byte, weight) in [(b'1', 1.0), (b',', 1.5), (b'}', 2.0), (b'"', 3.0)] {
            logits[usize::from(byte)] = weight;
        }
        logits[vocabulary.end() as usize] = 4.0;
        if let Some(rest) = reply.as_bytes().strip_prefix(&said[..]) {
            let next = vocabulary.longest(rest).unwrap_or(vocabulary.end());
            logits[next as usize] = 10.0;
        }
        logits
    })
}

/// A running node, stopped when it is dropped.
pub struct Scripted {
    url: String,
    key: String,
    operator: String,
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
                let (node, keys) = node().await;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tell.send((format!("http://{address}"), keys)).unwrap();
                let router = router(GatewayState::new(node));
                let stopped = async {
                    let _ = stopped.await;
                };
                serve(listener, router, stopped).await.unwrap();
            });
        });
        let (url, [key, operator]) = told.recv().unwrap();
        Self {
            url,
            key,
            operator,
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

    pub fn operator(&self) -> &str {
        &self.operator
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

/// A founded network with the scripted model, and the keys of a customer who has money and of
/// an operator.
async fn node() -> (Node, [String; 2]) {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), script());
    let engine = engine.with_context(32_768);
    let engine = aigen_engine::start(Box::new(engine), aigen_engine::Limits::default());
    let compiler = Compiler::new(engine.tokenizer()).unwrap();
    let models = BTreeMap::from([(
        "scripted".parse().unwrap(),
        Embedded {
            engine,
            compiler: compiler.into(),
            reasoning: None,
        }
        .into(),
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
    let account = "operator".parse().unwrap();
    let operator = IssuedKey::draw("op".parse().unwrap(), account, Role::Operator);
    node.add_key(&operator).await.unwrap();
    (node, [key.secret, operator.secret])
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
