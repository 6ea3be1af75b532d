//! Controllers that ask the outside: what is granted, what it costs, and what a replay needs of it.

use crate::components::{asked, get, publish};
use crate::support::{Folder, Serving};
use aigen_testkit_guests::Guest;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A server that answers every request with JSON that says what it was asked.
pub struct Server {
    address: SocketAddr,
    asked: Arc<AtomicU32>,
    heard: Receiver<()>,
}

impl Server {
    pub fn start() -> Self {
        Self::doing(answer)
    }

    /// One that lets everybody wait.
    pub fn silent() -> Self {
        let mut waiting = Vec::new();
        Self::doing(move |connection| waiting.push(connection))
    }

    fn doing(mut act: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let (hear, heard) = channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = hear.send(());
                act(connection.unwrap());
            }
        });
        Self {
            address,
            asked,
            heard,
        }
    }

    /// Waits until somebody asks.
    pub fn waits(&self) {
        self.heard.recv().unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(connection: TcpStream) {
    let mut reader = BufReader::new(connection);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length: ") {
            length = said.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let said = json!({"method": method, "path": path, "body": String::from_utf8(body).unwrap()});
    let said = said.to_string();
    let mut connection = reader.into_inner();
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
    write!(
        connection,
        "{head}\r\ncontent-length: {}\r\n\r\n{said}",
        said.len()
    )
    .unwrap();
}

/// Texts in a guest's memory, from byte 256 on.
#[derive(Default)]
pub struct Texts(pub String);

impl Texts {
    /// Where it lies and how long it is, as two constants.
    pub fn put(&mut self, text: &str) -> String {
        let at = 256 + self.0.len();
        self.0.push_str(text);
        format!("(i32.const {at}) (i32.const {})", text.len())
    }
}

/// As the text form of WebAssembly writes it.
pub fn escaped(text: &str) -> String {
    text.replace('"', "\\22")
}

/// Reads a page, calls a tool and asks a model; puts beside the text what the first two answered, and says two
/// tokens if the model answered, one if it did not.
fn asks(url: &str, options: &str) -> Vec<u8> {
    let mut texts = Texts::default();
    let messages = r#"[{"role": "user", "content": "Hello!"}]"#;
    let (page, tool) = (texts.put("page"), texts.put("tool"));
    let (url, echo) = (texts.put(url), texts.put("echo"));
    let (arguments, model) = (texts.put(r#"{"a": 1}"#), texts.put("aigen-tiny"));
    let (messages, options) = (texts.put(messages), texts.put(options));
    let step = format!(
        "(if (local.get $why) (then (call $stop)) (else
          (call $http {url} (i32.const 2048))
          (if (i32.eqz (i32.load8_u (i32.const 2048))) (then
            (call $put {page} (i32.load (i32.const 2056)) (i32.load (i32.const 2060)) (i32.const 2200))))
          (call $tool {echo} {arguments} (i32.const 2080))
          (if (i32.eqz (i32.load8_u (i32.const 2080))) (then
            (call $put {tool} (i32.load (i32.const 2084)) (i32.load (i32.const 2088)) (i32.const 2200))))
          (call $complete {model} {messages} {options} (i32.const 2112))
          (call $any (i32.sub (i32.const 2) (i32.load8_u (i32.const 2112))))))"
    );
    Guest {
        step: &step,
        text: &escaped(&texts.0),
        ..Guest::default()
    }
    .module()
}

pub fn manifest(folder: &Folder, permissions: &str) {
    let manifest = "description = \"Asks\"\nlicence = \"MIT\"\n";
    folder.write("yes-no.toml", format!("{manifest}\n{permissions}"));
}

pub fn permissions(server: &Server) -> String {
    format!(
        "[permissions]\nhosts = [\"{}\"]\ntools = [\"echo\"]\nmodels = [\"aigen-tiny\"]\n",
        server.url("")
    )
}

/// Grants all of that.
pub fn grant(folder: &Folder, server: &Server) {
    let (host, tool) = (server.url(""), server.url("/tool"));
    folder.write(
        "aigen.toml",
        format!(
            "[outside]\nhosts = [\"{host}\"]\nmodels = [\"aigen-tiny\"]\n\n[[outside.tool]]\nname = \"echo\"\nurl = \"{tool}\"\n"
        ),
    );
}

pub fn serve(folder: &Folder) -> Serving {
    let node = folder.serve(&[]);
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    node
}

fn ask(node: &Serving, folder: &Folder, controller: &str, aigen: &Value) -> Value {
    let mut extension = json!({"controller": controller, "replay": true});
    for (name, value) in aigen.as_object().unwrap() {
        extension[name] = value.clone();
    }
    let body = json!({
        "model": "aigen-tiny", "temperature": 0, "seed": 1, "max_tokens": 8,
        "messages": [{"role": "user", "content": "Hi"}], "aigen": extension,
    });
    let said = asked(node, folder, "/v1/chat/completions", Some(body));
    serde_json::from_str(&said).unwrap()
}

pub fn nano(value: &Value) -> u128 {
    let text = value.as_str().unwrap();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{rest:0<9}").parse().unwrap()
}

fn replays(folder: &Folder, receipt: &Value) {
    let id = receipt["id"].as_str().unwrap();
    let ran = folder.run(&["controller", "replay", id]);
    assert_eq!(ran.code, 0, "{ran}");
    let decisions = receipt["steering"]["decisions"].as_str().unwrap();
    assert!(ran.stdout.contains(decisions), "{ran}");
}

#[test]
fn a_controller_asks_the_outside_and_is_replayed_without_it() {
    let (folder, server) = (Folder::new(), Server::start());
    grant(&folder, &server);
    folder.write("asks.wasm", asks(&server.url("/page"), ""));
    manifest(&folder, &permissions(&server));
    let mut node = serve(&folder);
    let before = nano(&folder.json(&["ledger", "balance", "operator"])["data"][0]["posted"]);
    let published = publish(&folder, "asks.wasm", "ada/asks@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    let answer = ask(&node, &folder, "ada/asks@1", &json!({}));
    let results = &answer["aigen"]["results"];
    assert_eq!(results["page"]["path"], "/page", "{answer}");
    let called = json!({"method": "POST", "path": "/tool", "body": "{\"a\": 1}"});
    assert_eq!(results["tool"], called);
    assert_eq!(answer["aigen"]["replayable"], true);
    assert_eq!(answer["usage"]["completion_tokens"], 2, "{answer}");
    let id = answer["aigen"]["receipt"].as_str().unwrap();
    let receipt = folder.json(&["receipt", id]);
    let asked = &receipt["steering"]["asked"];
    let count = |kind: &str| asked[kind].as_u64().unwrap();
    assert_eq!(
        (count("pages"), count("tools"), count("completions")),
        (1, 1, 1)
    );
    assert!(count("bytes") > 0 && server.asked() == 2, "{receipt}");

    // The completion is a call of its own, which the same account paid for, and only once.
    let sub = &receipt["sub_calls"][0];
    let inner = folder.json(&["receipt", sub["id"].as_str().unwrap()]);
    assert_eq!(inner["parent"], receipt["id"]);
    assert_eq!(inner["payer"], receipt["payer"]);
    assert_eq!(
        (&inner["controller"], &inner["total"]),
        (&Value::Null, &sub["cost"])
    );
    let after = nano(&folder.json(&["ledger", "balance", "operator"])["data"][0]["posted"]);
    let spent = nano(&receipt["total"]) + nano(&inner["total"]);
    assert_eq!(before - after, spent);
    let shown = folder.run(&["receipt", id]);
    assert!(
        shown
            .stdout
            .contains("It asked 1 tools, 1 pages and 1 models"),
        "{shown}"
    );

    // Again from the log: nobody is asked, and nothing is charged; not by another process either.
    replays(&folder, &receipt);
    node.kill();
    drop(node);
    let node = folder.serve(&[]);
    assert_eq!(folder.json(&["receipt", id])["replayable"], true);
    replays(&folder, &receipt);
    assert_eq!(server.asked(), 2);
    let now = nano(&folder.json(&["ledger", "balance", "operator"])["data"][0]["posted"]);
    assert_eq!(now, after);

    // A bound of the request is one of both calls: what is left is too little to ask the model.
    let bound = json!({"max_cost": receipt["total"], "replay": false});
    let poor = ask(&node, &folder, "ada/asks@1", &bound);
    assert_eq!(poor["usage"]["completion_tokens"], 1, "{poor}");
    let poor = folder.json(&["receipt", poor["aigen"]["receipt"].as_str().unwrap()]);
    assert_eq!(
        poor["sub_calls"].as_array().map_or(0, Vec::len),
        0,
        "{poor}"
    );
    assert_eq!(poor["replayable"], false);
    assert_eq!(node.stop().0, 0);
    assert_eq!(folder.json(&["ledger", "verify"])["ok"], true);
}

#[test]
fn what_is_not_granted_is_refused_before_it_costs_anything() {
    let (folder, server) = (Folder::new(), Server::start());
    folder.write("asks.wasm", asks(&server.url("/page"), ""));
    manifest(&folder, "");
    let node = serve(&folder);
    let silent = publish(&folder, "asks.wasm", "ada/silent@1.0.0");
    assert!(
        silent
            .stderr
            .contains("has no [permissions] that say what for"),
        "{silent}"
    );
    manifest(&folder, &permissions(&server));
    assert_eq!(publish(&folder, "asks.wasm", "ada/asks@1.0.0").code, 0);
    let refused = ask(&node, &folder, "ada/asks@1", &json!({}));
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(
            "asks for anything of the outside, which the operator of this node does not grant"
        ),
        "{message}"
    );
    let shown = folder.run(&["controller", "show", "ada/asks@1"]);
    assert!(
        shown.stdout.contains("refused      its manifest asks for"),
        "{shown}"
    );
    assert_eq!(node.stop().0, 0);

    // The tool is not among what is granted.
    let host = server.url("");
    folder.write(
        "aigen.toml",
        format!("[outside]\nhosts = [\"{host}\"]\nmodels = [\"aigen-tiny\"]\n"),
    );
    let node = folder.serve(&[]);
    let refused = ask(&node, &folder, "ada/asks@1", &json!({}));
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("asks for the tool `echo`"), "{message}");
    assert_eq!(node.stop().0, 0);

    // All of it, to somebody else.
    grant(&folder, &server);
    let granted = std::fs::read_to_string(folder.file("aigen.toml")).unwrap();
    let elsewhere = granted.replace("[outside]\n", "[outside]\ncontrollers = [\"eve/*\"]\n");
    folder.write("aigen.toml", elsewhere);
    let node = folder.serve(&[]);
    let refused = ask(&node, &folder, "ada/asks@1", &json!({}));
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("anything of the outside")
    );
    let receipts = get(&node, &folder, "/v1/aigen/receipts");
    assert_eq!(receipts["data"].as_array().unwrap().len(), 0, "{receipts}");
    assert_eq!(server.asked(), 0);
}

/// Asks a dataset for the best row on mugs, and puts it beside the text.
fn reads() -> Vec<u8> {
    let mut texts = Texts::default();
    let (rows, dataset) = (texts.put("row"), texts.put("acme/faq"));
    let question = texts.put("mug");
    let step = format!(
        "(if (local.get $why) (then (call $stop)) (else
          (call $query {dataset} {question} (i32.const 1) (i32.const 2048))
          (if (i32.eqz (i32.load8_u (i32.const 2048))) (then
            (call $put {rows} (i32.load (i32.load (i32.const 2052))) (i32.load offset=4 (i32.load (i32.const 2052)))
              (i32.const 2200))))
          (call $any (i32.sub (i32.const 2) (i32.load8_u (i32.const 2048))))))"
    );
    Guest {
        step: &step,
        text: &escaped(&texts.0),
        ..Guest::default()
    }
    .module()
}

/// A row that a controller reads is paid within the call, to whoever sells it; a replay reads it
/// from the log. The dataset's owner has the last word on who reads.
#[test]
fn a_controller_reads_a_dataset_and_its_provider_is_paid() {
    let folder = Folder::new();
    folder.write("aigen.toml", "[outside]\ndatasets = [\"acme/*\"]\n");
    folder.write("reads.wasm", reads());
    folder.write(
        "faq.csv",
        "question,answer\nA mug?,Thirty days.\nA kettle?,Two years.\n",
    );
    manifest(&folder, "[permissions]\ndatasets = [\"acme/faq\"]\n");
    let node = serve(&folder);
    let acme = folder.json(&["key", "create", "org:acme"])["key"].clone();
    let acme = acme.as_str().unwrap();
    let named = [
        "--name",
        "acme/faq@1.0.0",
        "--licence",
        "MIT",
        "--price-per-row",
        "0.01",
    ];
    let offered = [
        &["dataset", "publish", "faq.csv", "--key", acme][..],
        &named,
    ]
    .concat();
    assert_eq!(folder.run(&offered).code, 0);
    let published = publish(&folder, "reads.wasm", "ada/reads@1.0.0");
    assert_eq!(published.code, 0, "{published}");

    let denied = ask(&node, &folder, "ada/reads@1", &json!({}));
    assert_eq!(denied["aigen"].get("results"), None, "{denied}");
    let grant = ["dataset", "grant", "acme/faq", "operator", "--key", acme];
    assert_eq!(folder.run(&grant).code, 0);
    let answer = ask(&node, &folder, "ada/reads@1", &json!({}));
    let row = json!({"row": 0, "values": {"question": "A mug?", "answer": "Thirty days."}});
    assert_eq!(answer["aigen"]["results"]["row"], row, "{answer}");
    let receipt = folder.json(&["receipt", answer["aigen"]["receipt"].as_str().unwrap()]);
    let read = &receipt["reads"][0];
    assert_eq!(
        (&read["dataset"], &read["fee"]),
        (&json!("acme/faq@1.0.0"), &json!("0.01"))
    );
    let earned = folder.json(&["ledger", "balance", "org:acme"])["data"][0]["posted"].clone();
    assert!(nano(&earned) > 9_000_000, "{earned}");

    replays(&folder, &receipt);
    let after = folder.json(&["ledger", "balance", "org:acme"])["data"][0]["posted"].clone();
    assert_eq!(after, earned, "a replay reads nothing again");
    assert_eq!(node.stop().0, 0);
    assert_eq!(folder.json(&["ledger", "verify"])["ok"], true);
}

/// What goes beyond the manifest is denied to the guest, which goes on; a completion is steered by
/// nothing but a schema, so that no controller runs within another.
#[test]
fn what_goes_beyond_the_manifest_is_denied() {
    let (folder, server, other) = (Folder::new(), Server::start(), Server::start());
    grant(&folder, &server);
    let within = r#"{"aigen": {"controller": "ada/asks@1"}}"#;
    folder.write("asks.wasm", asks(&other.url("/page"), within));
    let hosts = format!(
        "[permissions]\nhosts = [\"{}\"]\nmodels = [\"aigen-tiny\"]\n",
        server.url("")
    );
    manifest(&folder, &hosts);
    let node = serve(&folder);
    assert_eq!(publish(&folder, "asks.wasm", "ada/asks@1.0.0").code, 0);
    let answer = ask(&node, &folder, "ada/asks@1", &json!({}));
    assert_eq!(answer["aigen"].get("results"), None, "{answer}");
    assert_eq!(answer["usage"]["completion_tokens"], 1, "{answer}");
    assert_eq!((server.asked(), other.asked()), (0, 0));
    let receipt = folder.json(&["receipt", answer["aigen"]["receipt"].as_str().unwrap()]);
    assert_eq!(receipt["steering"]["asked"]["bytes"], 0);
    assert_eq!(receipt.get("sub_calls"), None);
    replays(&folder, &receipt);
}
