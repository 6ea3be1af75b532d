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
/// A snapshot costs as much as the whole state, so a journal has to double before the next one: the cost per
/// command stays bounded, however long it becomes, and so does what a start replays of it.
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
    commands.saturating_sub(saved) >= commands_min.max(saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_due_when_the_journal_has_doubled() {
        for (commands, saved, due) in [
            (99, 0, false),
            (100, 0, true),
            (130, 40, false),
            (140, 40, true),
            (1_999, 1_000, false),
            (2_000, 1_000, true),
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
