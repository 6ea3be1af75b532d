//! A collector of OpenTelemetry's is told of requests, and of nothing that was said.

use crate::support::http::finish;
use crate::support::{Folder, Serving};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

/// A collector that takes everything: its URL, and heads and bodies of what it was sent.
fn collector() -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (connection, tell) = (connection.unwrap(), tell.clone());
            thread::spawn(move || while take(&connection, &tell).is_some() {});
        }
    });
    (url, told)
}

fn take(mut connection: &TcpStream, tell: &mpsc::Sender<(String, String)>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let (mut head, mut length) = (String::new(), 0);
    while reader.read_line(&mut head).ok()? > 2 {
        let line = head.lines().last()?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    // The connection was closed.
    (!head.is_empty()).then_some(())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    connection.write_all(answer.as_bytes()).ok()?;
    tell.send((head, String::from_utf8(body).unwrap())).ok()
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const WORDS: &str = "The planted words of a prompt.";

/// What it answers, and in how many tokens.
fn ask(node: &Serving) -> (String, String) {
    let host = node.url().strip_prefix("http://").unwrap();
    let message = json!({"role": "user", "content": WORDS});
    let body =
        json!({"model": "aigen-tiny", "max_tokens": 24, "temperature": 0, "messages": [message]})
            .to_string();
    let mut connection = TcpStream::connect(host).unwrap();
    write!(
        connection,
        "POST /v1/chat/completions HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ntraceparent: {PARENT}\r\ncontent-length: {}\r\n\r\n{body}",
        node.key(),
        body.len()
    )
    .unwrap();
    let reply = finish(connection);
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = reply.json();
    let text = reply["choices"][0]["message"]["content"].as_str();
    let tokens = reply["usage"]["completion_tokens"].to_string();
    (text.unwrap().trim().to_owned(), tokens)
}

/// An attribute, as text.
fn attribute(span: &Value, key: &str) -> String {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|one| one["key"] == key);
    let value = &found.unwrap_or_else(|| panic!("no {key}: {span:#}"))["value"];
    let value = value.as_object().unwrap().values().next().unwrap();
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn a_collector_hears_of_requests_and_not_of_what_was_said() {
    let folder = Folder::new();
    let (url, told) = collector();
    folder.write(
        "aigen.toml",
        format!("[telemetry]\notlp = \"{url}\"\nauthorization_env = \"COLLECTOR\"\n"),
    );
    let mut dev = folder.command(&["dev", "--port", "0", "--json"]);
    let node = Serving::start(dev.env("COLLECTOR", "Bearer of-the-collector"));
    let (key, (answer, tokens)) = (node.key().to_owned(), ask(&node));
    let (code, log) = node.stop();
    assert_eq!(code, 0, "{log}");

    let sent: Vec<_> = told.try_iter().collect();
    let mut spans = Vec::new();
    for (head, body) in &sent {
        assert!(head.starts_with("POST /v1/traces "), "{head}");
        assert!(
            head.contains("authorization: Bearer of-the-collector"),
            "{head}"
        );
        let body: Value = serde_json::from_str(body).unwrap();
        let told = body["resourceSpans"][0]["scopeSpans"][0]["spans"].clone();
        spans.extend(told.as_array().unwrap().clone());
    }
    let chat = spans.iter().find(|span| span["name"] == "chat aigen-tiny");
    let chat = chat.unwrap_or_else(|| panic!("{spans:#?}"));
    assert_eq!(chat["traceId"], PARENT[3..35]);
    assert_eq!(chat["parentSpanId"], PARENT[36..52]);
    assert_eq!(chat["spanId"].as_str().unwrap().len(), 16);
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "aigen-tiny"),
        ("gen_ai.usage.output_tokens", &*tokens),
        ("http.response.status_code", "200"),
        ("aigen.key", "dev"),
    ] {
        assert_eq!(attribute(chat, key), value, "{key}");
    }
    let nanos = |field: &str| chat[field].as_str().unwrap().parse::<u128>().unwrap();
    assert!(nanos("startTimeUnixNano") < nanos("endTimeUnixNano"));

    // Neither the collector nor the log hears a secret or a word.
    let heard: String = sent.iter().map(|(_, body)| body.as_str()).collect();
    let secret = key.rsplit_once('.').unwrap().1;
    for never in [secret, WORDS, &answer, "of-the-collector"] {
        assert!(
            never.len() > 6,
            "too short to be told from anything else: {never}"
        );
        assert!(!heard.contains(never), "{never:?} in {heard}");
        assert!(!log.contains(never), "{never:?} in {log}");
    }
}
