//! A node, its operator and its people, in one folder.

use crate::naive;
use crate::support::{Folder, Serving};
use aigen_client::Client;
use serde_json::{Value, json};
use std::future::Future;
use std::time::{Duration, Instant};

/// Longer than anything here takes on two busy cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two developers' controllers: one can say only what is in the case, the other anything.
const CONTROLLERS: [(&str, &str); 2] = [
    (
        "ada/sure@1.0.0",
        "start: \"Word: \" word\nword: @choice(words)\n",
    ),
    (
        "bob/free@1.0.0",
        "start: \"Word: \" word\nword: /[a-z]{1,6}/\n",
    ),
];

/// The suite that everybody evaluates with.
pub const SUITE: &str = r#"
    name = "words"
    prompt = "Say the word {word}."
    params = ["words"]
    max_tokens = 16
    [checks.quality]
    extract = '^Word: (.+)$'
    equals = "word"
    [checks.conformance]
    matches = '^Word: [a-z]+$'
    [checks.safety]
    forbids = "forbidden"
    [planted]
    right = "Word: {word}"
    wrong = "Word: nothing"
    malformed = "{word}?"
    plans = [{ right = 4, malformed = 0 }, { right = 2, malformed = 1 }, { right = 0, malformed = 2 }]
    [[case]]
    word = "stone"
    words = ["stone", "river"]
    forbidden = []
    [[case]]
    word = "river"
    words = ["river", "cloud"]
    forbidden = ["xyz"]
    [[case]]
    word = "cloud"
    words = ["stone", "cloud"]
    forbidden = []
    [[case]]
    word = "glass"
    words = ["glass", "river"]
    forbidden = []
"#;

/// A running network.
pub struct Network {
    pub folder: Folder,
    node: Serving,
    pub url: String,
    operator: Http,
    runtime: tokio::runtime::Runtime,
    /// How often the node was killed.
    pub kills: usize,
}

/// Somebody with a key.
#[derive(Clone)]
pub struct Http(Client);

impl Network {
    /// A network with two controllers, an app that pays, and a folder of suites.
    pub fn start() -> Self {
        let folder = Folder::new();
        let node = folder.serve(&[]);
        std::fs::create_dir(folder.file("suites")).unwrap();
        folder.write("suites/words.toml", SUITE);
        let url = node.url().to_owned();
        let operator = std::fs::read_to_string(folder.file(".aigen/operator.key")).unwrap();
        let operator = Http::new(&url, operator.trim());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let network = Self {
            folder,
            node,
            url,
            operator,
            runtime,
            kills: 0,
        };
        network.done(&["fund", "operator", "5"]);
        network.done(&["fund", "app:words", "5"]);
        for (reference, source) in CONTROLLERS {
            network.folder.write("source.lark", source);
            network.done(&["controller", "publish", "source.lark", reference]);
        }
        network
    }

    /// Runs a command of the operator's; it must succeed.
    pub fn done(&self, args: &[&str]) -> String {
        let ran = self.folder.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{ran}");
        ran.stdout
    }

    pub fn key(&self, address: &str) -> String {
        let created = self.folder.json(&["key", "create", address]);
        created["key"].as_str().unwrap().to_owned()
    }

    /// Registers a validator and gives its key.
    pub fn validator(&self, name: &str, owner: &str, stake: &str) -> String {
        let address = format!("validator:{name}");
        self.done(&["fund", &address, "60"]);
        let key = self.key(&address);
        self.done(&[
            "validator",
            "register",
            name,
            "--owner",
            owner,
            "--stake",
            stake,
            "--key",
            &key,
        ]);
        key
    }

    /// One call of the app through each controller: what escrows and budgets come from.
    pub fn use_controllers(&self) {
        let app = Http::new(&self.url, &self.key("app:words"));
        for (reference, _) in CONTROLLERS {
            let request = json!({
                "model": "aigen-tiny", "max_tokens": 12,
                "messages": [{ "role": "user", "content": "Say a word." }],
                "aigen": { "controller": reference, "params": { "words": ["yes", "no"] } },
            });
            let reply = self.post(&app, "/v1/chat/completions", &request).unwrap();
            assert_eq!(reply["aigen"]["controller"], reference, "{reply}");
        }
    }

    pub fn assign(&self) {
        let controllers = CONTROLLERS.map(|(reference, _)| format!("{reference}=words"));
        let [one, other] = &controllers;
        self.done(&[
            "epoch",
            "assign",
            "--suites",
            "suites",
            "--evaluate",
            one,
            "--evaluate",
            other,
        ]);
    }

    pub fn close(&self) -> Value {
        self.folder
            .json(&["epoch", "close", "--wait", "0", "--suites", "suites"])
    }

    pub fn post(&self, who: &Http, path: &str, body: &Value) -> Result<Value, String> {
        let asked = self.runtime.block_on(who.0.post(path, body));
        asked.map_err(|error| error.to_string())
    }

    pub fn get(&self, who: &Http, path: &str) -> Value {
        self.runtime.block_on(who.0.get(path)).unwrap()
    }

    /// The running epoch as the operator sees it.
    pub fn state(&self) -> Value {
        self.get(&self.operator, "/v1/aigen/epochs/current")
    }

    pub fn statement(&self, epoch: usize) -> Value {
        self.get(
            &self.operator,
            &format!("/v1/aigen/epochs/{epoch}/statement"),
        )
    }

    /// Waits until the running epoch is as it should be.
    pub fn wait(&self, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let poll = async {
            let mut poll = tokio::time::interval(Duration::from_millis(50));
            loop {
                let state: Value = self
                    .operator
                    .0
                    .get("/v1/aigen/epochs/current")
                    .await
                    .unwrap();
                if reached(&state) {
                    return state;
                }
                poll.tick().await;
            }
        };
        self.in_time(what, poll)
    }

    /// Waits until something on disk is as it should be.
    pub fn wait_for(&self, what: &str, reached: impl Fn() -> bool) {
        let poll = async {
            let mut poll = tokio::time::interval(Duration::from_millis(5));
            while !reached() {
                poll.tick().await;
            }
        };
        self.in_time(what, poll);
    }

    fn in_time<T>(&self, what: &str, poll: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let reached = async { tokio::time::timeout(PATIENCE, poll).await };
        let reached = self.runtime.block_on(reached);
        reached
            .unwrap_or_else(|_| panic!("{what}: not after {:?}: {}", began.elapsed(), self.state()))
    }

    /// SIGKILL to the node, and a new one on the same folder and port: every balance and the whole
    /// running epoch are what they were.
    pub fn kill_node(&mut self) {
        let before = (self.state(), self.balances());
        self.restart();
        assert_eq!((self.state(), self.balances()), before);
    }

    /// The same, where payouts may fall due meanwhile.
    pub fn kill_node_while_money_waits(&mut self) {
        let before = self.state();
        self.restart();
        assert_eq!(self.state(), before);
    }

    fn restart(&mut self) {
        self.node.kill();
        let listen = self.url.trim_start_matches("http://").to_owned();
        let mut command = self
            .folder
            .command(&["serve", "--json", "--listen", &listen]);
        self.node = Serving::start(&mut command);
        self.kills += 1;
    }

    pub fn balances(&self) -> Value {
        self.folder.json(&["ledger", "balance"])
    }

    /// Nano-AIGEN that an address has, held or not; none for an address without an account.
    pub fn balance(&self, address: &str) -> i128 {
        let balances = self.balances();
        let mut all = balances["data"].as_array().unwrap().iter();
        let found = all.find(|row| row["address"] == address);
        found.map_or(0, |row| nano(&row["posted"]))
    }

    /// What an epoch comes to by the specification, checked against what the node paid and against
    /// what the program settles from its exported input; gives the input and the output.
    pub fn settled(&self, epoch: usize) -> (Value, Value) {
        let exported = self.done(&["epoch", "export", &epoch.to_string()]);
        self.folder.write("epoch.json", &exported);
        let replayed = self.done(&["epoch", "replay", "epoch.json"]);
        let input: Value = serde_json::from_str(&exported).unwrap();
        let predicted = naive::settle(&input);
        assert_eq!(replayed, format!("{predicted}\n"), "epoch {epoch}");
        let predicted: Value = serde_json::from_str(&predicted).unwrap();
        assert_eq!(self.statement(epoch)["output"], predicted, "epoch {epoch}");
        (input, predicted)
    }
}

/// A balance as `ledger balance --json` prints it.
pub fn nano(amount: &Value) -> i128 {
    let text = amount
        .as_str()
        .unwrap_or_else(|| panic!("no amount: {amount}"));
    let amount: aigen_types::Amount = text.parse().unwrap();
    i128::try_from(amount.nano()).unwrap()
}

impl Http {
    pub fn new(url: &str, key: &str) -> Self {
        Self(Client::new(url, key).unwrap())
    }
}
