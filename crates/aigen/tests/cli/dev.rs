//! `aigen dev`: what it prints works when it is pasted.

use crate::support::{Folder, Serving};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The welcome text of a node that keeps running.
fn welcome(folder: &Folder) -> (std::process::Child, String) {
    let mut child = folder
        .command(&["dev", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut text = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !text.contains("aigen ledger verify") {
        assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "{text}");
    }
    (child, text)
}

/// The lines from one that begins so to the next empty one.
fn paragraph(text: &str, begin: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.starts_with(begin));
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(!lines.is_empty(), "{text}");
    lines.join("\n")
}

#[test]
fn the_curl_line_works_when_pasted() {
    let folder = Folder::new();
    let (mut child, text) = welcome(&folder);
    let curl = paragraph(&text, "curl ");
    let output = Command::new("bash").args(["-c", &curl]).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let reply: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{curl}\n{output:?}"));
    assert_eq!(reply["object"], "chat.completion", "{reply}");
    assert!(reply["aigen"]["cost"].is_string(), "{reply}");
}

#[test]
fn the_faucet_fills_up_and_the_key_stays() {
    let folder = Folder::new();
    let first = folder.dev();
    let key = first.key().to_owned();
    assert_eq!(first.ready["balance"], "10.00");
    let ran = folder.run(&["chat", "Hello!"]);
    assert_eq!(ran.code, 0, "{ran}");
    let (code, _) = first.stop();
    assert_eq!(code, 0);
    let second = folder.dev();
    assert_eq!(second.key(), key);
    let balance = folder.json(&["ledger", "balance", "user:dev"]);
    assert_eq!(balance["data"][0]["available"], "10.00");
}

#[test]
fn the_next_free_port_is_taken() {
    let folders = [Folder::new(), Folder::new()];
    let start = |folder: &Folder| Serving::start(&mut folder.command(&["dev", "--json"]));
    let nodes = folders.each_ref().map(start);
    assert_ne!(nodes[0].url(), nodes[1].url());
}

#[test]
fn chat_prints_the_answer_and_what_it_cost() {
    let folder = Folder::new();
    let _node = folder.dev();
    let params = r#"options=["yes","no"]"#;
    let answer = folder.json(&[
        "chat",
        "Is 7 prime?",
        "--controller",
        "choice",
        "--param",
        params,
    ]);
    let text = answer["text"].as_str().unwrap();
    assert!(["yes", "no"].contains(&text), "{answer}");
    let receipt = answer["aigen"]["receipt"].as_str().unwrap();
    let ran = folder.run(&["receipt", receipt]);
    assert_eq!(ran.code, 0, "{ran}");
    let cost = answer["aigen"]["cost"].as_str().unwrap();
    assert!(
        ran.stdout.contains(&format!("The call cost {cost} AIGEN")),
        "{ran}"
    );
    let ran = folder.run(&["chat", "Hello!", "--quiet"]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn chat_brings_a_node_of_its_own() {
    let folder = Folder::new();
    let answer = folder.json(&["chat", "Hello!", "--local"]);
    assert!(answer["aigen"]["cost"].is_string(), "{answer}");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

#[test]
fn a_conversation_comes_from_standard_input() {
    let folder = Folder::new();
    let _node = folder.dev();
    let lines = folder.write("lines", "Hello!\n\nWhat is a ledger?\n");
    let stdin = std::fs::File::open(lines).unwrap();
    let ran = folder.ran(folder.command(&["chat", "--json"]).stdin(stdin));
    assert_eq!(ran.stdout.lines().count(), 2, "{ran}");
}
