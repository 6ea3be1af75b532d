//! Snapshots while a node runs, so that the next start replays little.

use aigen_node::{LedgerRole, Node};
use anyhow::Result;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

/// How often growth is looked at, which takes no longer than reading a number.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// See [`pace`]: a fifth of the disk's time is the snapshot's.
const REST: u32 = 4;

/// It rests no longer than this, whatever kept it from writing: who ends the node waits so long for it.
const REST_MAX: Duration = Duration::from_millis(100);

/// Opens the journal's store beside the connection that appends.
pub type Open = aigen_node::OpenStore;

/// Saves snapshots as the journal grows by `commands_min` and more beyond those `saved`, until the task is
/// ended. A follower leaves it to the leader.
///
/// One is as long as the whole past, so a journal has to become four times as long before the next one: the cost per
/// command stays bounded, however long it becomes.
pub async fn keep(node: Node, open: Open, commands_min: u64, mut saved: u64) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let commands = node.network().commands();
        let follows = matches!(node.role(), LedgerRole::Following { .. });
        if follows || !is_due(commands, saved, commands_min) {
            continue;
        }
        saved = commands;
        match save(&node, &open).await {
            Ok(record) => tracing::info!(record, "saved a snapshot"),
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "no snapshot could be saved; the next start replays more"
            ),
        }
    }
}

/// Of the state as it is; gives its record. It is written while the node goes on.
async fn save(node: &Node, open: &Open) -> Result<u64> {
    let checkpoint = node.checkpoint().await?;
    let open = Arc::clone(open);
    let waited_for = Arc::new(());
    let pace = pace(Arc::downgrade(&waited_for));
    let saved = spawn_blocking(move || {
        checkpoint.save(open()?.as_mut(), pace)?;
        Ok(checkpoint.tip().seq)
    });
    let saved = saved.await?;
    // Until here, or until this is dropped with whoever waited.
    drop(waited_for);
    saved
}

/// Between two parts it rests as many times as long as the last one took, so that who appends records finds the store
/// free; not once nobody waits any more, because the node ends.
fn pace(waited_for: Weak<()>) -> impl FnMut() {
    let mut began = Instant::now();
    move || {
        if waited_for.strong_count() > 0 {
            thread::sleep((began.elapsed() * REST).min(REST_MAX));
        }
        began = Instant::now();
    }
}

fn is_due(commands: u64, saved: u64, commands_min: u64) -> bool {
    commands.saturating_sub(saved) >= commands_min.max(saved.saturating_mul(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_due_when_the_journal_is_four_times_as_long() {
        for (commands, saved, due) in [
            (99, 0, false),
            (100, 0, true),
            (129, 30, false),
            (130, 30, true),
            (3_999, 1_000, false),
            (4_000, 1_000, true),
            // Of a state that another node of the same journal is ahead of.
            (900, 1_000, false),
        ] {
            assert_eq!(
                is_due(commands, saved, 100),
                due,
                "{commands} after {saved}"
            );
        }
    }
}
