//! Who is let in, who is not, and what those pay who are not.

use super::{World, embedded, endless, node_with, parsed, read, request};
use crate::{AdmissionLimits, NodeError, Observed, Observer};
use aigen_journal::MemoryStore;
use aigen_network::{Outcome, Receipt};
use aigen_types::{Amount, ModelName};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One sequence, and these bounds.
async fn world(limits: AdmissionLimits) -> World {
    let model = embedded(endless().with_sequences(1));
    let store = Box::<MemoryStore>::default();
    World::over(node_with(limits, store, model).await, 1_000_000).await
}

fn own(error: &NodeError) -> bool {
    match error {
        NodeError::Busy { own, .. } => *own,
        other => panic!("{other}"),
    }
}

/// A call that nobody reads keeps its sequence.
#[tokio::test]
async fn a_call_that_is_not_computed_in_time_is_refused_and_free() {
    let world = world(AdmissionLimits::default()).await;
    let unread = world.complete(3_000).await.unwrap();
    world.node.limit_admission(AdmissionLimits {
        queue_time_max: Duration::from_millis(20),
        ..AdmissionLimits::default()
    });
    let late = world.complete(10).await.unwrap_err();
    assert!(
        !own(&late) && late.to_string().contains("in time"),
        "{late}"
    );
    {
        let network = world.node.network();
        assert_eq!(network.calls().count(), 1, "it holds nothing");
        let charged = network
            .receipts()
            .map(|(_, receipt)| receipt.total().nano());
        assert_eq!(charged.sum::<u128>(), 0, "it was charged nothing");
    }
    drop(unread);
    world.node.limit_admission(AdmissionLimits::default());
    let (text, _) = read(world.complete(10).await.unwrap()).await;
    assert_eq!(text.len(), 10);
    world.check();
}

/// Nobody may wait at all, so that each call is told to leave just when it begins.
#[tokio::test]
async fn a_call_that_begins_in_the_last_moment_is_answered_whole() {
    let limits = AdmissionLimits {
        queue_time_max: Duration::ZERO,
        ..AdmissionLimits::default()
    };
    for _ in 0..40 {
        let world = world(limits).await;
        let mut answered = 0;
        // After as many ends it is known that nobody is reached in no time.
        for _ in 0..8 {
            match world.complete(10).await {
                Ok(running) => {
                    let (text, _) = read(running).await;
                    assert_eq!(text.len(), 10);
                    answered += 1;
                }
                Err(late) => assert!(late.to_string().contains("in time"), "{late}"),
            }
        }
        world.node.durable().await.unwrap();
        let network = world.node.network();
        let receipts = network.receipts();
        let paid = receipts.filter(|(_, receipt)| receipt.total() > Amount::ZERO);
        assert_eq!(paid.count(), answered, "whoever is refused pays nothing");
        drop(network);
        world.check();
    }
}

#[tokio::test]
async fn calls_above_the_bound_are_refused_before_anything_is_held() {
    let world = world(AdmissionLimits {
        calls_per_key_max: 1,
        ..AdmissionLimits::default()
    })
    .await;
    let running = world.complete(3_000).await.unwrap();
    let held = world.money();
    assert!(own(&world.complete(10).await.unwrap_err()));
    assert_eq!(world.money(), held);
    read(running).await;
    // The one before is out of the door when its task is, which is a moment later.
    while world.node.running_calls() > 0 {
        tokio::task::yield_now().await;
    }
    read(world.complete(10).await.unwrap()).await;
}

/// The bound cannot be added to the time that it is: whatever panics in a call's task, the money is free.
#[tokio::test]
async fn a_call_whose_task_panics_holds_nothing() {
    let world = world(AdmissionLimits {
        queue_time_max: Duration::MAX,
        ..AdmissionLimits::default()
    })
    .await;
    let before = world.money();
    let ended = world.complete(10).await.unwrap_err();
    assert!(ended.to_string().contains("ended too early"), "{ended}");
    world.node.durable().await.unwrap();
    let network = world.node.network();
    assert_eq!(network.calls().count(), 0);
    let (_, receipt) = network
        .receipts_of(&parsed("user:ada"), None)
        .next()
        .unwrap();
    assert_eq!(receipt.outcome, Outcome::EngineFault);
    drop(network);
    assert_eq!(world.money(), before);
}

#[derive(Default)]
pub(super) struct Heard {
    ended: Mutex<Vec<Observed>>,
    pub lost: Mutex<Vec<Receipt>>,
    refused: Mutex<Vec<String>>,
}

impl Observer for Heard {
    fn ended(&self, call: &Observed) {
        self.ended.lock().unwrap().push(call.clone());
    }

    fn lost(&self, receipt: &Receipt) {
        self.lost.lock().unwrap().push(receipt.clone());
    }

    fn refused(&self, _: &ModelName, error: &NodeError) {
        self.refused.lock().unwrap().push(error.to_string());
    }
}

#[tokio::test]
async fn whoever_counts_is_told() {
    let world = world(AdmissionLimits::default()).await;
    let heard = Arc::new(Heard::default());
    world.node.observe(heard.clone());
    read(world.complete(10).await.unwrap()).await;
    let unknown = crate::CompletionRequest {
        model: parsed("other"),
        ..request(10)
    };
    world
        .node
        .complete(&world.caller, unknown)
        .await
        .unwrap_err();
    let ended = heard.ended.lock().unwrap();
    let [call] = ended.as_slice() else {
        panic!("{ended:?}");
    };
    assert_eq!(
        (call.outcome, call.used.sampled_tokens),
        (Outcome::Length, 10)
    );
    let (queued, first) = (call.queued.unwrap(), call.first_token.unwrap());
    assert!(queued <= first && first <= call.total, "{call:?}");
    assert_eq!(call.charged.nano(), 1_000_000 - world.money().0);
    let refused = heard.refused.lock().unwrap();
    assert!(refused[0].contains("not served here"), "{refused:?}");
}
