//! Over a real connection: what a client that hangs up sets free, and what keeps one alive.

use super::world::{World, breathe, chat, gated};
use crate::{Door, Front, GatewayState, Lanes, router, serve};
use aigen_node::network::Outcome;
use serde_json::{Value, json};
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A served world; dropping the sender stops the server.
pub async fn listen(
    world: &World,
    keep_alive: Duration,
) -> (std::net::SocketAddr, oneshot::Sender<()>) {
    let state = GatewayState {
        keep_alive,
        ..GatewayState::new(world.node.clone())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
    };
    tokio::spawn(serve(listener, router(state), shutdown));
    (address, stop)
}

pub async fn ask(world: &World, address: std::net::SocketAddr, fields: Value) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let body = chat(fields).to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        world.ada,
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

pub async fn read_until(connection: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let mut buffer = [0; 4096];
        let count = connection.read(&mut buffer).await.unwrap();
        assert!(count > 0, "closed before {text:?}: {seen}");
        seen.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    seen
}

/// Lets one token through at a time until the call is settled.
async fn outcome(world: &World, go: &Sender<()>) -> (Outcome, u64) {
    loop {
        if let Some((_, receipt)) = world.node.network().receipts().next() {
            return (receipt.outcome, receipt.call.used.sampled_tokens);
        }
        breathe().await;
        let _ = go.send(());
    }
}

#[tokio::test]
async fn hanging_up_ends_a_call_plain_and_streamed() {
    for stream in [false, true] {
        // Were the call not ended by the hang-up, it would end with the context.
        let (script, go) = gated(&"a".repeat(5_000));
        let world = World::new(script).await;
        let (address, _stop) = listen(&world, Duration::from_secs(10)).await;
        let mut connection = ask(&world, address, json!({"stream": stream})).await;
        go.send(()).unwrap();
        if stream {
            read_until(&mut connection, "\"content\":\"a\"").await;
        } else {
            while world.node.network().calls().count() == 0 {
                breathe().await;
            }
        }
        drop(connection);
        let (outcome, tokens) = outcome(&world, &go).await;
        assert_eq!(
            outcome,
            Outcome::Cancelled,
            "stream: {stream}, {tokens} tokens"
        );
        drop(go);
        world.settle().await;
    }
}

#[tokio::test]
async fn silence_is_filled_with_comments() {
    let (script, go) = gated("ab");
    let world = World::new(script).await;
    let (address, _stop) = listen(&world, Duration::from_millis(5)).await;
    let mut connection = ask(&world, address, json!({"stream": true})).await;
    let seen = read_until(&mut connection, ": keep-alive\n\n").await;
    assert!(seen.contains("x-accel-buffering: no"), "{seen}");
    drop(go);
    read_until(&mut connection, "[DONE]").await;
    world.settle().await;
}

#[tokio::test]
async fn a_stopped_server_finishes_what_it_began() {
    let (script, go) = gated("ab");
    let world = World::new(script).await;
    let (address, stop) = listen(&world, Duration::from_secs(10)).await;
    let mut connection = ask(&world, address, json!({"stream": true})).await;
    read_until(&mut connection, "assistant").await;
    drop(stop);
    drop(go);
    read_until(&mut connection, "[DONE]").await;
    world.settle().await;
}

#[tokio::test]
async fn a_reply_before_the_body_reaches_whoever_goes_on_sending() {
    const BYTES: usize = 20 << 20;
    let world = World::polite().await;
    let (address, _stop) = listen(&world, Duration::from_secs(10)).await;
    for (path, key, code) in [
        ("/v1/chat/completions", &*world.ada, "body_too_large"),
        ("/v1/chat/completions", "aigen_x.00", "invalid_api_key"),
        ("/v1/nothing", &*world.ada, "unknown_route"),
    ] {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: {BYTES}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&vec![b' '; BYTES]).await.unwrap();
        read_until(&mut connection, code).await;
        // The connection is as good as new.
        let next = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
        connection.write_all(next).await.unwrap();
        read_until(&mut connection, "HTTP/1.1 200").await;
    }
    world.settle().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let api = World::polite().await.router;
    tokio::spawn(serve(listener, api, std::future::pending()));
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"GET / HT").await.unwrap();
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap();
}

/// What serves a connection.
async fn thread_of(connection: &mut TcpStream) -> String {
    let request = b"GET /thread HTTP/1.1\r\nhost: x\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let said = read_until(connection, "ThreadId").await;
    said.rsplit_once("\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_connection_stays_in_the_lane_that_had_the_fewest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let door = Door::from(listener).served_by(Lanes::start(2).unwrap());
    let own = || async { format!("{:?}", std::thread::current().id()) };
    let front = Front {
        api: World::polite().await.router,
        pages: axum::Router::new().route("/thread", axum::routing::get(own)),
    };
    let shutdown = async move {
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(door, front, shutdown));
    let mut connections = Vec::new();
    let mut lanes = Vec::new();
    for _ in 0..4 {
        let mut connection = TcpStream::connect(address).await.unwrap();
        lanes.push(thread_of(&mut connection).await);
        connections.push(connection);
    }
    assert_eq!(lanes[..2], lanes[2..], "by turns");
    assert_ne!(lanes[0], lanes[1]);
    for (connection, lane) in connections.iter_mut().zip(&lanes) {
        assert_eq!(thread_of(connection).await, *lane, "it stays");
    }
    drop(stop);
    drop(connections);
    server.await.unwrap().unwrap();
}
