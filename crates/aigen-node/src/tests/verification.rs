//! A running node's journal, verified beside it.

use super::World;
use crate::components::OpenStore;
use crate::{NodeError, Verified};
use aigen_journal::{MemoryStore, Store, StoreError};
use std::sync::Arc;

/// What came of it, in a line.
async fn outcome(store: OpenStore) -> String {
    let world = World::new(1_000).await;
    world.node.verify_from(store);
    assert_eq!(world.node.verified(), Verified::Never);
    world.node.begin_verifying().unwrap();
    loop {
        match world.node.verified() {
            Verified::Never => return "it has not begun".to_owned(),
            Verified::Running { .. } => tokio::task::yield_now().await,
            Verified::Done { records, found, .. } => {
                let found = found.map(|found| found.records);
                return format!("{records} read, {found:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_whole_is_sound() {
    let empty: OpenStore = Arc::new(|| Ok(Box::new(MemoryStore::default())));
    assert_eq!(outcome(empty).await, "0 read, Ok(0)");
}

#[tokio::test]
async fn a_snapshot_of_records_that_are_not_there_is_damage() {
    let damaged: OpenStore = Arc::new(|| {
        let mut store = MemoryStore::default();
        store.save_snapshot(7, b"of what?")?;
        Ok(Box::new(store))
    });
    let found = outcome(damaged).await;
    assert!(
        found.starts_with("0 read, Err(\"the snapshot after record 7"),
        "{found}"
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_told() {
    let closed: OpenStore = Arc::new(|| Err(StoreError::Conflict(3)));
    let found = outcome(closed).await;
    assert!(found.starts_with("0 read, Err("), "{found}");
}

#[tokio::test]
async fn a_journal_with_one_door_is_not_verified_beside_its_node() {
    let world = World::new(1_000).await;
    let refused = world.node.begin_verifying();
    assert!(
        matches!(refused, Err(NodeError::Unverifiable)),
        "{refused:?}"
    );
    assert_eq!(world.node.verified(), Verified::Never);
}
