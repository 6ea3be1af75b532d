use crate::{Api, GatewayState, router};
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_jarvis::{CompileLimits, Compiler};
use aigen_journal::{Journal, MemoryStore};
use aigen_node::economy::settlement::{Parameter, ParameterKind, Params};
use aigen_node::economy::{Price, Shares};
use aigen_node::network::{Found, NewModel, Role, Settings};
use aigen_node::{Embedded, IssuedKey, Node, Reasoning, Served, TextEngine};
use aigen_types::{Address, Amount, CallId, Digest, Ppm, Timestamp};
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tower::ServiceExt;

/// Nano-AIGEN. A call costs 10, 1 per prompt or forced token, 2 per sampled one.
pub const PRICE: Price = Price {
    input: Amount::from_nano(1_000_000),
    cached_input: Amount::from_nano(1_000_000),
    output: Amount::from_nano(2_000_000),
    request: Amount::from_nano(10),
};

/// A founded network with one model, an operator and a customer who has money.
pub struct World {
    pub node: Node,
    pub router: Api,
    pub operator: String,
    pub ada: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Status, code and param of an error envelope that has all its fields and a way out.
    #[track_caller]
    pub fn error(&self) -> (u16, String, Option<String>) {
        let body = self.json();
        let error = &body["error"];
        let text = |field: &str| error[field].as_str().map(str::to_owned);
        let (message, hint) = (text("message").unwrap(), text("hint").unwrap());
        assert!(message.ends_with(&hint), "{message}");
        assert!(text("type").is_some(), "{body}");
        (self.status.as_u16(), text("code").unwrap(), text("param"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The events of a stream, `[DONE]` left out, and whether it was there.
    #[track_caller]
    pub fn events(&self) -> (Vec<Value>, bool) {
        let frames = self.text.split("\n\n").filter(|frame| !frame.is_empty());
        let data = frames.filter_map(|frame| frame.strip_prefix("data: "));
        let (done, events): (Vec<_>, Vec<_>) = data.partition(|data| *data == "[DONE]");
        let parse = |event: &str| serde_json::from_str(event).unwrap();
        (events.into_iter().map(parse).collect(), !done.is_empty())
    }
}

impl World {
    pub async fn new(script: Script) -> Self {
        Self::of(ScriptedEngine::new(Vocabulary::bytes(), script)).await
    }

    /// A model that answers "Hi" with "Hello!" and everything else with "ok".
    pub async fn polite() -> Self {
        Self::new(Script::replies([("Hi", ["Hello!"]), ("", ["ok"])])).await
    }

    pub async fn of(engine: ScriptedEngine) -> Self {
        Self::with(engine, None).await
    }

    /// A model that says what it thinks before it answers.
    pub async fn thinking(script: Script, marks: Reasoning) -> Self {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), script);
        Self::with(engine, Some(marks)).await
    }

    async fn with(engine: ScriptedEngine, reasoning: Option<Reasoning>) -> Self {
        let clock = clock();
        Self::peopled(Self::founded_with(engine, reasoning, founding(), clock).await).await
    }

    /// A polite model whose grammars compile within these bounds.
    pub async fn compiling(limits: CompileLimits) -> Self {
        let script = Script::replies([("", ["ok"])]);
        let engine = ScriptedEngine::new(Vocabulary::bytes(), script);
        let engine = aigen_engine::start(Box::new(engine), aigen_engine::Limits::default());
        let compiler = Compiler::with_limits(engine.tokenizer(), limits).unwrap();
        let model = Embedded {
            engine,
            compiler: compiler.into(),
            reasoning: None,
        };
        Self::peopled(Self::founded_of(model.into(), founding(), clock()).await).await
    }

    /// A model that another server answers for.
    pub async fn remote(engine: Arc<dyn TextEngine>) -> Self {
        let model = Served::Remote(engine);
        Self::peopled(Self::founded_of(model, founding(), clock()).await).await
    }

    async fn peopled(mut world: Self) -> Self {
        world.node.publish_model(model()).await.unwrap();
        world.ada = world.key("ada-1", "user:ada").await;
        world.fund("user:ada", "1").await;
        world
    }

    /// A network with an operator and nobody else. Its engine is that of the model `tiny`, which
    /// is not published.
    pub async fn founded(
        engine: ScriptedEngine,
        found: Found,
        clock: impl FnMut() -> Timestamp + Send + 'static,
    ) -> Self {
        Self::founded_with(engine, None, found, clock).await
    }

    /// The same, of a model that reasons first.
    pub async fn founded_with(
        engine: ScriptedEngine,
        reasoning: Option<Reasoning>,
        found: Found,
        clock: impl FnMut() -> Timestamp + Send + 'static,
    ) -> Self {
        let engine = aigen_engine::start(Box::new(engine), aigen_engine::Limits::default());
        let compiler = Compiler::new(engine.tokenizer()).unwrap().into();
        let model = Embedded {
            engine,
            compiler,
            reasoning,
        };
        Self::founded_of(model.into(), found, clock).await
    }

    async fn founded_of(
        model: Served,
        found: Found,
        clock: impl FnMut() -> Timestamp + Send + 'static,
    ) -> Self {
        let models = BTreeMap::from([("tiny".parse().unwrap(), model)]);
        let fail = |error| panic!("{error}");
        let (journal, _) = Journal::start(Box::<MemoryStore>::default(), clock, fail).unwrap();
        let node = Node::start(journal, models).await.unwrap();
        node.found(found).await.unwrap();
        let operator = key(&node, "op", "operator", Role::Operator).await;
        let router = router(GatewayState::new(node.clone()));
        Self {
            node,
            router,
            operator,
            ada: String::new(),
        }
    }

    pub async fn key(&self, name: &str, account: &str) -> String {
        key(&self.node, name, account, Role::Customer).await
    }

    pub async fn fund(&self, to: &str, amount: &str) {
        let fund = json!({"to": to, "amount": amount});
        let reply = self.post(&self.operator, "/v1/aigen/issue", &fund).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        collect(self.start(request).await).await
    }

    /// Up to the headers.
    pub async fn start(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn get(&self, key: &str, path: &str) -> Reply {
        self.send(request("GET", key, path, "")).await
    }

    pub async fn post(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.send(request("POST", key, path, &body.to_string()))
            .await
    }

    /// A chat request of ada's: these fields beside model, messages and temperature 0.
    pub async fn chat(&self, fields: Value) -> Reply {
        self.post(&self.ada, "/v1/chat/completions", &chat(fields))
            .await
    }

    /// What an account can spend, has under holds, and owns, in nano-AIGEN.
    pub fn balance(&self, address: &str) -> (u128, u128, u128) {
        let network = self.node.network();
        let address: Address = address.parse().unwrap();
        let account = network.account(&address).unwrap();
        let posted = account.credits_posted.saturating_sub(account.debits_posted);
        (
            account.available().nano(),
            account.debits_pending.nano(),
            posted.nano(),
        )
    }

    /// Waits until every call is settled; then nothing is held and no money was made or lost.
    pub async fn settle(&self) {
        self.node.shut_down(Duration::from_secs(30)).await;
        let network = self.node.network();
        network.check().unwrap();
        assert_eq!(network.calls().count(), 0, "calls are left open");
        for account in network.ledger().accounts() {
            assert_eq!(account.debits_pending, Amount::ZERO, "{account:?}");
        }
        assert_eq!(network.total_balances(), network.issued());
    }
}

pub async fn collect(response: Response<Body>) -> Reply {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    assert!(parts.headers.contains_key("x-request-id"));
    Reply {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// An empty body sends none.
pub fn request(method: &str, key: &str, path: &str, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

pub fn chat(fields: Value) -> Value {
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let mut request = json!({"model": "tiny", "temperature": 0, "messages": messages});
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

pub fn receipt_of(reply: &Reply) -> CallId {
    reply.header("x-aigen-receipt").unwrap().parse().unwrap()
}

/// A script that waits for one go per token, and the sender of gos.
pub fn gated(answer: &str) -> (Script, mpsc::Sender<()>) {
    let (script, go, _) = watched(answer);
    (script, go)
}

/// Like [`gated`], and tells of each token that it is asked for one.
pub fn watched(answer: &str) -> (Script, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (go, gate) = mpsc::channel();
    let (tell, asked) = mpsc::channel();
    let mut tokens = answer.to_owned().into_bytes().into_iter();
    let script = Script::new(move |vocabulary, _| {
        // Not everybody listens.
        let _ = tell.send(());
        // Whoever drops the sender lets the rest through.
        let _ = gate.recv();
        let token = tokens.next().map_or(vocabulary.end(), u32::from);
        let mut logits = vec![0.0; vocabulary_size(vocabulary)];
        logits[token as usize] = 10.0;
        logits
    });
    (script, go, asked)
}

/// Lets every task that can run do so.
pub async fn breathe() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn vocabulary_size(vocabulary: &Vocabulary) -> usize {
    aigen_node::Tokenizer::vocab_size(vocabulary) as usize
}

async fn key(node: &Node, name: &str, account: &str, role: Role) -> String {
    let key = IssuedKey::draw(name.parse().unwrap(), account.parse().unwrap(), role);
    node.add_key(&key).await.unwrap();
    key.secret
}

fn clock() -> impl FnMut() -> Timestamp + Send + 'static {
    let mut now = 0;
    move || {
        now += 1;
        Timestamp(1_700_000_000_000_000_000 + now)
    }
}

fn founding() -> Found {
    let voted = Parameter {
        id: "quality".to_owned(),
        weight: Ppm::ONE,
        kind: ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    };
    Found {
        name: "testnet".parse().unwrap(),
        settings: Settings {
            shares: Shares::default(),
            parameters: vec![voted],
            params: Params::default(),
            latency_budget_micros: 1_000,
        },
    }
}

fn model() -> NewModel {
    NewModel {
        name: "tiny".parse().unwrap(),
        provider: "acme".parse().unwrap(),
        digest: Digest([7; 32]),
        context_tokens: 4096,
        price: PRICE,
    }
}
