//! Clusters in one process, over a store in memory: who leads, what followers see, what becomes of
//! batches whose answer is lost. Nothing here waits for a time to pass but leases.

use super::{Candidate, Election, ForwardError, Leader, Membership, Timing, Transport};
use crate::tests::{founding, issue, parsed};
use crate::{
    Batch, ContentStore, Journal, MemoryStore, Record, Role, Store, StoreError, Tip, recover,
    replay,
};
use aigen_types::{Amount, NodeId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

const TIMING: Timing = Timing {
    lease: Duration::from_millis(300),
    poll: Duration::from_millis(2),
};

/// What all nodes share: the store, the lease, and the way to each other.
#[derive(Clone, Default)]
struct World {
    store: Arc<Mutex<MemoryStore>>,
    lease: Arc<Mutex<Option<(Leader, Instant)>>>,
    seen: Arc<Mutex<BTreeMap<NodeId, Instant>>>,
    nodes: Arc<Mutex<BTreeMap<String, Journal>>>,
    /// The store does not answer.
    cut: Arc<AtomicBool>,
    /// Held by whoever has node 2 wait before it takes part.
    door: Arc<Mutex<()>>,
    /// Answers of the leader that get lost on their way back, still to come.
    lost_answers: Arc<AtomicU64>,
    clock: Arc<AtomicU64>,
}

impl World {
    fn reach(&self) -> Result<(), StoreError> {
        if self.cut.load(Ordering::SeqCst) {
            return Err(StoreError::Unreachable("cut".into()));
        }
        Ok(())
    }

    fn start(&self, number: u64) -> Journal {
        let me = Candidate {
            node: NodeId(number),
            url: format!("node-{number}"),
            secret: "secret".into(),
        };
        let membership = Membership {
            me: me.clone(),
            election: Box::new(self.clone()),
            transport: Box::new(self.clone()),
            timing: TIMING,
            pace: Box::new(super::RealTime),
        };
        let clock = Arc::clone(&self.clock);
        let now = move || Timestamp(clock.fetch_add(1, Ordering::SeqCst));
        let fail = |error| panic!("{error}");
        let (journal, _) = Journal::join(Box::new(self.clone()), membership, now, fail).unwrap();
        self.nodes.lock().unwrap().insert(me.url, journal.clone());
        journal
    }

    fn replayed(&self) -> aigen_network::Network {
        replay(&*self.store.lock().unwrap(), |_| {})
            .unwrap()
            .network
    }
}

impl ContentStore for World {}

impl Store for World {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        self.reach()?;
        self.store.lock().unwrap().append(record)
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        self.reach()?;
        self.store.lock().unwrap().tip()
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.reach()?;
        self.store.lock().unwrap().read_after(tip, visit)
    }
}

impl Election for World {
    fn campaign(&mut self, me: &Candidate, lease: Duration) -> Result<Leader, StoreError> {
        self.reach()?;
        if me.node == NodeId(2) {
            drop(self.door.lock().unwrap());
        }
        let now = Instant::now();
        self.seen.lock().unwrap().insert(me.node, now);
        let mut held = self.lease.lock().unwrap();
        let term = held.as_ref().map_or(0, |(leader, _)| leader.term);
        let free = held
            .as_ref()
            .is_none_or(|(leader, ends)| leader.candidate.node == me.node || *ends <= now);
        if free {
            let candidate = me.clone();
            let leader = Leader {
                candidate,
                term: term + 1,
            };
            *held = Some((leader, now + lease));
        }
        Ok(held.as_ref().expect("somebody leads").0.clone())
    }

    fn resign(&mut self, me: &Candidate) -> Result<(), StoreError> {
        self.seen.lock().unwrap().remove(&me.node);
        let mut held = self.lease.lock().unwrap();
        if let Some((leader, ends)) = held.as_mut()
            && leader.candidate.node == me.node
        {
            *ends = Instant::now();
        }
        Ok(())
    }

    fn alive(&mut self, within: Duration) -> Result<BTreeSet<NodeId>, StoreError> {
        let seen = self.seen.lock().unwrap();
        let lately = seen.iter().filter(|(_, at)| at.elapsed() < within);
        Ok(lately.map(|(node, _)| *node).collect())
    }
}

impl Transport for World {
    fn forward(&mut self, leader: &Candidate, batch: &[u8]) -> Result<u64, ForwardError> {
        let failed = |reason: &str| ForwardError {
            url: leader.url.clone(),
            reason: reason.into(),
        };
        let node = self.nodes.lock().unwrap().get(&leader.url).cloned();
        let node = node.ok_or_else(|| failed("gone"))?;
        let batch = Batch::from_bytes(batch).map_err(|error| failed(&error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let patience = Duration::from_millis(200);
        let accepted = runtime
            .unwrap()
            .block_on(async { tokio::time::timeout(patience, node.accept(batch)).await })
            .map_err(|_| failed("no answer in time"))?;
        let lost = self
            .lost_answers
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match lost {
            Ok(_) => Err(failed("the answer was lost")),
            Err(_) => accepted.map_err(|error| failed(&error.to_string())),
        }
    }
}

async fn until(journal: &Journal, reached: impl Fn(&Role) -> bool) {
    let mut journal = journal.clone();
    while !reached(&journal.role()) {
        journal.changed().await.expect("running");
    }
}

fn leads(role: &Role) -> bool {
    matches!(role, Role::Leading { .. })
}

fn ada(journal: &Journal) -> Amount {
    journal.network().available(&parsed("user:ada"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_write_one_journal() {
    let world = World::default();
    let (one, two) = (world.start(1), world.start(2));
    one.submit(founding()).await.unwrap().result.unwrap();
    for id in 1..=50 {
        let node = if id % 2 == 0 { &one } else { &two };
        let committed = node.submit(issue(id, 10)).await.unwrap();
        assert!(committed.result.is_ok());
        // What a node was told is done can be read there.
        assert!(node.network().record() >= committed.seq);
    }
    let leading = [&one, &two].into_iter().filter(|node| leads(&node.role()));
    assert_eq!(leading.count(), 1);
    for node in [&one, &two] {
        node.catch_up().await;
        let checkpoint = node.checkpoint().await.unwrap();
        let mut store = world.store.lock().unwrap();
        checkpoint.save(&mut *store, || {}).unwrap();
        let (recovered, how) = recover(&*store, |_, _| {}).unwrap();
        assert_eq!(how.saved, checkpoint.commands());
        assert_eq!(recovered, replay(&*store, |_| {}).unwrap());
    }
    one.stop().await;
    two.stop().await;
    let network = world.replayed();
    assert_eq!(
        network.available(&parsed("user:ada")),
        Amount::from_nano(500)
    );
    assert_eq!(network.commands(), 51, "each was applied once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_has_answered_the_other_shows() {
    let world = World::default();
    let (one, two) = (world.start(1), world.start(2));
    one.submit(founding()).await.unwrap().result.unwrap();
    for id in 1..=200 {
        let nodes = [&one, &two];
        let (asked, other) = (nodes[id as usize % 2], nodes[(id as usize + 1) % 2]);
        asked.submit(issue(id, 10)).await.unwrap().result.unwrap();
        other.catch_up().await;
        assert_eq!(ada(other), Amount::from_nano(id * 10));
    }
}

/// What was recorded since it read the journal, and before it took part for the first time.
#[test]
fn who_joins_shows_what_was_answered_meanwhile() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _within = runtime.enter();
    let world = World::default();
    let one = world.start(1);
    let done = |command| runtime.block_on(one.submit(command)).unwrap().result;
    done(founding()).unwrap();
    let door = world.door.lock().unwrap();
    let two = world.start(2);
    done(issue(1, 10)).unwrap();
    let mut caught_up = pin!(two.catch_up());
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(caught_up.as_mut().poll(&mut nobody).is_pending());
    drop(door);
    runtime.block_on(caught_up);
    assert_eq!(ada(&two), Amount::from_nano(10));
}

/// Who follows while the store is gone shows what it knew, rather than nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_long_for_a_store_that_is_gone() {
    let world = World::default();
    let (one, two) = (world.start(1), world.start(2));
    one.submit(founding()).await.unwrap().result.unwrap();
    one.submit(issue(1, 10)).await.unwrap().result.unwrap();
    for node in [&one, &two] {
        node.catch_up().await;
    }
    world.cut.store(true, Ordering::SeqCst);
    for node in [&one, &two] {
        node.catch_up().await;
        assert_eq!(ada(node), Amount::from_nano(10));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_no_second_payment() {
    let world = World::default();
    let one = world.start(1);
    one.submit(founding()).await.unwrap().result.unwrap();
    let two = world.start(2);
    world.lost_answers.store(3, Ordering::SeqCst);
    for id in 1..=5 {
        two.submit(issue(id, 10)).await.unwrap().result.unwrap();
    }
    assert_eq!(world.lost_answers.load(Ordering::SeqCst), 0);
    assert_eq!(ada(&two), Amount::from_nano(50));
    assert_eq!(world.replayed().commands(), 6, "each was applied once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_ends_hands_over_at_once() {
    let world = World::default();
    let one = world.start(1);
    one.submit(founding()).await.unwrap().result.unwrap();
    until(&one, leads).await;
    let two = world.start(2);
    two.submit(issue(1, 10)).await.unwrap().result.unwrap();
    one.stop().await;
    world.nodes.lock().unwrap().remove("node-1");
    two.submit(issue(2, 10)).await.unwrap().result.unwrap();
    until(&two, leads).await;
    assert!(one.submit(issue(3, 10)).await.is_err(), "it has stopped");
    assert_eq!(ada(&two), Amount::from_nano(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_was_overtaken_forgets_what_it_had_applied() {
    let world = World::default();
    let one = world.start(1);
    one.submit(founding()).await.unwrap().result.unwrap();
    until(&one, leads).await;
    // Somebody else appends behind its back, as a new leader would.
    let tip = world.store.lock().unwrap().tip().unwrap();
    let other = Record::of(tip, Timestamp(9), &[issue(77, 1_000)]);
    world.store.lock().unwrap().append(&other).unwrap();
    let committed = one.submit(issue(1, 10)).await.unwrap();
    assert_eq!((committed.result.is_ok(), committed.seq), (true, 3));
    assert_eq!(ada(&one), Amount::from_nano(1_010));
    assert_eq!(*one.network(), world.replayed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_gone_for_a_while_loses_nothing() {
    let world = World::default();
    let (one, two) = (world.start(1), world.start(2));
    one.submit(founding()).await.unwrap().result.unwrap();
    world.cut.store(true, Ordering::SeqCst);
    let waiting: Vec<_> = (1..=20)
        .map(|id| {
            let node = if id % 2 == 0 { &one } else { &two };
            node.send(issue(id, 10)).unwrap()
        })
        .collect();
    for node in [&one, &two] {
        let mut node = node.clone();
        while node.is_reachable() {
            node.changed().await.unwrap();
        }
    }
    world.cut.store(false, Ordering::SeqCst);
    for answer in waiting {
        answer.await.unwrap().result.unwrap();
    }
    assert!(one.is_reachable() && two.is_reachable());
    assert_eq!(
        world.replayed().available(&parsed("user:ada")),
        Amount::from_nano(200)
    );
    assert_eq!(world.replayed().commands(), 21, "each was applied once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_knows_who_is_lost() {
    let world = World::default();
    let one = world.start(1);
    until(&one, leads).await;
    world.seen.lock().unwrap().insert(NodeId(8), Instant::now());
    let knows = |nodes: &'static [u64]| {
        move |role: &Role| match role {
            Role::Leading { alive: Some(alive) } => {
                alive.iter().map(|node| node.0).eq(nodes.iter().copied())
            }
            _ => false,
        }
    };
    until(&one, knows(&[1])).await;
}
