//! What a call waits for: its hold on its way to the disk, one record where its end comes at once.

use super::{World, read, request};
use crate::{CallEvent, Served};
use aigen_engine::ControlLevel;
use aigen_engine::text::{
    Asked, Claimed, OnText, TextControl, TextEnding, TextEngine, TextEvent, TextFinish, TextInfo,
    TextRequest,
};
use aigen_journal::{ContentStore, MemoryStore, Record, Store, StoreError, Tip};
use aigen_types::Digest;
use std::sync::{Arc, Condvar, Mutex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Lets a disk write, or not.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn close(&self, closed: bool) {
        *self.0.lock().unwrap() = closed;
        self.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.lock().unwrap();
        drop(self.1.wait_while(closed, |closed| *closed).unwrap());
    }
}

struct Gated(MemoryStore, Arc<Gate>);

impl ContentStore for Gated {}

impl Store for Gated {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        self.1.pass();
        self.0.append(record)
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        self.0.tip()
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.read_after(tip, visit)
    }
}

/// Hands out what it is asked.
struct Handing(UnboundedSender<OnText>);

impl TextControl for Handing {
    fn hang_up(&self) {}

    fn cancel(&self) {}
}

impl TextEngine for Handing {
    fn info(&self) -> TextInfo {
        TextInfo {
            digest: Digest([7; 32]),
            context_tokens: 4096,
            answer_tokens: 500,
            control: ControlLevel::Text,
            tools: false,
            probabilities: false,
            upstreams: Vec::new(),
        }
    }

    fn check(&self, _: &TextRequest) -> Result<(), String> {
        Ok(())
    }

    fn start(&self, _: TextRequest, on_event: OnText) -> Asked {
        let _ = self.0.send(on_event);
        Asked::elsewhere(Box::new(Self(self.0.clone())))
    }
}

async fn world(gate: &Arc<Gate>) -> (World, UnboundedReceiver<OnText>) {
    let (asked, asks) = unbounded_channel();
    let store = Box::new(Gated(MemoryStore::default(), Arc::clone(gate)));
    let model = Served::Remote(Arc::new(Handing(asked)));
    (World::with(store, model, 1_000_000).await, asks)
}

fn finished() -> TextEvent {
    TextEvent::Finished(TextEnding {
        finish: Ok(TextFinish::Stop),
        claimed: Some(Claimed {
            prompt: Some(4),
            cached: None,
            completion: Some(2),
        }),
    })
}

#[tokio::test]
async fn work_begins_while_its_hold_is_on_its_way_and_nothing_is_said_before_it_is_durable() {
    let gate = Arc::default();
    let (world, mut asks) = world(&gate).await;
    gate.close(true);
    let mut queued = world.node.queue(&world.caller, request(40)).await.unwrap();
    let mut say = asks.recv().await.expect("it is asked at once");
    assert!(world.money().1 > 0, "held, if not durably");
    say(TextEvent::Started);
    say(TextEvent::Text("ok".into()));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let began = tokio::time::timeout(std::time::Duration::ZERO, queued.began());
    assert!(began.await.is_err(), "nobody hears that it began");
    assert!(queued.running.events.recv_now().await.is_none());
    gate.close(false);
    queued.began().await.unwrap();
    let said = queued.running.events.recv().await;
    assert!(matches!(said, Some(CallEvent::Piece { piece, .. }) if piece.text == "ok"));
    say(finished());
    let (_, ended) = read(queued.running).await;
    assert_eq!(ended.receipt.unwrap().charge.total.nano(), 4 + 2 * 2);
    world.check();
}

#[tokio::test]
async fn an_answer_is_read_while_its_hold_is_on_its_way() {
    let gate = Arc::default();
    let (world, mut asks) = world(&gate).await;
    let before = world.node.network().commands();
    gate.close(true);
    let mut queued = world.node.queue(&world.caller, request(40)).await.unwrap();
    let mut say = asks.recv().await.unwrap();
    let now = std::time::Duration::ZERO;
    say(TextEvent::Started);
    let began = tokio::time::timeout(now, queued.began()).await;
    assert!(began.is_err(), "that waits for the hold");
    say(TextEvent::Text("ok".into()));
    say(finished());
    let began = tokio::time::timeout(now, queued.began()).await;
    assert!(began.is_err(), "nobody hears of what is not durable");
    let commands = world.node.network().commands() - before;
    assert_eq!(commands, 2, "it was opened and closed, if not durably");
    gate.close(false);
    queued.began().await.unwrap();
    let (text, ended) = read(queued.running).await;
    assert_eq!(text, "ok");
    assert_eq!(ended.receipt.unwrap().charge.total.nano(), 4 + 2 * 2);
    world.check();
}

#[tokio::test]
async fn an_answer_that_comes_whole_is_two_commands() {
    let gate = Arc::default();
    let (world, mut asks) = world(&gate).await;
    let before = world.node.network().commands();
    let mut queued = world.node.queue(&world.caller, request(40)).await.unwrap();
    let mut say = asks.recv().await.unwrap();
    say(TextEvent::Started);
    say(TextEvent::Text(
        "a text of many more bytes than a token has".into(),
    ));
    say(finished());
    queued.began().await.unwrap();
    let (text, _) = read(queued.running).await;
    assert_eq!(text, "a text of many more bytes than a token has");
    let commands = world.node.network().commands() - before;
    assert_eq!(commands, 2, "it was opened and closed");
}

#[tokio::test]
async fn what_comes_before_the_end_is_noted_before_it_is_shown() {
    let gate = Arc::default();
    let (world, mut asks) = world(&gate).await;
    let mut queued = world.node.queue(&world.caller, request(40)).await.unwrap();
    let mut say = asks.recv().await.unwrap();
    say(TextEvent::Started);
    say(TextEvent::Text("a text of sixteen bytes and some".into()));
    queued.began().await.unwrap();
    queued.running.events.recv().await.unwrap();
    let used = world.node.network().call(queued.running.call).unwrap().used;
    assert_eq!(used.sampled_tokens, 2);
    say(finished());
    read(queued.running).await;
}
