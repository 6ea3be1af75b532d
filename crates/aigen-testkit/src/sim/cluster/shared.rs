use crate::sim::random::Random;
use aigen_journal::cluster::{Candidate, Leader};
use aigen_journal::{Record, Tip};
use aigen_types::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// How long a lease lasts by the store's own clock, in nanoseconds.
pub(crate) const LEASE: u64 = 5_000_000_000;

/// The store that nodes share, with the contract of PostgreSQL: a record's number is a unique
/// key, a commit is durable, and whether a commit whose connection was lost takes place, and
/// when, nobody knows until it is seen.
#[derive(Default)]
pub(crate) struct SharedStore {
    records: Vec<Record>,
    /// Commits whose connection was lost, and which may still take place.
    in_flight: Vec<Record>,
    lease: Option<(Leader, u64)>,
    seen: BTreeMap<NodeId, u64>,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is durable.
    Durable,
    /// Its number is taken, or its predecessor is not there: the journal ends here.
    Conflict(u64),
}

impl SharedStore {
    /// Appends a record that continues the last one. One that is the last already is fine.
    pub fn append(&mut self, record: &Record) -> Appended {
        let tip = self.tip();
        if record.tip() == tip {
            return Appended::Durable;
        }
        if record.check_follows(tip).is_err() {
            return Appended::Conflict(tip.seq);
        }
        self.records.push(record.clone());
        Appended::Durable
    }

    /// Takes a commit whose connection is lost before it is done.
    pub fn leave_in_flight(&mut self, record: Record) {
        self.in_flight.push(record);
    }

    /// One of the lost commits takes place, or fails without anyone being told.
    pub fn land(&mut self, random: &mut Random) -> Option<Appended> {
        if self.in_flight.is_empty() {
            return None;
        }
        let place = random.index(self.in_flight.len());
        let record = self.in_flight.swap_remove(place);
        random.chance(70).then(|| self.append(&record))
    }

    /// Where the journal ends.
    pub fn tip(&self) -> Tip {
        self.records.last().map(Record::tip).unwrap_or_default()
    }

    /// One record.
    pub fn record(&self, seq: u64) -> Option<&Record> {
        let place = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.records.get(place)
    }

    /// The records after this one.
    pub fn after(&self, seq: u64) -> Vec<Record> {
        let place = usize::try_from(seq).unwrap_or(usize::MAX);
        self.records.iter().skip(place).cloned().collect()
    }

    /// A node says that it is alive, and leads if nobody else does.
    pub fn campaign(&mut self, now: u64, me: &Candidate) -> Leader {
        self.seen.insert(me.node, now);
        let free = self
            .lease
            .as_ref()
            .is_none_or(|(leader, ends)| leader.candidate.node == me.node || *ends <= now);
        if free {
            let before = self.lease.as_ref().map(|(leader, _)| leader);
            let term = before.map_or(0, |leader| leader.term);
            let same = before.is_some_and(|leader| leader.candidate.node == me.node);
            let leader = Leader {
                candidate: me.clone(),
                term: term + u64::from(!same),
            };
            self.lease = Some((leader, now + LEASE));
        }
        let (leader, _) = self.lease.as_ref().expect("somebody leads");
        leader.clone()
    }

    /// A node leads no longer.
    pub fn resign(&mut self, now: u64, node: NodeId) {
        self.seen.remove(&node);
        if let Some((leader, ends)) = &mut self.lease
            && leader.candidate.node == node
        {
            *ends = now;
        }
    }

    /// Nodes heard of since `since`.
    pub fn alive(&self, since: u64) -> BTreeSet<NodeId> {
        let lately = self.seen.iter().filter(|(_, at)| **at >= since);
        lately.map(|(node, _)| *node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aigen_network::Command;
    use aigen_types::Timestamp;

    fn record(tip: Tip, time: u64) -> Record {
        Record::of(tip, Timestamp(time), &[Command::FreezeCommits])
    }

    #[test]
    fn a_number_is_given_once() {
        let mut store = SharedStore::default();
        let (one, other) = (record(Tip::default(), 1), record(Tip::default(), 2));
        assert_eq!(store.append(&one), Appended::Durable);
        assert_eq!(store.append(&one), Appended::Durable, "the same again");
        assert_eq!(store.append(&other), Appended::Conflict(1));
        assert_eq!(store.append(&record(other.tip(), 3)), Appended::Conflict(1));
        assert_eq!(store.after(0), [one]);
    }

    #[test]
    fn a_lost_commit_lands_once_or_never_and_never_over_another() {
        let outcomes: BTreeSet<_> = (0..50)
            .map(|seed| {
                let mut store = SharedStore::default();
                store.leave_in_flight(record(Tip::default(), 1));
                if seed % 2 == 0 {
                    store.append(&record(Tip::default(), 2));
                }
                let mut random = Random::new(seed);
                store.land(&mut random);
                assert_eq!(store.land(&mut random), None, "it is no longer in flight");
                store
                    .after(0)
                    .iter()
                    .map(|record| record.timestamp.0)
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(outcomes, [vec![], vec![1], vec![2]].into());
    }

    #[test]
    fn one_leads_until_its_lease_ends() {
        let candidate = |node| Candidate {
            node: NodeId(node),
            url: format!("node-{node}"),
            secret: String::new(),
        };
        let mut store = SharedStore::default();
        let mut leads = |now, node| {
            let leader = store.campaign(now, &candidate(node));
            (leader.candidate.node.0, leader.term)
        };
        assert_eq!(leads(0, 1), (1, 1));
        assert_eq!(leads(LEASE - 1, 2), (1, 1));
        assert_eq!(leads(LEASE - 1, 1), (1, 1), "renewed");
        assert_eq!(leads(2 * LEASE - 1, 2), (2, 2));
        assert_eq!(leads(2 * LEASE, 1), (2, 2));
        store.resign(2 * LEASE, NodeId(2));
        assert_eq!(store.campaign(2 * LEASE, &candidate(1)).term, 3);
        assert_eq!(store.alive(2 * LEASE), [NodeId(1)].into());
    }
}
