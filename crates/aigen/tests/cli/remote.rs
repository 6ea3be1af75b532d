//! Models that other servers answer for: another node of ours, and servers that do all that servers do wrong.

use crate::support::http::{begin, send};
use crate::support::{Folder, Serving};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

/// A node whose models are elsewhere, with a key in its environment.
fn node(folder: &Folder, config: &str, key: &str) -> Serving {
    folder.write("aigen.toml", config);
    let mut command = folder.command(&["dev", "--port", "0", "--json"]);
    Serving::start(command.env("UPSTREAM_KEY", key))
}

fn far(url: &str, more: &str) -> String {
    format!(
        "[[model]]\nname = \"far\"\nprovider = \"acme\"\ncontext_tokens = 512\n\
         price = {{ input = \"100\", cached_input = \"10\", output = \"300\", request = \"0\" }}\n\
         {more}\n[[model.upstream]]\nbase_url = \"{url}/v1\"\nmodel = \"aigen-tiny\"\n\
         api_key_env = \"UPSTREAM_KEY\"\n"
    )
}

fn chat(node: &Serving, body: Value) -> crate::support::http::Reply {
    let mut whole = json!({
        "messages": [{"role": "user", "content": "The delivery was late and the box was broken."}],
        "temperature": 0,
        "max_tokens": 24,
    });
    whole
        .as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    send(
        node.url(),
        "POST",
        "/v1/chat/completions",
        node.key(),
        &whole.to_string(),
    )
}

/// Nano-AIGEN under holds of the account that pays.
fn held(folder: &Folder) -> Value {
    folder.json(&["ledger", "balance", "user:dev"])["data"][0]["held_nano"].clone()
}

#[test]
fn another_node_is_an_upstream_like_any() {
    let (near, away) = (Folder::new(), Folder::new());
    let upstream = away.dev();
    let node = node(&near, &far(upstream.url(), ""), upstream.key());
    let models = near.json(&["models"]);
    let info = &models["data"][0]["aigen"];
    assert_eq!(info["control"], "schema", "it was found out: {info}");
    assert_eq!(info["upstreams"], json!({"total": 1, "available": 1}));
    let listed = near.run(&["models"]).stdout;
    assert!(
        listed.contains("schema   remote (1 of 1 available)"),
        "{listed}"
    );

    // The same words as from the model itself, and the same count of tokens, at this node's price.
    let direct = chat(&upstream, json!({"model": "aigen-tiny"})).json();
    for stream in [false, true] {
        let reply = chat(&node, json!({"model": "far", "stream": stream}));
        assert_eq!(reply.status, 200, "{reply:?}");
        let (text, aigen) = if stream {
            streamed(&reply.body)
        } else {
            whole(&reply.json())
        };
        assert_eq!(text, whole(&direct).0);
        assert_eq!(aigen["counted"], json!({"by": "upstream"}), "{aigen}");
        let receipt = near.json(&["receipt", aigen["receipt"].as_str().unwrap()]);
        assert_eq!(receipt["counted_by"], "upstream");
        let usage = &direct["usage"];
        let cached = receipt["usage"]["cached_prompt_tokens"].as_u64().unwrap();
        let prompt = usage["prompt_tokens"].as_u64().unwrap() - cached;
        let output = usage["completion_tokens"].as_u64().unwrap();
        let due = prompt * 100_000 + cached * 10_000 + output * 300_000;
        assert_eq!(receipt["total_nano"], due.to_string(), "{receipt}");
        assert_eq!(held(&near), "0");
        assert_eq!(held(&away), "0");
    }

    let schema = json!({
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["mood", "stars"],
        "additionalProperties": false,
    });
    let steered = json!({"controller": "json-schema", "params": {"schema": schema}});
    let reply = chat(&node, json!({"model": "far", "aigen": steered})).json();
    let (text, aigen) = whole(&reply);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert!(
        ["good", "bad"].contains(&answer["mood"].as_str().unwrap()),
        "{answer}"
    );
    assert_eq!(aigen["grammar_complete"], true);

    let steered = json!({"controller": "regex", "params": {"pattern": "[a-z]+"}});
    let refused = chat(&node, json!({"model": "far", "aigen": steered}));
    assert_eq!(refused.error(), (422, "controller_refused".into()));
    assert!(refused.body.contains("decides about tokens"), "{refused:?}");
    let refused = chat(&node, json!({"model": "far", "logprobs": true}));
    assert_eq!(refused.error(), (400, "unsupported_parameter".into()));
    let verified = near.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

/// The upstream's calls are told on every route, as this node's own are.
#[test]
fn tools_go_to_upstreams_that_take_them() {
    let (near, away) = (Folder::new(), Folder::new());
    let upstream = away.dev();
    let takes = far(
        upstream.url(),
        "[model.remote]\ntools = true\ncontrol = \"text\"",
    );
    let takes = node(&near, &takes, upstream.key());
    let parameters = json!({
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}},
        "required": ["mood"],
        "additionalProperties": false,
    });
    let function = json!({"name": "note_mood", "parameters": parameters, "strict": true});
    let tools = json!([{"type": "function", "function": function}]);
    let asked =
        json!({"model": "far", "tools": tools, "tool_choice": "required", "max_tokens": 100});
    let reply = chat(&takes, asked.clone());
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = reply.json();
    let choice = &reply["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls", "{reply}");
    let call = &choice["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "note_mood");
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert!(
        ["good", "bad"].contains(&arguments["mood"].as_str().unwrap()),
        "{arguments}"
    );
    assert_eq!(
        reply["aigen"]["counted"],
        json!({"by": "upstream"}),
        "{reply}"
    );
    let mut streamed = asked.clone();
    streamed["stream"] = true.into();
    let streamed = chat(&takes, streamed).body;
    assert!(
        streamed.contains("note_mood") && streamed.contains("\"tool_calls\""),
        "{streamed}"
    );
    drop(takes);

    let other = Folder::new();
    let other_config = far(upstream.url(), "[model.remote]\ncontrol = \"text\"");
    let refuses = node(&other, &other_config, upstream.key());
    let refused = chat(&refuses, asked);
    assert_eq!(refused.error(), (400, "unsupported_parameter".into()));
    assert!(
        refused.body.contains("the operator does not say"),
        "{refused:?}"
    );
}

fn whole(reply: &Value) -> (String, Value) {
    let text = reply["choices"][0]["message"]["content"].as_str();
    (
        text.unwrap_or_else(|| panic!("{reply}")).to_owned(),
        reply["aigen"].clone(),
    )
}

fn streamed(body: &str) -> (String, Value) {
    let events = body.lines().filter_map(|line| line.strip_prefix("data: {"));
    let events = events.map(|event| serde_json::from_str::<Value>(&format!("{{{event}")).unwrap());
    let (mut text, mut aigen) = (String::new(), Value::Null);
    for event in events {
        text += event["choices"][0]["delta"]["content"]
            .as_str()
            .unwrap_or_default();
        if !event["aigen"].is_null() {
            aigen = event["aigen"].clone();
        }
    }
    (text, aigen)
}

/// Answers every request as the first part of its path says.
struct Faulty {
    url: String,
    /// Hears when a connection on which it stalls is closed by the other side.
    closed: mpsc::Receiver<()>,
}

impl Faulty {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, closed) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, tell) = (connection.unwrap(), tell.clone());
                // Clients that hang up are what some tests are about.
                thread::spawn(move || misbehave(connection, &tell).ok());
            }
        });
        Self { url, closed }
    }
}

fn misbehave(mut connection: TcpStream, closed: &mpsc::Sender<()>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let (mut path, mut length) = (String::new(), 0);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if path.is_empty() {
            path = line.split(['/', ' ']).nth(2).unwrap().to_owned();
        }
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length])?;
    let head = |status: &str, kind: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n")
    };
    let events = |parts: &[&str]| head("200 OK", "text/event-stream") + &parts.concat();
    const HELLO: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello you\"}}]}\n\n";
    const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    const LIE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9000000,\"completion_tokens\":-5}}\n\ndata: [DONE]\n\n";
    let said = match path.as_str() {
        "lies" => events(&[HELLO, STOP, LIE]),
        "silent-about-usage" => events(&[HELLO, STOP, "data: [DONE]\n\n"]),
        "broken-events" => events(&["data: {\"choices\":[{\"del\n\n"]),
        "closes-mid-token" => events(&[HELLO, "data: {\"choices\":[{\"delta\":{\"cont"]),
        "busy" => head("429 Too Many Requests", "application/json") + "{\"error\":\"later\"}",
        "fails" => head("500 Internal Server Error", "text/plain") + "oh no",
        "html" => head("200 OK", "text/html") + "<html>please log in</html>",
        "refuses" => {
            head("400 Bad Request", "application/json") + "{\"error\":{\"message\":\"no emoji\"}}"
        }
        "stalls" => String::new(),
        "stalls-later" => events(&[HELLO]),
        other => panic!("no such fault: {other}"),
    };
    connection.write_all(said.as_bytes())?;
    if path.starts_with("stalls") {
        // Until the other side closes.
        let _ = reader.read(&mut [0]);
        let _ = closed.send(());
    }
    Ok(())
}

const FAULTS: [&str; 10] = [
    "lies",
    "silent-about-usage",
    "broken-events",
    "closes-mid-token",
    "busy",
    "fails",
    "html",
    "refuses",
    "stalls",
    "stalls-later",
];

fn faulty_models(faulty: &Faulty, remote: &str) -> String {
    let model = |fault: &&str| {
        format!(
            "[[model]]\nname = \"{fault}\"\ncontext_tokens = 100\n[model.remote]\ncontrol = \"text\"\n{remote}\n\
             [[model.upstream]]\nbase_url = \"{}/{fault}\"\n",
            faulty.url
        )
    };
    FAULTS.iter().map(model).collect()
}

/// Whatever a server does wrong, its caller is told what, pays for what came and no more, and nothing
/// stays held.
#[test]
fn servers_that_misbehave() {
    let folder = Folder::new();
    let faulty = Faulty::start();
    let short = "first_byte_seconds = 1\nidle_seconds = 1";
    let node = node(&folder, &faulty_models(&faulty, short), "");
    for (fault, expected, says) in [
        (
            "broken-events",
            (502, "upstream_broken"),
            "the upstream's answer is broken",
        ),
        ("closes-mid-token", (502, "upstream_failed"), "ended before"),
        (
            "busy",
            (503, "upstream_unavailable"),
            "busy (429 Too Many Requests): later",
        ),
        (
            "fails",
            (502, "upstream_unavailable"),
            "500 Internal Server Error",
        ),
        ("html", (502, "upstream_unavailable"), "instead of JSON"),
        ("refuses", (400, "upstream_refused"), "no emoji"),
        (
            "stalls",
            (504, "upstream_timeout"),
            "the first byte took longer than 1 s",
        ),
        (
            "stalls-later",
            (502, "upstream_failed"),
            "the next part took longer than 1 s",
        ),
    ] {
        let reply = chat(&node, json!({"model": fault}));
        assert_eq!(
            reply.error(),
            (expected.0, expected.1.into()),
            "{fault}: {reply:?}"
        );
        assert!(reply.body.contains(says), "{fault}: {reply:?}");
        assert_eq!(held(&folder), "0", "{fault}");
    }
    for (fault, says) in [
        ("lies", "claims 9000000 prompt tokens"),
        ("silent-about-usage", "does not say how many prompt tokens"),
    ] {
        let reply = chat(&node, json!({"model": fault})).json();
        let counted = &reply["aigen"]["counted"];
        assert_eq!(counted["by"], "estimate", "{reply}");
        assert!(counted["doubt"].as_str().unwrap().contains(says), "{reply}");
        let id = reply["aigen"]["receipt"].as_str().unwrap();
        assert_eq!(folder.json(&["receipt", id])["counted_by"], "estimated");
        let told = folder.run(&["receipt", id]).stdout;
        assert!(told.contains("estimated from its bytes"), "{told}");
        // "Hello you": 9 bytes, 4 to a token.
        assert_eq!(reply["usage"]["completion_tokens"], 3, "{reply}");
    }
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    // One that failed again and again is left alone, and says for how long.
    while chat(&node, json!({"model": "fails"})).status != 503 {}
    let reply = chat(&node, json!({"model": "fails"}));
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{reply:?}");
    let models = folder.json(&["models"]);
    let fails = models["data"].as_array().unwrap().iter();
    let fails = fails.clone().find(|model| model["id"] == "fails").unwrap();
    assert_eq!(fails["aigen"]["upstreams"]["available"], 0, "{fails}");
}

/// A client that hangs up, streamed or not, before the first byte or after it, ends the request to
/// the upstream too.
#[test]
fn hanging_up_reaches_the_upstream() {
    let folder = Folder::new();
    let faulty = Faulty::start();
    let node = node(&folder, &faulty_models(&faulty, ""), "");
    for (model, stream) in [
        ("stalls", false),
        ("stalls", true),
        ("stalls-later", false),
        ("stalls-later", true),
    ] {
        let body = json!({
            "model": model,
            "stream": stream,
            "max_tokens": 8,
            "messages": [{"role": "user", "content": "Hi"}],
        });
        let mut client = begin(
            node.url(),
            "POST",
            "/v1/chat/completions",
            node.key(),
            &body.to_string(),
        );
        if model == "stalls-later" && stream {
            let mut said = [0; 1024];
            let bytes = client.read(&mut said).unwrap();
            assert!(bytes > 0);
        } else {
            // Its hold shows that the call runs.
            while held(&folder) == "0" {}
        }
        drop(client);
        faulty.closed.recv().unwrap();
        while held(&folder) != "0" {}
    }
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

/// Told to stop, a node is not ready and takes nothing new, drains for its grace, and then ends what
/// still runs: its reader is told, and its hold is settled.
#[test]
fn told_to_stop_it_drains_and_then_ends_what_runs() {
    let folder = Folder::new();
    let faulty = Faulty::start();
    let config = format!("grace_seconds = 4\n{}", faulty_models(&faulty, ""));
    let node = node(&folder, &config, "");
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let body = json!({"model": "stalls-later", "stream": true, "messages": messages});
    let path = "/v1/chat/completions";
    let mut running = begin(node.url(), "POST", path, node.key(), &body.to_string());
    let mut said = String::new();
    while !said.contains("Hello you") {
        let mut part = [0; 1024];
        let bytes = running.read(&mut part).unwrap();
        said += std::str::from_utf8(&part[..bytes]).unwrap();
    }
    let (url, key) = (node.url().to_owned(), node.key().to_owned());
    let ended = thread::spawn(move || node.stop());
    // It still answers, that it will not.
    while send(&url, "GET", "/ready", "", "").status == 200 {}
    assert_eq!(send(&url, "GET", "/health", "", "").status, 200);
    let ready = send(&url, "GET", "/ready", "", "");
    assert_eq!(ready.error(), (503, "shutting_down".into()));
    let refused = send(&url, "POST", path, &key, &body.to_string());
    assert_eq!(refused.error(), (503, "shutting_down".into()));
    running.read_to_string(&mut said).unwrap();
    let last = said.trim_end().lines().last().unwrap();
    assert!(last.starts_with("data: {\"error\":"), "{said}");
    let (code, log) = ended.join().unwrap();
    assert_eq!(code, 0, "{log}");
    assert_eq!(held(&folder), "0");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}
