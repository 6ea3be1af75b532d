//! A node that is killed in the middle of an answer.

use crate::support::Folder;
use aigen_api::openai::{ChatChunk, ChatRequest, Extension, Message, Role};
use aigen_client::Client;
use futures::StreamExt;

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

#[tokio::test]
async fn is_charged_for_what_it_had_recorded_and_holds_nothing() {
    let folder = Folder::new();
    let mut node = folder.dev();
    let client = Client::new(node.url(), node.key()).unwrap();
    let mut chunks = client.chat_stream(&endless()).await.unwrap();
    let (mut read, mut call) = (0, String::new());
    while read < TOKENS_READ {
        let chunk = chunks.next().await.unwrap().unwrap();
        read += tokens(&chunk);
        call = chunk.id;
    }
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
    let receipt = folder.json(&["receipt", call.rsplit('-').next().unwrap()]);
    assert_eq!(receipt["finish"], "recovered", "{receipt}");
    let charged = receipt["usage"]["sampled_tokens"].as_u64().unwrap();
    assert!(charged > 0, "{receipt}");
    assert!(
        charged + PROGRESS_TOKENS >= read,
        "{charged} charged, {read} read"
    );
    let after = folder.json(&["ledger", "balance", "user:dev"]);
    assert_eq!(after["data"][0]["held"], "0.00", "{after}");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["issued"], verified["balances"], "{verified}");
}

#[test]
#[cfg(unix)]
fn told_to_stop_it_ends_in_peace() {
    let folder = Folder::new();
    let (code, _) = folder.dev().stop();
    assert_eq!(code, 0);
    let ran = folder.run(&["ledger", "verify"]);
    assert!(ran.stdout.ends_with("\nledger verified\n"), "{ran}");
}
