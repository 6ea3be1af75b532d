//! A call's money over a scripted engine: chunks, the end of a balance, readers that leave,
//! nodes that are killed.

mod admission;
mod budgets;
mod datasets;
mod early;
mod joined;
mod loading;
mod metering;
mod recovery;
mod remote;
mod retrieval;
mod steering;
mod verification;

use crate::{
    AdmissionLimits, CallEvent, Caller, CompletionRequest, Embedded, Ended, IssuedKey, Node,
    NodeError, Prompt, Running, Served, Setup, Steering, random_call_id, random_transfer_id,
};
use aigen_economy::settlement::{Parameter, ParameterKind, Params};
use aigen_economy::{Price, Shares};
use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_engine::{ChatMessage, EngineHandle, Limits, Role as Speaker, Tokenizer};
use aigen_jarvis::Compiler;
use aigen_journal::{Journal, MemoryStore, Store};
use aigen_network::{Found, NewModel, Role, Settings};
use aigen_types::{Amount, Digest, Ppm, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("test data is well formed")
}

/// Nano-AIGEN: 1 per prompt or forced token, 2 per sampled one, nothing per request.
const PRICE: Price = Price {
    input: Amount::from_nano(1_000_000),
    cached_input: Amount::from_nano(1_000_000),
    output: Amount::from_nano(2_000_000),
    request: Amount::ZERO,
};

struct World {
    node: Node,
    caller: Caller,
}

/// A model that says "x" for ever, one token per byte.
fn endless() -> ScriptedEngine {
    let script = Script::new(|vocabulary, _| {
        let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
        logits[vocabulary.word("x") as usize] = 10.0;
        logits
    });
    ScriptedEngine::new(Vocabulary::bytes(), script).with_context(4096)
}

fn embedded(engine: ScriptedEngine) -> Served {
    served(aigen_engine::start(Box::new(engine), Limits::default()))
}

fn served(engine: EngineHandle) -> Served {
    let compiler = Compiler::new(engine.tokenizer()).unwrap().into();
    Embedded {
        engine,
        compiler,
        reasoning: None,
    }
    .into()
}

async fn node(store: Box<dyn Store>, model: Served) -> Node {
    // One key has 200 calls at once in some tests, and they are computed however busy the machine is.
    let admission = AdmissionLimits {
        calls_per_key_max: 256,
        queue_time_max: Duration::from_secs(3_600),
        ..AdmissionLimits::default()
    };
    node_with(admission, store, model).await
}

async fn node_with(admission: AdmissionLimits, store: Box<dyn Store>, model: Served) -> Node {
    let setup = Setup {
        admission,
        ..Setup::default()
    };
    let models = BTreeMap::from([(parsed("tiny"), model)]);
    let mut now = 0;
    let clock = move || {
        now += 1;
        Timestamp(now)
    };
    let (journal, _) = Journal::start(store, clock, |error| panic!("{error}")).unwrap();
    Node::start_with(setup, journal, models).await.unwrap()
}

impl World {
    /// A customer with this much money.
    async fn new(nano: u128) -> Self {
        Self::on(Box::<MemoryStore>::default(), endless(), nano).await
    }

    async fn on(store: Box<dyn Store>, engine: ScriptedEngine, nano: u128) -> Self {
        Self::with(store, embedded(engine), nano).await
    }

    async fn with(store: Box<dyn Store>, model: Served, nano: u128) -> Self {
        Self::over(node(store, model).await, nano).await
    }

    /// A network on this node, which has none yet.
    async fn over(node: Node, nano: u128) -> Self {
        let quality = Parameter {
            id: "quality".into(),
            weight: Ppm::ONE,
            kind: ParameterKind::Voted,
            gate_full: Ppm::ZERO,
        };
        let found = Found {
            name: parsed("test"),
            settings: Settings {
                shares: Shares::default(),
                parameters: vec![quality],
                params: Params::default(),
                latency_budget_micros: 1_000,
            },
        };
        node.found(found).await.unwrap();
        let model = NewModel {
            name: parsed("tiny"),
            provider: parsed("acme"),
            digest: Digest([1; 32]),
            context_tokens: 4096,
            price: PRICE,
        };
        node.publish_model(model).await.unwrap();
        let operator = IssuedKey::draw(parsed("op"), parsed("operator"), Role::Operator);
        node.add_key(&operator).await.unwrap();
        let key = IssuedKey::draw(parsed("ada-1"), parsed("user:ada"), Role::Customer);
        node.add_key(&key).await.unwrap();
        let operator = node.authenticate(&operator.secret).unwrap();
        let to = parsed("user:ada");
        node.issue(&operator, random_transfer_id(), to, Amount::from_nano(nano))
            .await
            .unwrap();
        let caller = node.authenticate(&key.secret).unwrap();
        Self { node, caller }
    }

    async fn complete(&self, max_tokens: u32) -> Result<Running, NodeError> {
        self.node.complete(&self.caller, request(max_tokens)).await
    }

    /// What the customer can spend, and what is held of it.
    fn money(&self) -> (u128, u128) {
        let network = self.node.network();
        let account = network.account(&parsed("user:ada")).unwrap();
        (account.available().nano(), account.debits_pending.nano())
    }

    fn check(&self) {
        let network = self.node.network();
        network.check().unwrap();
        assert_eq!(network.issued(), network.total_balances());
    }
}

fn request(max_tokens: u32) -> CompletionRequest {
    CompletionRequest {
        call: random_call_id(),
        parent: None,
        request: Digest([2; 32]),
        model: parsed("tiny"),
        others: Vec::new(),
        prompt: Prompt::Text("Say x".into()),
        max_tokens: Some(max_tokens),
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

/// Reads a call to its end: its text, and how it ended.
async fn read(mut running: Running) -> (String, Ended) {
    let mut text = String::new();
    loop {
        match running
            .events
            .recv()
            .await
            .expect("a call ends with an event")
        {
            CallEvent::Piece { piece, .. } => text.push_str(&piece.text),
            CallEvent::Ended(ended) => return (text, *ended),
        }
    }
}

fn user(text: &str) -> Prompt {
    Prompt::Chat(vec![ChatMessage::new(Speaker::User, text)])
}
