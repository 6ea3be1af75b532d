//! A client that leaves, in every phase of its request, whole and streamed: nothing stays held,
//! what was produced is charged, and the engine stops.

use super::sockets::{ask, listen, read_until};
use super::world::{World, breathe, gated};
use aigen_engine::scripted::{ScriptedEngine, Vocabulary};
use aigen_node::network::{Outcome, Receipt};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// When a client leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Its head is sent, its body is not.
    BeforeBody,
    /// Its money is held, and another call has the engine's only place.
    Queued,
    /// Its money is held, and no token was produced.
    BeforeHeaders,
    /// Some of its tokens were.
    Midway,
    /// All of them were.
    AfterLastToken,
}

use Phase::{AfterLastToken, BeforeBody, BeforeHeaders, Midway, Queued};

struct Stage {
    world: World,
    address: SocketAddr,
    go: Sender<()>,
}

impl Stage {
    fn calls(&self) -> usize {
        self.world.node.network().calls().count()
    }

    fn receipts(&self) -> Vec<Receipt> {
        let network = self.world.node.network();
        network
            .receipts()
            .map(|(_, receipt)| Arc::unwrap_or_clone(receipt))
            .collect()
    }

    async fn ask(&self, stream: bool) -> TcpStream {
        let fields = json!({"stream": stream, "max_tokens": 4_000});
        ask(&self.world, self.address, fields).await
    }

    /// Lets one token through at a time until so many calls are over.
    async fn until_over(&self, calls: usize) {
        while self.receipts().len() < calls {
            breathe().await;
            let _ = self.go.send(());
        }
    }
}

#[tokio::test]
async fn nothing_is_held_whenever_a_client_leaves() {
    for phase in [BeforeBody, Queued, BeforeHeaders, Midway, AfterLastToken] {
        for stream in [false, true] {
            leave(phase, stream).await;
        }
    }
}

async fn leave(phase: Phase, stream: bool) {
    let length = if phase == AfterLastToken { 3 } else { 5_000 };
    let (script, go) = gated(&"a".repeat(length));
    let engine = ScriptedEngine::new(Vocabulary::bytes(), script).with_sequences(1);
    let world = World::of(engine).await;
    let (address, _stop) = listen(&world, Duration::from_secs(10)).await;
    let stage = Stage { world, address, go };
    let earlier = usize::from(phase == Queued);
    let occupant = match phase {
        Queued => Some(occupied(&stage).await),
        _ => None,
    };
    match phase {
        BeforeBody => drop(head_only(&stage).await),
        Queued | BeforeHeaders => {
            let connection = stage.ask(stream).await;
            while stage.calls() < earlier + 1 {
                breathe().await;
            }
            drop(connection);
        }
        Midway => drop(midway(&stage, stream).await),
        AfterLastToken => drop(to_the_end(&stage, stream).await),
    }
    if phase == BeforeBody {
        breathe().await;
        assert_eq!((stage.calls(), stage.receipts().len()), (0, 0));
        return stage.world.settle().await;
    }
    stage.until_over(1).await;
    judge(&stage.receipts()[0], phase, stream);
    drop(occupant);
    stage.until_over(1 + earlier).await;
    let Stage { world, go, .. } = stage;
    drop(go);
    // Checks, too, that nothing is held anywhere.
    world.settle().await;
}

fn judge(receipt: &Receipt, phase: Phase, stream: bool) {
    let used = receipt.call.used;
    let told = format!("{phase:?}, stream: {stream}, {used:?}");
    // 10 for the request, 1 per prompt token, 2 per sampled one; nothing for nothing.
    let produced = match used.all_prompt_tokens() {
        0 => 0,
        prompt => 10 + prompt + 2 * used.sampled_tokens,
    };
    assert_eq!(receipt.total().nano(), u128::from(produced), "{told}");
    let expected = match phase {
        AfterLastToken => Outcome::Stop,
        _ => Outcome::Cancelled,
    };
    assert_eq!(receipt.outcome, expected, "{told}");
    match phase {
        Queued => assert_eq!(used.sampled_tokens, 0, "{told}"),
        // 3 letters and the end.
        AfterLastToken => assert_eq!(used.sampled_tokens, 4, "{told}"),
        // It would have gone on to 4,000.
        _ => assert!(used.sampled_tokens < 1_000, "{told}"),
    }
}

/// Another client's call that has the engine's only place.
async fn occupied(stage: &Stage) -> TcpStream {
    let mut occupant = stage.ask(true).await;
    stage.go.send(()).unwrap();
    read_until(&mut occupant, "\"content\":\"a\"").await;
    occupant
}

async fn head_only(stage: &Stage) -> TcpStream {
    let mut connection = TcpStream::connect(stage.address).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        stage.world.ada
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    breathe().await;
    connection
}

async fn midway(stage: &Stage, stream: bool) -> TcpStream {
    let mut connection = stage.ask(stream).await;
    for _ in 0..20 {
        stage.go.send(()).unwrap();
    }
    if stream {
        read_until(&mut connection, "\"content\":\"a").await;
    }
    let produced = || {
        let network = stage.world.node.network();
        network
            .calls()
            .any(|(_, call)| call.used.sampled_tokens > 0)
    };
    while !produced() {
        breathe().await;
    }
    connection
}

async fn to_the_end(stage: &Stage, stream: bool) -> TcpStream {
    let mut connection = stage.ask(stream).await;
    for _ in 0..4 {
        stage.go.send(()).unwrap();
    }
    if stream {
        read_until(&mut connection, "finish_reason\":\"stop").await;
    } else {
        stage.until_over(1).await;
    }
    connection
}
