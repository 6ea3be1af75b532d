//! Controllers that ask the outside while they open, and never begin: what they asked is paid and named,
//! nothing stays held, and nobody waits for them who has left.

use crate::components::{asked, get, publish};
use crate::outside::{Server, Texts, escaped, grant, manifest, nano, permissions, serve};
use crate::support::{Folder, Serving, http};
use aigen_testkit_guests::Guest;
use serde_json::{Value, json};
use std::net::TcpStream;

/// A guest that does this while it opens, with the texts of what it asks.
fn opening(open: &str, texts: &Texts) -> Vec<u8> {
    let guest = Guest {
        open,
        step: "(call $stop)",
        text: &escaped(&texts.0),
        ..Guest::default()
    };
    guest.module()
}

/// Reads a page, calls a tool and asks a model; and then it cannot begin.
fn traps(server: &Server) -> Vec<u8> {
    let mut texts = Texts::default();
    let messages = r#"[{"role": "user", "content": "Hello!"}]"#;
    let (url, echo) = (texts.put(&server.url("/page")), texts.put("echo"));
    let (arguments, model) = (texts.put("{}"), texts.put("aigen-tiny"));
    let (messages, options) = (texts.put(messages), texts.put(""));
    let open = format!(
        "(call $http {url} (i32.const 2048))
         (call $tool {echo} {arguments} (i32.const 2048))
         (call $complete {model} {messages} {options} (i32.const 2048))
         unreachable"
    );
    opening(&open, &texts)
}

/// Reads a page again and again.
fn asks_for_ever(server: &Server) -> Vec<u8> {
    let mut texts = Texts::default();
    let url = texts.put(&server.url("/page"));
    let open = format!("(loop $l (call $http {url} (i32.const 2048)) (br $l))");
    opening(&open, &texts)
}

fn offer(folder: &Folder, server: &Server, guest: Vec<u8>) -> Serving {
    grant(folder, server);
    folder.write("opens.wasm", guest);
    manifest(folder, &permissions(server));
    let node = serve(folder);
    let published = publish(folder, "opens.wasm", "ada/opens@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    node
}

fn request() -> Value {
    json!({
        "model": "aigen-tiny", "max_tokens": 8, "aigen": {"controller": "ada/opens@1"},
        "messages": [{"role": "user", "content": "Hi"}],
    })
}

fn begin(node: &Serving, folder: &Folder) -> TcpStream {
    let key = std::fs::read_to_string(folder.file(".aigen/operator.key")).unwrap();
    let (path, body) = ("/v1/chat/completions", request().to_string());
    http::begin(node.url(), "POST", path, key.trim(), &body)
}

/// The receipt of the call that nothing steers but the controller.
fn receipt(node: &Serving, folder: &Folder) -> Option<Value> {
    let receipts = get(node, folder, "/v1/aigen/receipts");
    let mut receipts = receipts["data"].as_array().unwrap().iter();
    receipts
        .find(|one| one["controller"] == "ada/opens@1.0.0")
        .cloned()
}

fn balance(folder: &Folder) -> (u128, u128) {
    let account = folder.json(&["ledger", "balance", "operator"])["data"][0].clone();
    (nano(&account["posted"]), nano(&account["held"]))
}

/// What it used and asked, and that nothing was computed or charged.
fn judge(receipt: &Value, finish: &str, asked: [u64; 3]) {
    let steering = &receipt["steering"];
    let count = |kind: &str| steering["asked"][kind].as_u64().unwrap();
    assert_eq!(
        ["pages", "tools", "completions"].map(count),
        asked,
        "{receipt}"
    );
    assert!(steering["fuel"].as_u64().unwrap() > 0, "{receipt}");
    assert_eq!(
        (&receipt["finish"], nano(&receipt["total"])),
        (&json!(finish), 0)
    );
}

#[test]
fn a_guest_that_asks_while_it_opens_and_traps_has_what_it_asked_on_its_receipt() {
    let (folder, server) = (Folder::new(), Server::start());
    let node = offer(&folder, &server, traps(&server));
    let before = balance(&folder).0;
    let said = asked(&node, &folder, "/v1/chat/completions", Some(request()));
    let error = serde_json::from_str::<Value>(&said).unwrap()["error"].clone();
    assert_eq!(error["metadata"]["fault"], "trap", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("what it had others asked is charged"),
        "{message}"
    );
    let id = error["metadata"]["receipt"].as_str().unwrap();
    let receipt = folder.json(&["receipt", id]);
    judge(&receipt, "controller_fault", [1, 1, 1]);
    assert_eq!(receipt["steering"]["fault"], "trap");
    assert!(receipt["steering"]["asked"]["bytes"].as_u64().unwrap() > 0);
    // The model that it asked was paid, by a receipt of its own, and nobody else.
    let sub = &receipt["sub_calls"][0];
    assert_eq!(error["metadata"]["cost"], sub["cost"], "{error}");
    let (after, held) = balance(&folder);
    assert_eq!((before - after, held), (nano(&sub["cost"]), 0));
    assert!(before > after);
    assert_eq!(server.asked(), 2);
    assert_eq!(node.stop().0, 0);
    assert_eq!(folder.json(&["ledger", "verify"])["ok"], true);
}

/// A question would be waited for longer than this test takes, and another would follow it.
#[test]
fn a_guest_that_asks_without_end_is_not_waited_for_by_whoever_hangs_up() {
    let (folder, server) = (Folder::new(), Server::silent());
    let node = offer(&folder, &server, asks_for_ever(&server));
    let before = balance(&folder).0;
    let client = begin(&node, &folder);
    server.waits();
    // Its hold is shown once it is durable, which whoever works does not wait for.
    while balance(&folder).1 == 0 {}
    drop(client);
    let receipt = loop {
        if let Some(receipt) = receipt(&node, &folder) {
            break receipt;
        }
    };
    judge(&receipt, "cancelled", [1, 0, 0]);
    assert_eq!((balance(&folder), server.asked()), ((before, 0), 1));
    assert_eq!(node.stop().0, 0);
}

#[test]
fn a_node_ends_while_a_guest_asks_without_end() {
    let (folder, server) = (Folder::new(), Server::silent());
    let node = offer(&folder, &server, asks_for_ever(&server));
    assert_eq!(node.stop().0, 0);
    let granted = std::fs::read_to_string(folder.file("aigen.toml")).unwrap();
    folder.write("aigen.toml", format!("grace_seconds = 0\n{granted}"));
    let node = folder.serve(&[]);
    let before = balance(&folder).0;
    let client = begin(&node, &folder);
    server.waits();
    assert_eq!(node.stop().0, 0);
    assert_eq!(
        http::finish(client).error(),
        (503, "shutting_down".to_owned())
    );
    let node = folder.serve(&[]);
    judge(&receipt(&node, &folder).unwrap(), "cancelled", [1, 0, 0]);
    assert_eq!((balance(&folder), server.asked()), ((before, 0), 1));
}
