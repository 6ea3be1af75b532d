//! Snapshots while a node runs, so that the next start replays little.

use aigen_journal::take_snapshot;
use aigen_node::{LedgerRole, Node};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How often growth is looked at, which takes no longer than reading a number.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Opens the journal's store beside the connection that appends.
pub type Open = aigen_node::OpenStore;

/// Saves snapshots as the journal grows by `commands_min` and more beyond those `saved`, until the task is
/// ended. A follower leaves it to the leader.
///
/// A snapshot costs as much as the whole state, so a journal has to become four times as long before the next one:
/// the cost per command stays bounded, however long it becomes. Of a call 15 µs were for reading it from a snapshot,
/// 23 for replaying it and 7 for writing it into one (112,000 calls, beside a build). So a call costs 15 / 3 + 23 + 7 * 4 / 3 = 37 µs in snapshots,
/// where twice as long would be 52, and a start takes at most 15 / 4 + 23 * 3 / 4 = 21 µs for one, where it would be 19.
pub async fn keep(node: Node, open: Open, commands_min: u64, mut saved: u64) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let commands = node.network().commands();
        let follows = matches!(node.role(), LedgerRole::Following { .. });
        if follows || !is_due(commands, saved, commands_min) {
            continue;
        }
        saved = commands;
        let open = Arc::clone(&open);
        let taken = spawn_blocking(move || take_snapshot(open()?.as_mut()));
        match taken.await {
            Ok(Ok(tip)) => tracing::info!(record = tip.seq, "saved a snapshot"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "no snapshot could be saved; the next start replays more")
            }
            Err(error) => tracing::error!(%error, "saving a snapshot failed"),
        }
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
