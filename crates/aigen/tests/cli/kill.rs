//! A node that ends in the middle of an answer: killed, told to stop, or by its own hand.

use crate::support::{Folder, Serving};
use aigen_api::openai::{ChatChunk, ChatRequest, Extension, Message, Role};
use aigen_client::{Client, ClientError};
use futures::{Stream, StreamExt};

/// Tokens that a killed node may have computed without having recorded them.
const PROGRESS_TOKENS: u64 = 16;

/// Tokens to read before the node is killed: more than one recorded step.
const TOKENS_READ: u64 = 64;

/// An answer that cannot end by itself.
fn endless() -> ChatRequest {
    let pattern = serde_json::Map::from_iter([("pattern".to_owned(), "[a-z ]{4000}".into())]);
    let extension = Extension {
        controller: Some("regex".to_owned()),
        params: pattern,
        ..Extension::default()
    };
    ChatRequest {
        logprobs: Some(true),
        aigen: Some(extension),
        ..ChatRequest::new(
            "aigen-tiny",
            vec![Message::new(Role::User, "Tell me a story.")],
        )
    }
}

fn tokens(chunk: &ChatChunk) -> u64 {
    let logprobs = chunk
        .choices
        .iter()
        .filter_map(|choice| choice.logprobs.as_ref());
    logprobs
        .flat_map(|logprobs| &logprobs.content)
        .map(|tokens| tokens.len() as u64)
        .sum()
}

/// Reads a call until it has given this many tokens. Gives back how many and the call's id.
async fn read_tokens(
    chunks: &mut (impl Stream<Item = Result<ChatChunk, ClientError>> + Unpin),
) -> (u64, String) {
    let (mut read, mut call) = (0, String::new());
    while read < TOKENS_READ {
        let chunk = chunks.next().await.unwrap().unwrap();
        read += tokens(&chunk);
        call = chunk.id;
    }
    let id = call.rsplit('-').next().unwrap();
    (read, id.to_owned())
}

/// Nothing is held, and everything adds up.
fn at_rest(folder: &Folder) {
    let balance = folder.json(&["ledger", "balance", "user:dev"]);
    assert_eq!(balance["data"][0]["held"], "0.00", "{balance}");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(verified["issued"], verified["balances"], "{verified}");
}

#[tokio::test]
async fn killed_it_charges_what_it_had_recorded_and_holds_nothing() {
    let folder = Folder::new();
    let mut node = folder.dev();
    let client = Client::new(node.url(), node.key()).unwrap();
    let mut chunks = client.chat_stream(&endless()).await.unwrap();
    let (mut read, call) = read_tokens(&mut chunks).await;
    node.kill();
    // What had been sent already is produced too.
    while let Some(Ok(chunk)) = chunks.next().await {
        read += tokens(&chunk);
    }
    // Reading alone changes nothing: the call is still open, and its money held.
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    let before = folder.json(&["ledger", "balance", "user:dev"]);
    assert_ne!(before["data"][0]["held"], "0.00", "{before}");

    let _restarted = folder.dev();
    let receipt = folder.json(&["receipt", &call]);
    assert_eq!(receipt["finish"], "recovered", "{receipt}");
    let charged = receipt["usage"]["sampled_tokens"].as_u64().unwrap();
    assert!(charged > 0, "{receipt}");
    assert!(
        charged + PROGRESS_TOKENS >= read,
        "{charged} charged, {read} read"
    );
    at_rest(&folder);
}

/// Ten nodes, each killed after some number of tokens: what each of them answered stands, and what
/// it was in the midst of is charged for.
#[tokio::test]
async fn ten_killed_nodes_lose_no_answer_and_hold_nothing() {
    let folder = Folder::new();
    let mut calls: Vec<(String, u64)> = Vec::new();
    for round in 0..10 {
        let mut node = folder.dev();
        let client = Client::new(node.url(), node.key()).unwrap();
        let short = ChatRequest {
            max_tokens: Some(4),
            ..endless()
        };
        let answered = client.chat(&short).await.unwrap();
        let call = answered.id.rsplit('-').next().unwrap().to_owned();
        calls.push((call, answered.usage.completion_tokens));
        let mut chunks = client.chat_stream(&endless()).await.unwrap();
        let (mut read, mut id) = (0, String::new());
        while read <= round * 7 % 40 {
            let chunk = chunks.next().await.unwrap().unwrap();
            read += tokens(&chunk);
            id = chunk.id;
        }
        node.kill();
        calls.push((id.rsplit('-').next().unwrap().to_owned(), read));
    }
    let _last = folder.dev();
    for (call, read) in calls {
        let receipt = folder.json(&["receipt", &call]);
        let charged = receipt["usage"]["sampled_tokens"].as_u64().unwrap();
        assert!(charged + PROGRESS_TOKENS >= read, "{receipt}: {read} read");
    }
    at_rest(&folder);
}

#[tokio::test]
async fn told_to_stop_it_ends_the_answer_and_settles_it() {
    let folder = Folder::new();
    let mut dev = folder.command(&["dev", "--port", "0", "--json"]);
    let node = Serving::start(dev.env("AIGEN_GRACE_SECONDS", "0"));
    let client = Client::new(node.url(), node.key()).unwrap();
    let mut chunks = client.chat_stream(&endless()).await.unwrap();
    let (read, call) = read_tokens(&mut chunks).await;
    let (code, _) = node.stop();
    assert_eq!(code, 0);
    let mut last = None;
    while let Some(chunk) = chunks.next().await {
        last = Some(chunk);
    }
    assert!(
        matches!(last, Some(Err(_))),
        "a cut answer says so: {last:?}"
    );
    at_rest(&folder);
    let _restarted = folder.dev();
    let receipt = folder.json(&["receipt", &call]);
    assert_eq!(receipt["finish"], "cancelled", "{receipt}");
    assert!(
        receipt["usage"]["sampled_tokens"].as_u64().unwrap() >= read,
        "{receipt}"
    );
}

#[test]
fn idle_it_ends_in_peace() {
    let folder = Folder::new();
    let (code, _) = folder.dev().stop();
    assert_eq!(code, 0);
    at_rest(&folder);
}

/// Somebody else appends to its journal: what the node has applied since is not true, so it
/// ends rather than show it.
#[test]
fn a_second_writer_ends_it() {
    let folder = Folder::new();
    let node = folder.dev();
    let journal = rusqlite::Connection::open(folder.file(".aigen/journal.sqlite")).unwrap();
    let append = "INSERT INTO journal SELECT max(seq) + 1, x'00' FROM journal";
    journal.execute(append, []).unwrap();
    let ran = folder.run(&["fund", "user:ada", "1"]);
    assert_eq!(ran.code, 1, "{ran}");
    let (status, stderr) = node.ended();
    assert_eq!(status.code(), None, "it aborts");
    assert!(
        stderr.contains("a record could not be made durable"),
        "{stderr}"
    );
    let ran = folder.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.stderr.contains("is damaged: its length is wrong"),
        "{ran}"
    );
}
