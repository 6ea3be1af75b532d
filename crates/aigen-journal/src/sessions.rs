use crate::codec::record;
use crate::record::{Origin, Record};
use aigen_types::NodeId;
use std::collections::BTreeMap;

/// Nodes remembered. One is forgotten once so many others have written after it, long after
/// it stopped asking.
const SESSIONS_MAX: usize = 1_024;

/// The last batch that the journal holds of each node.
///
/// A node sends one batch at a time and counts them, so this is enough to know whether a batch
/// whose answer was lost is in the journal, and to never write it twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    last: BTreeMap<NodeId, Session>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Session {
    batch: u64,
    /// The record that holds it.
    record: u64,
}

record!(Sessions { last });
record!(Session { batch, record });

impl Sessions {
    /// The record that holds this batch, or a later one of the same node.
    #[must_use]
    pub fn holds(&self, node: NodeId, batch: u64) -> Option<u64> {
        let session = self.last.get(&node)?;
        (session.batch >= batch).then_some(session.record)
    }

    /// Takes note of the batches in this record.
    pub(crate) fn note_all(&mut self, record: &Record) {
        for origin in &record.origins {
            self.note(origin, record.seq);
        }
    }

    fn note(&mut self, origin: &Origin, record: u64) {
        let batch = origin.batch;
        self.last.insert(origin.node, Session { batch, record });
        if self.last.len() > SESSIONS_MAX {
            let oldest = self.last.iter().min_by_key(|(_, session)| session.record);
            if let Some(node) = oldest.map(|(node, _)| *node) {
                self.last.remove(&node);
            }
        }
    }
}
