use super::link::Link;
use crate::cluster::{Candidate, Election, Leader};
use crate::store::StoreError;
use aigen_types::NodeId;
use std::collections::BTreeSet;
use std::time::Duration;

/// The lease, by the database's clock: nodes need not agree on the time.
const CAMPAIGN: &str = "
    INSERT INTO aigen_leader AS held (id, term, node, url, secret, expires_at)
    VALUES (1, 1, $1, $2, $3, clock_timestamp() + $4::float8 * interval '1 millisecond')
    ON CONFLICT (id) DO UPDATE SET
        term = held.term + CASE WHEN held.node = excluded.node THEN 0 ELSE 1 END,
        node = excluded.node,
        url = excluded.url,
        secret = excluded.secret,
        expires_at = excluded.expires_at
    WHERE held.node = excluded.node OR held.expires_at < clock_timestamp()";

const SEEN: &str = "
    INSERT INTO aigen_node (node, seen_at) VALUES ($1, clock_timestamp())
    ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at";

/// Elects a leader in the journal's database, through a connection of its own.
#[derive(Debug)]
pub struct PostgresElection {
    link: Link,
}

impl PostgresElection {
    /// Connects to the database of an opened journal.
    ///
    /// # Errors
    /// As [`super::PostgresStore::open`].
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let mut link = Link::new(url)?;
        link.begin(true)?;
        Ok(Self { link })
    }
}

impl Election for PostgresElection {
    fn campaign(&mut self, me: &Candidate, lease: Duration) -> Result<Leader, StoreError> {
        let node = me.node.0.cast_signed();
        let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX) as f64;
        let row = self.link.ask(|client| {
            client.execute(SEEN, &[&node])?;
            client.execute(CAMPAIGN, &[&node, &me.url, &me.secret, &lease])?;
            client.query_one("SELECT term, node, url, secret FROM aigen_leader", &[])
        })?;
        Ok(Leader {
            term: row.get::<_, i64>(0).cast_unsigned(),
            candidate: Candidate {
                node: NodeId(row.get::<_, i64>(1).cast_unsigned()),
                url: row.get(2),
                secret: row.get(3),
            },
        })
    }

    fn resign(&mut self, me: &Candidate) -> Result<(), StoreError> {
        let node = me.node.0.cast_signed();
        self.link.ask(|client| {
            client.execute("DELETE FROM aigen_node WHERE node = $1", &[&node])?;
            let end = "UPDATE aigen_leader SET expires_at = '-infinity' WHERE node = $1";
            client.execute(end, &[&node])
        })?;
        Ok(())
    }

    fn alive(&mut self, within: Duration) -> Result<BTreeSet<NodeId>, StoreError> {
        let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX) as f64;
        let rows = self.link.ask(|client| {
            client.execute(
                "DELETE FROM aigen_node WHERE seen_at < clock_timestamp() - interval '1 day'",
                &[],
            )?;
            let lately = "SELECT node FROM aigen_node
                WHERE seen_at > clock_timestamp() - $1::float8 * interval '1 millisecond'";
            client.query(lately, &[&within])
        })?;
        let nodes = rows
            .iter()
            .map(|row| NodeId(row.get::<_, i64>(0).cast_unsigned()));
        Ok(nodes.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PostgresStore;
    use aigen_testkit_postgres::Server;

    #[test]
    fn a_lease_is_held_renewed_resigned_and_lost() {
        let server = Server::start();
        PostgresStore::open(&server.url()).unwrap();
        let mut election = PostgresElection::open(&server.url()).unwrap();
        let node = |number: u64| Candidate {
            node: NodeId(number),
            url: format!("http://node-{number}"),
            secret: "secret".into(),
        };
        let long = Duration::from_secs(600);
        let mut asks = |number, lease| {
            let leader = election.campaign(&node(number), lease).unwrap();
            (leader.candidate.node.0, leader.term)
        };
        let high = u64::MAX - 1;
        assert_eq!(asks(high, long), (high, 1));
        assert_eq!(asks(2, long), (high, 1), "taken");
        assert_eq!(asks(high, long), (high, 1), "renewed");
        election.resign(&node(high)).unwrap();
        let mut asks = |number, lease| {
            let leader = election.campaign(&node(number), lease).unwrap();
            (leader.candidate.node.0, leader.term)
        };
        assert_eq!(asks(2, Duration::ZERO), (2, 2), "free");
        assert_eq!(asks(3, long), (3, 3), "run out");
        let alive = election.alive(long).unwrap();
        assert_eq!(
            alive.into_iter().map(|node| node.0).collect::<Vec<_>>(),
            [2, 3]
        );
        assert_eq!(election.alive(Duration::ZERO).unwrap().len(), 0);
    }
}
