use super::stage::{Actor, Stage};
use aigen_journal::cluster::{Candidate, Election, ForwardError, Leader, Pace, Transport};
use aigen_journal::{ContentStore, Record, Store, StoreError, Tip};
use aigen_types::NodeId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a node wants of the world.
#[derive(Clone)]
pub(crate) enum Question {
    Append(Record),
    Tip,
    TipAt(u64),
    ReadAfter(u64),
    Campaign(Candidate),
    Resign(NodeId),
    Alive(Duration),
    Forward { url: String, batch: Vec<u8> },
    Sleep(Duration),
    Idle(Duration),
}

/// What it gets.
pub(crate) enum Answer {
    Done,
    Conflict(u64),
    Unreachable,
    Tip(Option<Tip>),
    Records(Vec<Record>),
    Leader(Leader),
    Alive(BTreeSet<NodeId>),
    Written(u64),
    NotTaken,
}

/// One node's way to everything outside of it.
#[derive(Clone)]
pub(crate) struct Port {
    pub actor: Actor,
    pub stage: Stage<Question, Answer>,
    /// Nanoseconds on this node's own clock.
    pub clock: Arc<AtomicU64>,
    /// What its clock calls zero.
    pub began: Instant,
}

impl Port {
    fn ask(&self, question: Question) -> Answer {
        self.stage.ask(self.actor, question)
    }
}

fn unreachable() -> StoreError {
    StoreError::Unreachable("the connection was lost".into())
}

impl ContentStore for Port {}

impl Store for Port {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        match self.ask(Question::Append(record.clone())) {
            Answer::Done => Ok(()),
            Answer::Conflict(seq) => Err(StoreError::Conflict(seq)),
            _ => Err(unreachable()),
        }
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        match self.ask(Question::Tip) {
            Answer::Tip(tip) => Ok(tip.unwrap_or_default()),
            _ => Err(unreachable()),
        }
    }

    fn tip_at(&self, seq: u64) -> Result<Option<Tip>, StoreError> {
        match self.ask(Question::TipAt(seq)) {
            Answer::Tip(tip) => Ok(tip),
            _ => Err(unreachable()),
        }
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Answer::Records(records) = self.ask(Question::ReadAfter(tip.seq)) else {
            return Err(unreachable());
        };
        let mut last = tip;
        for record in records {
            let follows = record.check_follows(last);
            follows.map_err(|error| StoreError::of_record(last.seq + 1, error))?;
            last = record.tip();
            visit(record)?;
        }
        Ok(())
    }

    fn save_snapshot_parts(
        &mut self,
        _: u64,
        _: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        Ok(Vec::new())
    }

    fn visit_snapshot(&self, _: u64, _: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Election for Port {
    fn campaign(&mut self, me: &Candidate, _: Duration) -> Result<Leader, StoreError> {
        match self.ask(Question::Campaign(me.clone())) {
            Answer::Leader(leader) => Ok(leader),
            _ => Err(unreachable()),
        }
    }

    fn resign(&mut self, me: &Candidate) -> Result<(), StoreError> {
        match self.ask(Question::Resign(me.node)) {
            Answer::Done => Ok(()),
            _ => Err(unreachable()),
        }
    }

    fn alive(&mut self, within: Duration) -> Result<BTreeSet<NodeId>, StoreError> {
        match self.ask(Question::Alive(within)) {
            Answer::Alive(nodes) => Ok(nodes),
            _ => Err(unreachable()),
        }
    }
}

impl Transport for Port {
    fn forward(&mut self, leader: &Candidate, batch: &[u8]) -> Result<u64, ForwardError> {
        let url = leader.url.clone();
        let batch = batch.to_vec();
        match self.ask(Question::Forward { url, batch }) {
            Answer::Written(seq) => Ok(seq),
            _ => Err(ForwardError {
                url: leader.url.clone(),
                reason: "no answer".into(),
            }),
        }
    }
}

/// The port that a node ends with: when it is dropped, the node's thread asks no more.
pub(crate) struct LastPort(pub Port);

impl Pace for LastPort {
    fn now(&self) -> Instant {
        self.0.began + Duration::from_nanos(self.0.clock.load(Ordering::SeqCst))
    }

    fn sleep(&mut self, time: Duration) {
        self.0.ask(Question::Sleep(time));
    }

    fn idle(&mut self, time: Duration) -> Duration {
        self.0.ask(Question::Idle(time));
        Duration::ZERO
    }
}

impl Drop for LastPort {
    fn drop(&mut self) {
        self.0.stage.leave(self.0.actor);
    }
}
