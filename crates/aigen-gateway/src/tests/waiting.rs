//! Who waits in line does not wait in silence.

use super::sockets::{ask, listen, read_until};
use super::world::{World, breathe, gated};
use aigen_engine::scripted::{ScriptedEngine, Vocabulary};
use serde_json::json;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const COMMENT: &str = ": keep-alive\n\n";

struct Queue {
    world: World,
    /// Lets the engine go on; all the way when it is dropped.
    go: Sender<()>,
    /// Has the engine's only place.
    occupant: TcpStream,
    /// A stream that has been told to wait.
    waits: TcpStream,
    _stop: oneshot::Sender<()>,
}

async fn queue(answer: &str) -> Queue {
    let (script, go) = gated(answer);
    let engine = ScriptedEngine::new(Vocabulary::bytes(), script).with_sequences(1);
    let world = World::of(engine).await;
    let (address, _stop) = listen(&world, Duration::from_millis(5)).await;
    let mut occupant = ask(&world, address, json!({"stream": true})).await;
    go.send(()).unwrap();
    read_until(&mut occupant, "\"content\":\"a\"").await;
    let mut waits = ask(&world, address, json!({"stream": true})).await;
    let seen = read_until(&mut waits, COMMENT).await;
    assert!(
        seen.starts_with("HTTP/1.1 200") && !seen.contains("data:"),
        "{seen}"
    );
    read_until(&mut waits, COMMENT).await;
    Queue {
        world,
        go,
        occupant,
        waits,
        _stop,
    }
}

#[tokio::test]
async fn a_stream_that_waits_in_line_gets_comments_and_then_its_answer() {
    let mut queue = queue("ab").await;
    drop(queue.go);
    read_until(&mut queue.occupant, "[DONE]").await;
    let seen = read_until(&mut queue.waits, "[DONE]").await;
    assert_eq!(seen.matches("\"role\":\"assistant\"").count(), 1, "{seen}");
    assert!(seen.contains("\"finish_reason\":\"stop\""), "{seen}");
    queue.world.settle().await;
}

#[tokio::test]
async fn a_stream_that_was_told_to_wait_is_told_why_it_waited_in_vain() {
    let mut queue = queue(&"a".repeat(3_000)).await;
    let node = queue.world.node.clone();
    let stopped = tokio::spawn(async move { node.shut_down(Duration::ZERO).await });
    // The engine hears of it between two tokens.
    let seen = tokio::select! {
        seen = read_until(&mut queue.waits, "data: {\"error\"") => seen,
        () = steps(&queue.go) => unreachable!("it has no end"),
    };
    assert!(!seen.contains("assistant"), "{seen}");
    drop(queue.go);
    stopped.await.unwrap();
    queue.world.settle().await;
}

/// One token after the other.
async fn steps(go: &Sender<()>) {
    loop {
        breathe().await;
        let _ = go.send(());
    }
}
