use super::{Candidate, Election, Leader, Membership, Pace, Timing, Transport};
use crate::batch::Batch;
use crate::pulse::Pulse;
use crate::queue::{Forwarded, Inbox, NotLeading, Own, Queued, Reply, Role, Taken};
use crate::record::{Origin, Record};
use crate::replay::Answer;
use crate::replica::{Applied, Replica};
use crate::store::StoreError;
use aigen_types::{NodeId, Timestamp};
use crossbeam_channel::RecvTimeoutError;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long to wait before something that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// How long store or leader may be silent before new commands are refused.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(1);

/// One node of a cluster: the thread that owns its replica.
pub(crate) struct Member {
    replica: Replica,
    me: Candidate,
    election: Box<dyn Election>,
    transport: Box<dyn Transport>,
    timing: Timing,
    inbox: Inbox,
    now: Box<dyn FnMut() -> Timestamp + Send>,
    pulse: Pulse,
    leader: Option<Leader>,
    /// When leading ends if it is not renewed; from before the lease was asked for.
    lease_ends: Instant,
    renew_at: Instant,
    /// Since when every campaign has succeeded.
    steady_since: Option<Instant>,
    /// When store and leader last did what was asked of them.
    heard_at: Instant,
    /// Batches of this node so far.
    batches: u64,
    /// This node's batch that is under way, and what became of it.
    under_way: Option<UnderWay>,
    /// Last, so that a simulator sees the node end when all else has.
    pace: Box<dyn Pace>,
}

#[derive(Debug)]
struct UnderWay {
    origin: Origin,
    written: Option<Written>,
}

/// A record, and what the network said to this node's commands in it.
type Written = (u64, Vec<Answer>);

impl Member {
    pub fn new(
        replica: Replica,
        membership: Membership,
        inbox: Inbox,
        now: Box<dyn FnMut() -> Timestamp + Send>,
        pulse: Pulse,
    ) -> Self {
        let Membership {
            me,
            election,
            transport,
            timing,
            pace,
        } = membership;
        let started = pace.now();
        Self {
            replica,
            me,
            election,
            transport,
            timing,
            inbox,
            now,
            pulse,
            leader: None,
            lease_ends: started,
            renew_at: started,
            steady_since: None,
            heard_at: started,
            batches: 0,
            under_way: None,
            pace,
        }
    }

    /// Leads or follows until told to stop.
    pub fn run(mut self) -> Result<(), StoreError> {
        let ended = self.take_part();
        self.inbox.close();
        // Nothing of this node is under way any more, so another may lead at once. One that
        // cannot be told will see the lease end.
        let _ = self.election.resign(&self.me);
        let done = ended?;
        drop(self);
        drop(done);
        Ok(())
    }

    fn take_part(&mut self) -> Result<oneshot::Sender<()>, StoreError> {
        loop {
            self.campaign_if_due()?;
            if !self.leads() {
                self.follow()?;
            }
            if let Some(first) = self.wait()? {
                let taken = Taken::with(first, &self.inbox);
                let stop = self.serve(taken)?;
                if let Some(done) = stop {
                    return Ok(done);
                }
            }
        }
    }

    /// The next item, or nothing when something else is due first.
    fn wait(&mut self) -> Result<Option<Queued>, StoreError> {
        let until_renewal = self.renew_at.saturating_duration_since(self.pace.now());
        let patience = if self.leads() {
            until_renewal
        } else {
            until_renewal.min(self.timing.poll)
        };
        let patience = self.pace.idle(patience);
        match self.inbox.recv_timeout(patience) {
            Ok(item) => Ok(Some(item)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            // Every door is closed, so nobody is left to tell us to stop.
            Err(RecvTimeoutError::Disconnected) => Ok(Some(Queued::Stop(oneshot::channel().0))),
        }
    }

    /// Writes what was taken, as leader or through the leader.
    fn serve(&mut self, taken: Taken) -> Result<Option<oneshot::Sender<()>>, StoreError> {
        let Taken {
            own,
            mut forwarded,
            behind,
            checkpoints,
            stop,
        } = taken;
        let (own, asked) = self.merge(own);
        if self.leads() {
            self.lead(own.as_ref(), std::mem::take(&mut forwarded))?;
        }
        // Whoever forwarded these asks the store who leads, and sends them there.
        for Forwarded { reply, .. } in forwarded {
            let _ = reply.send(Err(NotLeading));
        }
        if let Some(own) = own {
            let (seq, answers) = self.see_written(&own)?;
            answer(asked, seq, &answers);
        }
        self.bring_up(behind)?;
        for reply in checkpoints {
            let _ = reply.send(self.replica.checkpoint());
        }
        Ok(stop)
    }

    /// Answers those who want to see what others have appended by now.
    fn bring_up(&mut self, behind: Vec<oneshot::Sender<()>>) -> Result<(), StoreError> {
        if !behind.is_empty() && !self.leads() {
            self.follow()?;
        }
        for reply in behind {
            let _ = reply.send(());
        }
        Ok(())
    }

    /// This node's commands as its next batch, and who asked for which of them.
    fn merge(&mut self, own: Vec<Own>) -> (Option<Batch>, Vec<Asked>) {
        let mut merged: Option<Batch> = None;
        let mut asked = Vec::with_capacity(own.len());
        for Own { batch, reply, .. } in own {
            let from = merged.as_ref().map_or(0, |merged| merged.commands().len());
            let commands = from..from + batch.commands().len();
            asked.push(Asked { commands, reply });
            match &mut merged {
                Some(merged) => merged.append(batch),
                None => merged = Some(batch),
            }
        }
        let merged = merged.map(|batch| self.number(batch));
        (merged, asked)
    }

    fn number(&mut self, batch: Batch) -> Batch {
        self.batches += 1;
        let batch = batch.from_node(self.me.node, self.batches);
        self.under_way = batch.origin().map(|origin| UnderWay {
            origin,
            written: None,
        });
        batch
    }

    /// Applies and appends as leader. If this node turns out to lead no longer, nothing of it
    /// was written.
    fn lead(&mut self, own: Option<&Batch>, forwarded: Vec<Forwarded>) -> Result<(), StoreError> {
        let (batches, waiting) = self.unwritten(own, forwarded);
        if batches.is_empty() {
            return Ok(());
        }
        let Applied { record, answers } = self.replica.apply((self.now)(), &batches);
        let outcome = if self.append(&record)? {
            self.note_written(record.seq, &batches, answers);
            Ok(record.seq)
        } else {
            Err(NotLeading)
        };
        for reply in waiting {
            let _ = reply.send(outcome);
        }
        Ok(())
    }

    /// What has to be written, and who waits for it. A batch that was written before is
    /// answered at once.
    fn unwritten(
        &self,
        own: Option<&Batch>,
        forwarded: Vec<Forwarded>,
    ) -> (Vec<Batch>, Vec<oneshot::Sender<Result<u64, NotLeading>>>) {
        let record_of = |batch: &Batch| {
            batch
                .origin()
                .and_then(|origin| self.replica.holds(&origin))
        };
        let own = own.filter(|own| record_of(own).is_none());
        let mut batches: Vec<Batch> = own.cloned().into_iter().collect();
        let mut waiting = Vec::new();
        for Forwarded { batch, reply } in forwarded {
            if let Some(record) = record_of(&batch) {
                let _ = reply.send(Ok(record));
                continue;
            }
            waiting.push(reply);
            // One that was sent twice is written once and answered twice.
            if batches.iter().all(|taken| taken.origin() != batch.origin()) {
                batches.push(batch);
            }
        }
        (batches, waiting)
    }

    fn note_written(&mut self, seq: u64, batches: &[Batch], answers: Vec<Vec<Answer>>) {
        let Some(under_way) = &mut self.under_way else {
            return;
        };
        let own = |batch: &Batch| batch.origin() == Some(under_way.origin);
        if let Some((_, answers)) = batches.iter().zip(answers).find(|(batch, _)| own(batch)) {
            under_way.written = Some((seq, answers));
        }
    }

    /// Appends what was just applied, however long the store cannot be reached. `false` if
    /// another node has appended: then the state was recovered without it.
    fn append(&mut self, record: &Record) -> Result<bool, StoreError> {
        loop {
            match self.replica.append(record) {
                Ok(()) => {
                    self.heard();
                    self.inbox
                        .shown
                        .send_modify(|shown| shown.tip = record.tip());
                    return Ok(true);
                }
                Err(StoreError::Unreachable(_)) => {
                    self.silence();
                    self.show_role();
                }
                Err(StoreError::Conflict(_)) => break,
                Err(error) => return Err(error),
            }
        }
        self.leader = None;
        self.renew_at = self.pace.now();
        self.show_role();
        self.reload()?;
        Ok(false)
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        loop {
            let under_way = &mut self.under_way;
            let reloaded = self.replica.reload(|record, answers| {
                note_followed(under_way, record, answers);
            });
            match reloaded {
                Ok(_) => break,
                Err(StoreError::Unreachable(_)) => self.silence(),
                Err(error) => return Err(error),
            }
        }
        let tip = self.replica.tip();
        self.inbox.shown.send_modify(|shown| {
            shown.tip = tip;
            shown.generation += 1;
        });
        Ok(())
    }

    /// Has this node's batch written by whoever leads, this node itself if it comes to that,
    /// and waits until it stands in the journal.
    fn see_written(&mut self, own: &Batch) -> Result<Written, StoreError> {
        loop {
            if let Some(written) = self.under_way.as_mut().and_then(|own| own.written.take()) {
                self.under_way = None;
                return Ok(written);
            }
            self.campaign_if_due()?;
            if self.leads() {
                self.lead(Some(own), Vec::new())?;
            } else if self.forward(own) {
                self.follow()?;
            } else {
                self.silence();
                self.follow()?;
            }
        }
    }

    /// Asks the leader to write a batch. It may have been written whatever the answer: the
    /// journal tells.
    fn forward(&mut self, own: &Batch) -> bool {
        // A lease that was over before its answer came makes no leader, not even of this node,
        // which would wait here for itself.
        let other = |leader: &&Leader| leader.candidate.node != self.me.node;
        let leader = self.leader.as_ref().filter(other);
        let (Some(leader), Some(bytes)) = (leader, own.to_bytes()) else {
            return false;
        };
        let forwarded = self.transport.forward(&leader.candidate, &bytes);
        if forwarded.is_err() {
            // It may lead no longer: the store is asked before it is.
            self.renew_at = self.pace.now();
        }
        forwarded.is_ok()
    }

    /// Applies what others have appended.
    fn follow(&mut self) -> Result<(), StoreError> {
        let under_way = &mut self.under_way;
        let followed = self.replica.catch_up(|record, answers| {
            note_followed(under_way, record, answers);
        });
        match followed {
            Ok(0) => {}
            Ok(_) => {
                let tip = self.replica.tip();
                self.inbox.shown.send_modify(|shown| shown.tip = tip);
            }
            Err(StoreError::Unreachable(_)) => {
                self.silence();
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if self.leader.is_some() {
            self.heard();
        }
        Ok(())
    }

    fn leads(&self) -> bool {
        let elected = self
            .leader
            .as_ref()
            .is_some_and(|leader| leader.candidate.node == self.me.node);
        elected && self.pace.now() < self.lease_ends
    }

    fn campaign_if_due(&mut self) -> Result<(), StoreError> {
        self.pulse.beat();
        let asked = self.pace.now();
        if asked < self.renew_at {
            return Ok(());
        }
        let led = self.leads();
        match self.election.campaign(&self.me, self.timing.lease) {
            Ok(leader) => {
                self.leader = Some(leader);
                self.lease_ends = asked + self.timing.lease;
                self.renew_at = asked + self.timing.renewal();
                self.steady_since.get_or_insert(asked);
            }
            Err(StoreError::Unreachable(_)) => {
                self.steady_since = None;
                self.renew_at = asked + RETRY_AFTER;
                self.silence();
            }
            Err(error) => return Err(error),
        }
        if self.leads() && !led {
            // Whatever the leader before has written comes first.
            self.follow()?;
        }
        self.show_role();
        Ok(())
    }

    /// Nodes heard of lately; nothing while this one has not watched for long enough itself.
    fn alive(&mut self) -> Option<Arc<BTreeSet<NodeId>>> {
        let lost = self.timing.lost();
        if self.pace.now() < self.steady_since? + lost {
            return None;
        }
        self.election.alive(lost).ok().map(Arc::new)
    }

    fn show_role(&mut self) {
        let role = if self.leads() {
            Role::Leading {
                alive: self.alive(),
            }
        } else {
            let leader = self.leader.as_ref();
            let leader = leader.filter(|leader| leader.candidate.node != self.me.node);
            Role::Following {
                leader: leader.map(|leader| leader.candidate.url.as_str().into()),
            }
        };
        self.inbox.shown.send_if_modified(|shown| {
            let changed = shown.role != role;
            shown.role = role;
            changed
        });
    }

    fn heard(&mut self) {
        self.heard_at = self.pace.now();
        self.show_reach(true);
    }

    /// Something did not answer: waits a little, and says so when it has lasted.
    fn silence(&mut self) {
        self.pulse.beat();
        if self.pace.now() > self.heard_at + SILENCE_MAX {
            self.show_reach(false);
        }
        self.pace.sleep(RETRY_AFTER);
    }

    fn show_reach(&self, reachable: bool) {
        let reachable = Some(reachable);
        self.inbox.shown.send_if_modified(|shown| {
            std::mem::replace(&mut shown.reachable, reachable) != reachable
        });
    }
}

/// Which of a batch's commands somebody asked for.
#[derive(Debug)]
struct Asked {
    commands: Range<usize>,
    reply: Reply,
}

fn answer(asked: Vec<Asked>, seq: u64, answers: &[Answer]) {
    for Asked { commands, reply } in asked {
        reply.send(seq, answers[commands].iter().cloned());
    }
}

/// If the batch under way stands in this record, takes note of what became of it.
fn note_followed(under_way: &mut Option<UnderWay>, record: &Record, answers: &[Answer]) {
    let Some(UnderWay { origin, written }) = under_way else {
        return;
    };
    let mut before = 0;
    for held in &record.origins {
        let count = usize::try_from(held.count).expect("32 bits fit");
        if held == origin {
            *written = Some((record.seq, answers[before..before + count].to_vec()));
        }
        before += count;
    }
}
