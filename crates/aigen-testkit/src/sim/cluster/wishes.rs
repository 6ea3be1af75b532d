use super::Cluster;
use super::node::{Node, Pending, poll, url};
use super::port::{Answer, Question};
use super::shared::Appended;
use super::stage::Actor;
use aigen_journal::{Batch, NotLeading, Record};
use aigen_types::NodeId;

/// How long a node waits for its leader's answer, in nanoseconds.
const FORWARD_PATIENCE: u64 = 2_000_000_000;

/// What nodes ask of the world, and what they get.
impl Cluster<'_> {
    /// Lets one of the nodes go on that can.
    pub(super) fn resume_one(&mut self) {
        let ready = |(actor, node): (&Actor, &Node)| self.is_ready(*actor, node).then_some(*actor);
        let ready: Vec<Actor> = self.nodes.iter().filter_map(ready).collect();
        if ready.is_empty() {
            return self.pass();
        }
        let actor = *self.random.pick(&ready);
        let Some(question) = self.stage.look(actor, Question::clone) else {
            return;
        };
        if let Some(answer) = self.grant(actor, question) {
            self.stage.answer(actor, Some(answer));
            self.settle(actor);
        }
    }

    fn is_ready(&self, actor: Actor, node: &Node) -> bool {
        let due = |question: &Question| match question {
            Question::Sleep(time) => node.time() >= node.waits_since + nanos(*time),
            Question::Idle(time) => node.nudged || node.time() >= node.waits_since + nanos(*time),
            _ => true,
        };
        !node.paused && self.stage.look(actor, due).unwrap_or(false)
    }

    /// After a node's turn: it waits for something else, has recovered, or has ended.
    pub(super) fn settle(&mut self, actor: Actor) {
        let Some(node) = self.nodes.get_mut(&actor) else {
            return;
        };
        node.waits_since = node.time();
        node.waits_since_world = self.now;
        // A node that recovers reads; the first thing that one does which has is to campaign.
        let recovers = |question: &Question| {
            matches!(
                question,
                Question::Tip | Question::TipAt(_) | Question::ReadAfter(_)
            )
        };
        let asks = self.stage.look(actor, recovers);
        let recovers = node.journal.is_none() && asks == Some(true);
        if !recovers && (node.take_door().is_none() || asks.is_none()) {
            self.trace.say(format!("node {actor} has ended"));
            self.forget(actor);
        }
    }

    /// The answer, unless it is not there yet.
    fn grant(&mut self, actor: Actor, question: Question) -> Option<Answer> {
        match question {
            Question::Sleep(_) | Question::Idle(_) => {
                self.nodes
                    .entry(actor)
                    .and_modify(|node| node.nudged = false);
                return Some(Answer::Done);
            }
            Question::Forward { url, batch } => return self.forward(actor, &url, &batch),
            _ => {}
        }
        if self.nodes.get(&actor).is_some_and(|node| node.cut) {
            return Some(Answer::Unreachable);
        }
        if let Question::Append(record) = question {
            return Some(self.append(actor, record));
        }
        let lost = self.trouble(3);
        let answer = self.ask_store(question);
        Some(if lost { Answer::Unreachable } else { answer })
    }

    fn ask_store(&mut self, question: Question) -> Answer {
        match question {
            Question::Tip => Answer::Tip(Some(self.store.tip())),
            Question::TipAt(seq) => Answer::Tip(self.store.record(seq).map(Record::tip)),
            Question::ReadAfter(seq) => Answer::Records(self.store.after(seq)),
            Question::Campaign(me) => Answer::Leader(self.store.campaign(self.now, &me)),
            Question::Resign(node) => {
                self.store.resign(self.now, node);
                Answer::Done
            }
            Question::Alive(within) => {
                let since = self.now.saturating_sub(nanos(within));
                Answer::Alive(self.store.alive(since))
            }
            _ => Answer::Done,
        }
    }

    /// A commit is done, refused, or its connection is lost: before it, after it, or during it.
    fn append(&mut self, actor: Actor, record: Record) -> Answer {
        let seq = record.seq;
        let outcome = if self.trouble(10) {
            self.random.below(3)
        } else {
            3
        };
        let (answer, words) = match outcome {
            0 => (Answer::Unreachable, "lost before it is done".into()),
            1 => {
                self.store.leave_in_flight(record);
                (Answer::Unreachable, "lost, and may be done yet".into())
            }
            _ => {
                let mut appended = self.store.append(&record);
                if self.bugs.yes_to_both {
                    appended = Appended::Durable;
                }
                match (outcome, appended) {
                    (2, _) => (Answer::Unreachable, format!("{appended:?}, answer lost")),
                    (_, Appended::Durable) => (Answer::Done, "durable".into()),
                    (_, Appended::Conflict(tip)) => (Answer::Conflict(tip), "conflict".into()),
                }
            }
        };
        self.trace
            .say(format!("node {actor} appends record {seq}: {words}"));
        answer
    }

    /// The batch reaches its leader, or not; the answer comes when the leader has it, or never.
    fn forward(&mut self, actor: Actor, leader: &str, batch: &[u8]) -> Option<Answer> {
        let sent = self.nodes.get_mut(&actor)?.forwarding.take();
        let sent = sent.or_else(|| self.deliver(actor, leader, batch));
        let Some(mut sent) = sent else {
            return Some(Answer::NotTaken);
        };
        let answer = poll(&mut sent);
        let late = self.now > self.nodes.get(&actor)?.waits_since_world + FORWARD_PATIENCE;
        if self.trouble(if answer.is_some() { 8 } else { 2 }) || late {
            // The leader may write it all the same.
            self.trace
                .say(format!("node {actor} waits no longer for {leader}"));
            return Some(Answer::NotTaken);
        }
        match answer {
            Some(Ok(seq)) => Some(Answer::Written(seq)),
            Some(Err(_)) => Some(Answer::NotTaken),
            None => {
                self.nodes.get_mut(&actor)?.forwarding = Some(sent);
                None
            }
        }
    }

    fn deliver(
        &mut self,
        actor: Actor,
        leader: &str,
        batch: &[u8],
    ) -> Option<Pending<Result<u64, NotLeading>>> {
        let lost = self.trouble(5);
        self.trace.say(format!("node {actor} forwards to {leader}"));
        let twice = self.trouble(5);
        let batch = Batch::from_bytes(batch).ok().filter(|_| !lost)?;
        let mut nodes = self.nodes.iter_mut();
        let (_, leader) = nodes.find(|(actor, _)| url(**actor) == leader)?;
        if twice {
            let mut other = batch.clone();
            if let (true, Some(origin)) = (self.bugs.forgets_whose, batch.origin()) {
                other = other.from_node(NodeId(u64::MAX), origin.batch);
            }
            // Nobody waits for the answer to the second one.
            drop(leader.take_batch(other));
        }
        leader.take_batch(batch)
    }

    /// Whether something goes wrong now, in `percent` of 100 cases.
    fn trouble(&mut self, percent: u64) -> bool {
        let strikes = !self.healing && self.random.chance(percent);
        self.report.faults += u64::from(strikes);
        strikes
    }
}

fn nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
