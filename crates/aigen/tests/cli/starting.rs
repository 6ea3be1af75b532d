//! What a node answers while the models that it starts with are loaded.

use crate::support::http::send;
use crate::support::{Folder, Starting};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A start waits up to five seconds for each of these: for longer than any of the questions below takes on a
/// slow, busy machine, all together.
const FAR: usize = 12;

/// An upstream whose first answers wait until it is let go.
struct Slow {
    url: String,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    connections: Vec<TcpStream>,
    gone: bool,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let waiting = Arc::<Mutex<Waiting>>::default();
        let shared = Arc::clone(&waiting);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let connection = connection.unwrap();
                let mut waiting = shared.lock().unwrap();
                match waiting.gone {
                    true => refuse(connection),
                    false => waiting.connections.push(connection),
                }
            }
        });
        Self { url, waiting }
    }

    fn let_go(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        waiting.gone = true;
        waiting.connections.drain(..).for_each(refuse);
    }
}

/// It has no schemas: what the start asks is answered by that.
fn refuse(mut connection: TcpStream) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    // Whoever has given up waiting is not answered.
    let _ = reader.read_exact(&mut vec![0; length]);
    let _ = connection.write_all(
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{}",
    );
}

fn ask(url: &str, key: &str, model: &str) -> crate::support::http::Reply {
    let messages = json!([{"role": "user", "content": "Hello!"}]);
    let body = json!({"model": model, "messages": messages, "max_tokens": 1});
    send(url, "POST", "/v1/chat/completions", key, &body.to_string())
}

#[test]
fn a_node_answers_while_it_loads() {
    let (folder, slow) = (Folder::new(), Slow::start());
    let mut config = "[[model]]\nname = \"aigen-tiny\"\n".to_owned();
    for number in 1..=FAR {
        write!(
            config,
            "[[model]]\nname = \"far-{number}\"\ncontext_tokens = 100\n[[model.upstream]]\nbase_url = \"{}\"\n",
            slow.url
        )
        .unwrap();
    }
    folder.write("aigen.toml", config);
    let mut serve = folder.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut starting = Starting::begin(&mut serve);
    starting.said("for far-1");

    let lock = std::fs::read_to_string(folder.file(".aigen/lock")).unwrap();
    let url = lock.lines().find_map(|line| line.strip_prefix("url = \""));
    let url = url.unwrap().trim_end_matches('"').to_owned();
    let last = format!("far-{FAR}");
    let made = folder.json(&["key", "create", "user:ada"]);
    let key = made["key"].as_str().unwrap();
    assert_eq!(folder.run(&["fund", "user:ada", "1"]).code, 0);

    let ready = send(&url, "GET", "/ready", "", "");
    assert_eq!(ready.error(), (503, "model_loading".into()), "{ready:?}");
    assert_eq!(ready.json()["error"]["metadata"]["loading"][&last], 0);
    assert_eq!(ready.header("retry-after"), Some("5"));
    assert_eq!(send(&url, "GET", "/health", "", "").status, 200);

    assert_eq!(ask(&url, key, "aigen-tiny").status, 200);
    let early = ask(&url, key, &last);
    assert_eq!(early.error(), (503, "model_loading".into()), "{early:?}");
    assert_eq!(early.header("retry-after"), Some("5"));
    let unknown = ask(&url, key, "nobody");
    assert_eq!(unknown.error(), (404, "model_not_found".into()));
    let listed = |url: &str| {
        let models = send(url, "GET", "/v1/models", key, "").json();
        let ids = models["data"].as_array().unwrap().iter();
        let ids: Vec<Value> = ids.map(|model| model["id"].clone()).collect();
        ids
    };
    let early = listed(&url);
    assert!(early.contains(&json!("aigen-tiny")), "{early:?}");
    assert!(!early.contains(&json!(last)), "{early:?}");

    slow.let_go();
    let node = starting.ready();
    assert_eq!(node.ready["models"].as_array().unwrap().len(), FAR + 1);
    assert_eq!(node.url(), url);
    let ready = send(&url, "GET", "/ready", "", "");
    assert_eq!((ready.status, ready.json().get("loading")), (200, None));
    assert_eq!(listed(&url).len(), FAR + 1);
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

/// What cannot be known before: the process ends and says why, and what it answered meanwhile stands.
#[test]
fn a_model_that_cannot_be_served_ends_the_start() {
    let (folder, slow) = (Folder::new(), Slow::start());
    let far = |name: &str, more: &str| {
        format!(
            "[[model]]\nname = \"{name}\"\ncontext_tokens = 100\n[[model.upstream]]\nbase_url = \"{}\"\n{more}",
            slow.url
        )
    };
    let keyed = far("keyed", "api_key_env = \"NO_SUCH_KEY\"\n");
    folder.write("aigen.toml", far("far", "") + &keyed);
    let mut serve = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut starting = Starting::begin(&mut serve);
    starting.said("for far");
    assert_eq!(folder.run(&["fund", "user:ada", "1"]).code, 0);
    slow.let_go();
    starting.said("error: cannot serve the model `keyed`");
    starting.said("NO_SUCH_KEY holds no API key");
    assert_eq!(starting.code(), 1);
    let balance = folder.json(&["ledger", "balance", "user:ada"]);
    assert_eq!(balance["data"][0]["available"], "1.00", "{balance}");
}

/// It need not wait for what is being loaded, and what it answered meanwhile stands.
#[test]
fn a_node_is_stopped_while_it_loads() {
    let (folder, slow) = (Folder::new(), Slow::start());
    folder.write(
        "aigen.toml",
        format!(
            "[[model]]\nname = \"far\"\ncontext_tokens = 100\n[[model.upstream]]\nbase_url = \"{}\"\n",
            slow.url
        ),
    );
    let mut serve = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut starting = Starting::begin(&mut serve);
    starting.said("for far");
    assert_eq!(folder.run(&["fund", "user:ada", "1"]).code, 0);
    starting.terminate();
    starting.said("error: told to stop while models were being loaded");
    assert_eq!(starting.code(), 1);
    let balance = folder.json(&["ledger", "balance", "user:ada"]);
    assert_eq!(balance["data"][0]["available"], "1.00", "{balance}");
}
